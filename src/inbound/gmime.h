/* gmime: GMime, begun once for the process. Private to src/inbound.
 *
 * Threads  several may parse at once, each its own mail: what GMime shares it begins once or locks, and the options are
 *          only read. What it keeps for good hangs on its globals, so a leak checker sees it as reachable.
 */
#ifndef FOLLOWUPD_INBOUND_GMIME_H
#define FOLLOWUPD_INBOUND_GMIME_H

#include <gmime/gmime.h>

/* What every call of GMime is given; begins the library the first time. Never NULL; GLib ends the process when memory
 * for it is refused. Owned by this module. */
GMimeParserOptions *gmime_options(void);

#endif
