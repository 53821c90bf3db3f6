/* stand_in: what a test puts in the place of the world, in debug builds alone: the time that signatures are held
 * against (the file $FOLLOWUPD_TEST_NOW holds the seconds since 1970), and the host that certificates come from
 * ($FOLLOWUPD_TEST_CERTIFICATES, a URL without its path). In a release build there is neither. */
#ifndef FOLLOWUPD_FRONT_STAND_IN_H
#define FOLLOWUPD_FRONT_STAND_IN_H

#include <stddef.h>

#include "followupd/base/clock.h"

struct wall stand_in_now(void); /* real time */
/* The URL to fetch for a certificate's: itself, or room. */
const char *stand_in_url(const char *url, char *room, size_t bytes);

#endif
