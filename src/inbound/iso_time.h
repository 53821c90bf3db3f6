/* iso_time: a time in ISO 8601, as providers write it: with any offset, or none, which means UTC. Private to src/inbound. */
#ifndef FOLLOWUPD_INBOUND_ISO_TIME_H
#define FOLLOWUPD_INBOUND_ISO_TIME_H

#include <stdbool.h>

#include "followupd/base/clock.h"

bool iso_time(const char *text, struct wall *ret); /* false: it is none */

#endif
