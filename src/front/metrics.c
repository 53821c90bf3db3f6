#include "followupd/front/metrics.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "followupd/base/list.h"

#define PREFIX          "followupd_"
#define BOUND_POWER_MIN 6 /* 2^6 us */
#define BOUND_POWER_MAX 26
#define US_A_SECOND     1e6

enum kind { GAUGE, COUNTER, HISTOGRAM };

/* One sample; rows of one name stand together and share the first one's sentence. */
struct row {
    const char *name;
    enum kind kind;
    size_t offset;                  /* of a double, or of the pointer to a histogram */
    const char *label, *label_text; /* NULL: none */
    const char *help;
};

#define AT(field)          offsetof(struct figures, field)
#define PROVIDER_AT(field) offsetof(struct provider_figures, field)

static const struct row rows[] = {
    { PREFIX "database_up", GAUGE, AT(database_up), .help = "1: PostgreSQL is connected and its schema fits." },
    { PREFIX "draining", GAUGE, AT(draining), .help = "1: told to stop; nothing new is claimed." },
    { PREFIX "shards_held", GAUGE, AT(shards_held), .help = "Shards of 64 that this worker owns." },
    { PREFIX "shards_valid", GAUGE, AT(shards_valid), .help = "Owned shards whose lease has not run out." },
    { PREFIX "lease_remaining_seconds", GAUGE, AT(lease_left_s),
      .help = "Until the first owned lease must have been renewed; 0: it has run out." },

    { PREFIX "lateness_seconds", HISTOGRAM, AT(lateness),
      .help = "From a message's due time to the first byte of its POST, real time." },
    { PREFIX "claim_seconds", HISTOGRAM, AT(claim), .help = "Round trip of a claim in the database." },
    { PREFIX "send_seconds", HISTOGRAM, AT(send), .help = "From the first byte of a POST to the provider's answer." },
    { PREFIX "record_seconds", HISTOGRAM, AT(record), .help = "Round trip of a batch of results into the database." },
    { PREFIX "messages_total", COUNTER, AT(outcomes[OUTCOME_SENT]), "outcome", "sent",
      .help = "Tries that ended, by what they came to." },
    { PREFIX "messages_total", COUNTER, AT(outcomes[OUTCOME_RETRY]), "outcome", "retry" },
    { PREFIX "messages_total", COUNTER, AT(outcomes[OUTCOME_REJECTED]), "outcome", "rejected" },
    { PREFIX "messages_total", COUNTER, AT(outcomes[OUTCOME_IN_DOUBT]), "outcome", "in_doubt" },
    { PREFIX "claims_total", COUNTER, AT(claims), .help = "Claims asked of the database." },
    { PREFIX "claim_failures_total", COUNTER, AT(claim_failures), .help = "Claims without an answer." },
    { PREFIX "claim_verdicts_total", COUNTER, AT(verdicts[0]), "verdict", "claimed",
      .help = "Messages asked about, by the answer." },
    { PREFIX "claim_verdicts_total", COUNTER, AT(verdicts[1]), "verdict", "gone" },
    { PREFIX "claim_verdicts_total", COUNTER, AT(verdicts[2]), "verdict", "moved" },
    { PREFIX "claim_verdicts_total", COUNTER, AT(verdicts[3]), "verdict", "busy" },
    { PREFIX "claim_verdicts_total", COUNTER, AT(verdicts[4]), "verdict", "not_ours" },
    { PREFIX "given_back_total", COUNTER, AT(given_back), .help = "Claimed messages given back before a byte left." },
    { PREFIX "in_flight", GAUGE, AT(in_flight), .help = "Messages between claim and outcome." },
    { PREFIX "results_waiting", GAUGE, AT(results_waiting), .help = "Outcomes not yet recorded in the database." },
    { PREFIX "results_recorded_total", COUNTER, AT(recorded), .help = "Outcomes recorded." },
    { PREFIX "results_busy_total", COUNTER, AT(record_busy),
      .help = "Outcomes that found their row locked and went with a later batch." },
    { PREFIX "record_failures_total", COUNTER, AT(record_failures),
      .help = "Batches of results that were not recorded." },
    { PREFIX "settle_after_seconds", GAUGE, AT(settle_after_s),
      .help = "How long after its POST a message in doubt is first asked about." },
    { PREFIX "in_doubt_retaken_total", COUNTER, AT(settle_claimed),
      .help = "Messages in doubt that were taken up again under their key." },
    { PREFIX "in_doubt_by_policy_total", COUNTER, AT(settled_by_policy),
      .help = "Messages in doubt that the account's policy decided." },
    { PREFIX "in_doubt_looked_up_total", COUNTER, AT(looked_up),
      .help = "Times that a provider was asked about a message in doubt." },
    { PREFIX "in_doubt_found_total", COUNTER, AT(looked_up_found), .help = "Times that it had the message." },
    { PREFIX "in_doubt_absent_total", COUNTER, AT(looked_up_absent), .help = "Times that it did not know it." },

    { PREFIX "wheel_messages", GAUGE, AT(wheel_messages), .help = "Messages in the timer wheel." },
    { PREFIX "wheel_stale_copies", GAUGE, AT(wheel_stale),
      .help = "Copies of cancelled or moved messages, not yet swept out of the wheel." },
    { PREFIX "wheel_bytes", GAUGE, AT(wheel_bytes), .help = "Memory of the wheel." },
    { PREFIX "wheel_pause_max_seconds", GAUGE, AT(wheel_pause_s),
      .help = "Longest turn of the wheel since the start." },
    { PREFIX "wheel_pause_recent_max_seconds", GAUGE, AT(wheel_pause_recent_s),
      .help = "Longest turn of the wheel in the last one to two minutes." },
    { PREFIX "due_waiting", GAUGE, AT(due_waiting), .help = "Messages that are due and wait for room." },
    { PREFIX "due_total", COUNTER, AT(due_total), .help = "Messages that came due and were handed on." },
    { PREFIX "loaded", GAUGE, AT(loaded), .help = "1: all that is due within the horizon is in the wheel." },
    { PREFIX "loads_total", COUNTER, AT(loads), .help = "Loads from the database that were completed." },
    { PREFIX "load_failures_total", COUNTER, AT(load_failures), .help = "Loads that were not, and begin again." },
    { PREFIX "load_last_messages", GAUGE, AT(load_last_rows), .help = "Messages that the last load brought." },
    { PREFIX "load_last_seconds", GAUGE, AT(load_last_s), .help = "What the last load took." },
    { PREFIX "horizon_seconds", GAUGE, AT(horizon_s), .help = "How far ahead messages are held, business time." },
    { PREFIX "sweep_found_total", COUNTER, AT(swept),
      .help = "Messages that a sweep found and no notification had told of." },
    { PREFIX "notifications_total", COUNTER, AT(notifications), .help = "Notifications from the database." },
    { PREFIX "notify_age_seconds", GAUGE, AT(notify_age_s), .help = "Since the last notification." },
    { PREFIX "bulk_working", GAUGE, AT(bulk_working), .help = "1: a chunk of a bulk is under way." },
    { PREFIX "bulk_chunks_total", COUNTER, AT(bulk_chunks), .help = "Chunks of bulks that were done." },

    { PREFIX "webhooks_total", COUNTER, AT(webhooks_accepted), "answer", "accepted",
      .help = "Webhooks and inbound mails, by what they were answered." },
    { PREFIX "webhooks_total", COUNTER, AT(webhooks_unauthentic), "answer", "unauthentic" },
    { PREFIX "webhooks_total", COUNTER, AT(webhooks_malformed), "answer", "malformed" },
    { PREFIX "webhooks_total", COUNTER, AT(webhooks_put_off), "answer", "put_off" },
    { PREFIX "inbox_seconds", HISTOGRAM, AT(inbox), .help = "Round trip of a call that stores webhooks." },
    { PREFIX "inbox_waiting", GAUGE, AT(inbox_waiting), .help = "Webhooks that wait to be stored." },
    { PREFIX "inbox_events_total", COUNTER, AT(inbox_fresh), .help = "Events stored that were not known before." },
    { PREFIX "inbox_applied_total", COUNTER, AT(inbox_applied), "result", "applied",
      .help = "Events that were taken up, by what came of it." },
    { PREFIX "inbox_applied_total", COUNTER, AT(inbox_unmatched), "result", "unmatched" },
    { PREFIX "inbox_applied_total", COUNTER, AT(inbox_failed), "result", "failed" },
    { PREFIX "inbox_behind", GAUGE, AT(inbox_behind), .help = "1: stored events wait to be applied now." },
    { PREFIX "reply_alerts", GAUGE, AT(reply_alerts),
      .help = "Alerts that replies raised and nobody has settled, of all accounts." },

    { PREFIX "loop_turn_seconds", HISTOGRAM, AT(turn),
      .help = "Work of one turn of the event loop, waiting left out." },
    { PREFIX "loop_turn_max_seconds", GAUGE, AT(turn_max_s), .help = "Longest turn of the loop since the start." },
    { PREFIX "loop_turn_recent_max_seconds", GAUGE, AT(turn_recent_s),
      .help = "Longest turn of the loop in the last one to two minutes." },
    { PREFIX "http_connections", GAUGE, AT(http_connections), .help = "Open HTTP connections." },
    { PREFIX "http_answers_total", COUNTER, AT(http_answers[2]), "class", "2xx",
      .help = "HTTP requests answered by our routes." },
    { PREFIX "http_answers_total", COUNTER, AT(http_answers[4]), "class", "4xx" },
    { PREFIX "http_answers_total", COUNTER, AT(http_answers[5]), "class", "5xx" },
    { PREFIX "http_late_total", COUNTER, AT(http_late), .help = "HTTP connections cut at a deadline." },
    { PREFIX "http_evicted_total", COUNTER, AT(http_evicted),
      .help = "HTTP connections closed to make room for new ones." },
    { PREFIX "http_bodies_bytes", GAUGE, AT(http_bodies_bytes),
      .help = "Request bodies that are held now or announced." },
    { "process_cpu_seconds_total", COUNTER, AT(cpu_s), .help = "User and system CPU time." },
    { "process_resident_memory_bytes", GAUGE, AT(resident_bytes), .help = "Resident memory." },
    { "process_virtual_memory_bytes", GAUGE, AT(virtual_bytes), .help = "Virtual memory." },
    { "process_open_fds", GAUGE, AT(fds_open), .help = "Open file descriptors." },
    { "process_max_fds", GAUGE, AT(fds_max), .help = "Most file descriptors allowed." },
    { "process_start_time_seconds", GAUGE, AT(start_time_s), .help = "Start of the process, since the epoch." },
};

