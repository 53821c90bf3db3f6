#include "followupd/base/outcome.h"

const char *outcome_label(enum outcome outcome)
{
    static const char *const labels[] = {
#define X(name, label) [name] = label,
        OUTCOME_MAP(X)
#undef X
    };
    return labels[outcome];
}
