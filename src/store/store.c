#include "followupd/store/store.h"

const char *claim_verdict_label(enum claim_verdict verdict)
{
    static const char *const labels[] = {
#define X(name, label) [name] = label,
        CLAIM_VERDICT_MAP(X)
#undef X
    };
    return labels[verdict];
}

const char *const claim_tags[CLAIM_TAGS] = {
    "first_name",          "last_name",       "company",  "country",   "email",     "assistant.name", "assistant.title",
    "assistant.signature", "assistant.email", "rep.name", "rep.email", "rep.phone", "postal_address"
};