/* Each once a provider, with its name as a label. */
static const struct row provider_rows[] = {
    { PREFIX "provider_breaker", GAUGE, PROVIDER_AT(breaker[0]), "state", "closed",
      .help = "1 for the state the provider's breaker is in." },
    { PREFIX "provider_breaker", GAUGE, PROVIDER_AT(breaker[1]), "state", "open" },
    { PREFIX "provider_breaker", GAUGE, PROVIDER_AT(breaker[2]), "state", "half_open" },
    { PREFIX "provider_breaker_wait_seconds", GAUGE, PROVIDER_AT(breaker_wait_s),
      .help = "Until something may be posted again; 0: now." },
    { PREFIX "provider_in_flight", GAUGE, PROVIDER_AT(in_flight), .help = "POSTs under way." },
    { PREFIX "provider_window", GAUGE, PROVIDER_AT(window), .help = "POSTs that may be under way at once." },
    { PREFIX "provider_key_window_seconds", GAUGE, PROVIDER_AT(key_window_s),
      .help = "How long it honours an idempotency key; 0: never." },
    { PREFIX "provider_looks_up", GAUGE, PROVIDER_AT(looks_up),
      .help = "1: it can be asked whether it has a message." },
    { PREFIX "provider_look_up_proof_seconds", GAUGE, PROVIDER_AT(look_up_proof_s),
      .help = "After this what it does not know was not sent; 0: never." },
};

