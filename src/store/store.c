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
