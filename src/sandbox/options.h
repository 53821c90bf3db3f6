/* options: the command line of followup-sandbox. */
#ifndef SANDBOX_OPTIONS_H
#define SANDBOX_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "api.h"
#include "followupd/base/status.h"
#include "hooks.h"
#include "people.h"

#define LOOK_UP_LAG_MS_MAX (24 * 3600 * 1000)

struct options {
    const char *listen, *ledger; /* borrowed from argv, as all texts */
    bool fsync, help;
    uint64_t seed;
    const char *credentials[API_NAMES]; /* NULL: none */
    int64_t look_up_lag_ms;             /* at most LOOK_UP_LAG_MS_MAX */
    int64_t list_page_max;              /* 1..LIST_PAGE_MAX */
    struct hooks_options hooks;         /* keys NULL: no webhooks */
    struct people_options people;       /* conninfo NULL: nobody plays the leads */
};

MUST_USE enum status options_read(int argc, char **argv, struct options *ret, struct err *e);
extern const char options_help[];

#endif
