/* store_pg: the store over PostgreSQL. Eight connections: control (LISTEN, leases, beat, clock and nothing else, so that
 * a long claim never costs a lease), claims, results (sweeps and settling travel with them), load (COPY), bulk, inbox
 * (webhooks), apply (what webhooks told), pages (unsubscribe links, so that a click on one whose lead is locked holds up no
 * webhook). It is up when all of them stand and the schema is the one we were built for; when one breaks all are closed, what was under way is
 * called back, and they are opened again after a back-off.
 *
 * Cost  an operation is one heap object and one round trip; parameters and answers are binary. */
#ifndef FOLLOWUPD_STORE_STORE_PG_H
#define FOLLOWUPD_STORE_STORE_PG_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "followupd/base/status.h"
#include "followupd/store/store.h"

/* All texts are borrowed for the life of the store. A time of 0 is the default in brackets. */
struct store_pg_config {
    const char *conninfo;
    const char *worker; /* uuid of this process start */
    const char *host;   /* named in followup.worker */
    const char *default_provider;
    int schema_version;           /* max(version) of followup.migration that this program was built for */
    bool listen;                  /* false: the sweep is all that finds changes */
    int64_t connect_timeout_ms;   /* [5000] connecting and setting up one connection */
    int64_t statement_timeout_ms; /* [5000] the server's; ours, after which the connection is cut, is 2 s more */
    int64_t load_silence_ms;      /* [60000] longest silence in a COPY */
    int64_t bulk_timeout_ms;      /* [600000] as statement_timeout_ms, of one chunk of a bulk */
    int64_t reconnect_min_ms;     /* [50] first wait before connecting again; it doubles ... */
    int64_t reconnect_max_ms;     /* [5000] ... up to this */
};

MUST_USE enum status store_pg_open(uv_loop_t *loop, const struct store_pg_config *config,
                                   const struct store_events *events, struct store **ret, struct err *e);

#endif