/* The first failure is kept, so that the printers need not look at every piece. */
struct printer {
    struct buf *out;
    enum status status;
};

__attribute__((format(printf, 2, 3))) static void print(struct printer *p, const char *format, ...)
{
    char text[400];
    va_list values;
    va_start(values, format);
    int bytes = vsnprintf(text, sizeof text, format, values);
    va_end(values);
    if (p->status == OK)
        p->status = bytes < (int)sizeof text ? buf_text(p->out, text) : E_LIMIT;
}

static bool same_family(const struct row *a, const struct row *b)
{
    return strcmp(a->name, b->name) == 0;
}

static double number_of(const struct row *row, const void *figures)
{
    return *(const double *)((const char *)figures + row->offset);
}

static const struct histogram *histogram_of(const struct row *row, const void *figures)
{
    return *(const struct histogram *const *)((const char *)figures + row->offset);
}

/* --- Prometheus ------------------------------------------------------------------------------------------------- */

static void print_family(struct printer *p, const struct row *row)
{
    static const char *const kinds[] = { [GAUGE] = "gauge", [COUNTER] = "counter", [HISTOGRAM] = "histogram" };
    print(p, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name, kinds[row->kind]);
}

static void print_histogram(struct printer *p, const char *name, const struct histogram *h)
{
    uint64_t from_us = 0, count = 0;
    for (unsigned power = BOUND_POWER_MIN; power <= BOUND_POWER_MAX; power++) {
        for (unsigned half = 0; half < 2 && (half == 0 || power < BOUND_POWER_MAX); half++) {
            uint64_t bound_us = (UINT64_C(1) << power) + half * (UINT64_C(1) << (power - 1));
            count += histogram_between(h, from_us, bound_us);
            from_us = bound_us;
            print(p, "%s_bucket{le=\"%.9g\"} %llu\n", name, (double)bound_us / US_A_SECOND, (unsigned long long)count);
        }
    }
    print(p, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.15g\n%s_count %llu\n", name, (unsigned long long)h->count, name,
          (double)h->sum_us / US_A_SECOND, name, (unsigned long long)h->count);
}

