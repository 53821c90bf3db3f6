/* metrics: figures as text. One table says what each is called, what it means and where it stands; Prometheus' text
 * exposition format 0.0.4 and the JSON object that the database keeps are both printed from it. Pure.
 *
 * Names       followupd_*, and process_* as every exporter has them; base units (seconds, bytes), counters end in _total.
 * Histograms  bounds are 64 us to 67 s, two a power of two: each is an edge of our own buckets, so the counts are exact.
 * Errors      E_LIMIT and E_NOMEM from out. Cost: some thousand additions, 20 KB of text. */
#ifndef FOLLOWUPD_FRONT_METRICS_H
#define FOLLOWUPD_FRONT_METRICS_H

#include "followupd/base/buf.h"
#include "followupd/base/status.h"
#include "followupd/front/figures.h"

#define METRICS_BYTES_MAX (128u * 1024)

/* Appends every family. */
MUST_USE enum status metrics_text(const struct figures *f, struct buf *out);
/* Appends {"wheel_messages": 12, "messages_total": {"sent": 5, ...}, "send_seconds": {"count": 5, "p50": ..., "p99": ...},
 * ..., "providers": [{"provider": "main", "provider_in_flight": 3, ...}]}: the names without followupd_. */
MUST_USE enum status metrics_json(const struct figures *f, struct buf *out);

#endif
