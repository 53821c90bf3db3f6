/* options: the command line of followup-sandbox. */
#ifndef SANDBOX_OPTIONS_H
#define SANDBOX_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "api.h"
#include "followupd/base/status.h"
#include "hooks.h"
#include "people.h"

struct options {
    const char *listen, *ledger; /* borrowed from argv, as all texts */
    bool fsync, help;
    uint64_t seed;
    const char *credentials[API_NAMES]; /* NULL: none */
    struct hooks_options hooks;         /* keys NULL: no webhooks */
    struct people_options people;       /* conninfo NULL: nobody plays the leads */
};

MUST_USE enum status options_read(int argc, char **argv, struct options *ret, struct err *e);
extern const char options_help[];

#endif