static void print_sample(struct printer *p, const struct row *row, const char *provider, double value)
{
    char labels[120] = "";
    if (isnan(value))
        return;
    if (provider != NULL && row->label != NULL)
        snprintf(labels, sizeof labels, "{provider=\"%s\",%s=\"%s\"}", provider, row->label, row->label_text);
    else if (provider != NULL || row->label != NULL)
        snprintf(labels, sizeof labels, "{%s=\"%s\"}", provider != NULL ? "provider" : row->label,
                 provider != NULL ? provider : row->label_text);
    print(p, "%s%s %.15g\n", row->name, labels, value);
}

enum status metrics_text(const struct figures *f, struct buf *out)
{
    struct printer p = { out, OK };
    print(&p, "# HELP " PREFIX "build_info 1, with the version as a label.\n# TYPE " PREFIX "build_info gauge\n" PREFIX
              "build_info{version=\"" FOLLOWUPD_VERSION "\"} 1\n");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct row *row = &rows[i];
        if (i == 0 || !same_family(row, row - 1))
            print_family(&p, row);
        if (row->kind == HISTOGRAM)
            print_histogram(&p, row->name, histogram_of(row, f));
        else
            print_sample(&p, row, NULL, number_of(row, f));
    }
    for (size_t i = 0; i < COUNT_OF(provider_rows); i++) {
        const struct row *row = &provider_rows[i];
        if (i > 0 && same_family(row, row - 1))
            continue; /* printed with the first of its family: samples of one name stand together */
        print_family(&p, row);
        for (size_t n = 0; n < f->provider_count; n++)
            for (size_t k = i; k < COUNT_OF(provider_rows) && same_family(&provider_rows[k], row); k++)
                print_sample(&p, &provider_rows[k], f->providers[n].name,
                             number_of(&provider_rows[k], &f->providers[n]));
    }
    return p.status;
}

/* --- JSON ------------------------------------------------------------------------------------------------------- */

static const char *short_name(const struct row *row)
{
    return strncmp(row->name, PREFIX, strlen(PREFIX)) == 0 ? row->name + strlen(PREFIX) : row->name;
}

static void print_json_value(struct printer *p, const struct row *row, const void *figures)
{
    if (row->kind == HISTOGRAM) {
        const struct histogram *h = histogram_of(row, figures);
        print(p, "{\"count\":%llu,\"p50\":%.9g,\"p99\":%.9g}", (unsigned long long)h->count,
              (double)histogram_percentile(h, 0.5) / US_A_SECOND, (double)histogram_percentile(h, 0.99) / US_A_SECOND);
    } else if (isnan(number_of(row, figures))) {
        print(p, "null");
    } else {
        print(p, "%.15g", number_of(row, figures));
    }
}

/* The members of one object; rows of one name with labels become an object of their own. */
static void print_json_rows(struct printer *p, const struct row *row, size_t count, const void *figures)
{
    for (size_t i = 0; i < count; i++) {
        bool first = i == 0 || !same_family(&row[i], &row[i - 1]);
        bool last = i + 1 == count || !same_family(&row[i], &row[i + 1]);
        if (i > 0)
            print(p, ",");
        if (first)
            print(p, "\"%s\":", short_name(&row[i]));
        if (row[i].label != NULL)
            print(p, "%s\"%s\":", first ? "{" : "", row[i].label_text);
        print_json_value(p, &row[i], figures);
        if (row[i].label != NULL && last)
            print(p, "}");
    }
}

enum status metrics_json(const struct figures *f, struct buf *out)
{
    struct printer p = { out, OK };
    print(&p, "{");
    print_json_rows(&p, rows, COUNT_OF(rows), f);
    print(&p, ",\"providers\":[");
    for (size_t i = 0; i < f->provider_count; i++) {
        print(&p, "%s{\"provider\":\"%s\",", i > 0 ? "," : "", f->providers[i].name);
        print_json_rows(&p, provider_rows, COUNT_OF(provider_rows), &f->providers[i]);
        print(&p, "}");
    }
    print(&p, "]}");
    return p.status;
}
