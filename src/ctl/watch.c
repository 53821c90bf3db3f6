/* status --watch: the engine as the database sees it, again and again. On a terminal it is drawn in place; elsewhere each
 * look is one line. A database that goes away is shown and waited for. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"
#include "followupd/base/clock.h"
#include "followupd/base/list.h"

#define WATCH_MS       2000
#define SHARDS         64
#define LINE_BYTES_MAX 1000

enum { DUE, LATENESS, WORKERS, FIGURES, PROVIDERS, REFUSALS, QUERIES };
static const char *const queries[] = { "engine due",     "engine lateness",  "engine status",
                                       "engine figures", "engine providers", "engine refusals" };

struct watch {
    struct ctl *ctl;
    struct once_rows *rows[QUERIES]; /* of the last look; NULL: the database was not reached */
    struct err why;                  /* it was not */
    int64_t answer_ms;
    int64_t lost_since_us; /* 0: it is there */
    bool terminal;
    int width, height, drawn; /* cells and lines */
};

/* --- the terminal ------------------------------------------------------------------------------------------------- */

static bool cursor_hidden;

/* At once, whatever is waited for: the last view stays, the prompt comes below it. */
static void on_end(int number)
{
    static const char shown[] = "\033[?25h";
    if (cursor_hidden && write(STDOUT_FILENO, shown, sizeof shown - 1) < 0)
        _exit(CTL_REFUSED);
    _exit(number == SIGINT ? CTL_OK : 128 + number);
}

static void on_resize(int number)
{
    (void)number; /* ends the pause */
}

static void prepare(struct watch *w)
{
    const struct sigaction end = { .sa_handler = on_end }, resize = { .sa_handler = on_resize };
    w->terminal = !w->ctl->json && isatty(STDOUT_FILENO);
    if (w->terminal) {
        cursor_hidden = true;
        fputs("\033[?25l\033[2J", stdout);
        sigaction(SIGWINCH, &resize, NULL);
    }
    sigaction(SIGINT, &end, NULL);
    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGHUP, &end, NULL);
}

static void frame_begin(struct watch *w)
{
    struct winsize size;
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
    w->width = known ? size.ws_col : 80;
    w->height = known ? size.ws_row : 24;
    w->drawn = 0;
    fputs("\033[H", stdout);
}

/* A line of the view, cut at the edge; what does not fit on the screen is left out. */
static void draw(struct watch *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void draw(struct watch *w, const char *format, ...)
{
    char text[LINE_BYTES_MAX];
    va_list values;
    if (w->drawn + 1 >= w->height)
        return;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    output_text_cut(text, w->width);
    fputs("\033[K\n", stdout);
    w->drawn++;
}

static void frame_end(void)
{
    fputs("\033[J", stdout);
}

/* --- what was read ------------------------------------------------------------------------------------------------ */

static void rows_free(struct watch *w)
{
    for (size_t i = 0; i < QUERIES; i++) {
        once_rows_free(w->rows[i]);
        w->rows[i] = NULL;
    }
}

static enum status rows_read(struct watch *w)
{
    int64_t asked_us = mono_now_us();
    enum status st = OK;
    rows_free(w);
    if (w->lost_since_us != 0)
        st = ctl_reconnect(w->ctl, &w->why);
    for (size_t i = 0; i < QUERIES && st == OK; i++)
        st = ctl_command(w->ctl, queries[i], NULL, 0, &w->rows[i], &w->why);
    w->answer_ms = (mono_now_us() - asked_us) / 1000;
    if (st != OK)
        rows_free(w);
    if (st == OK)
        w->lost_since_us = 0;
    else if (w->lost_since_us == 0)
        w->lost_since_us = asked_us;
    return st;
}

/* A value as people read it, by its column's name; "" for NULL. Texts live until the fourth call after this one. */
static const char *value(const struct watch *w, int query, size_t row, const char *name)
{
    static char rooms[4][64];
    static unsigned turn;
    const struct once_rows *rows = w->rows[query];
    for (size_t column = 1; column < once_columns_count(rows); column++)
        if (strcmp(once_column_name(rows, column), name) == 0)
            return output_shown(rows, row, column, rooms[turn++ % COUNT_OF(rooms)]);
    return "";
}

static const char *or_none(const char *text)
{
    return text[0] != '\0' ? text : "-";
}

static int64_t shards_held(const struct watch *w)
{
    int64_t held = 0;
    for (size_t row = 0; row < once_rows_count(w->rows[WORKERS]); row++)
        held += strtoll(value(w, WORKERS, row, "shards"), NULL, 10);
    return held;
}

/* --- the view ----------------------------------------------------------------------------------------------------- */

static void draw_engine(struct watch *w)
{
    const char *rate = value(w, DUE, 0, "rate");
    const char *next = value(w, DUE, 0, "next_due_at"), *retry = value(w, DUE, 0, "next_retry_at");
    draw(w, "business time  %s%s%s%s", value(w, DUE, 0, "business"), strcmp(rate, "1") == 0 ? "" : "  (",
         strcmp(rate, "1") == 0 ? "" : rate, strcmp(rate, "1") == 0 ? "" : " x real time)");
    draw(w, "database       reached, answered in %lld ms", (long long)w->answer_ms);
    draw(w, "due            overdue %s, minute %s, hour %s, day %s", value(w, DUE, 0, "overdue"),
         value(w, DUE, 0, "due_minute"), value(w, DUE, 0, "due_hour"), value(w, DUE, 0, "due_day"));
    draw(w, "next           %s", next[0] != '\0' ? next : "nothing is scheduled");
    draw(w, "now            in flight %s, in doubt %s, waiting to be tried again %s", value(w, DUE, 0, "in_flight"),
         value(w, DUE, 0, "in_doubt"), value(w, DUE, 0, "waiting"));
    if (retry[0] != '\0')
        draw(w, "next retry     %s", retry);
    draw(w, "last minute    %s sent (%s/s), %s rejected, %s not sent", value(w, LATENESS, 0, "sent"),
         value(w, LATENESS, 0, "sent_per_s"), value(w, LATENESS, 0, "rejected"), value(w, LATENESS, 0, "retry"));
    if (value(w, LATENESS, 0, "late_p50_ms")[0] != '\0')
        draw(w, "left late by   p50 %s ms, p99 %s ms, most %s ms", value(w, LATENESS, 0, "late_p50_ms"),
             value(w, LATENESS, 0, "late_p99_ms"), value(w, LATENESS, 0, "late_max_ms"));
    else
        draw(w, "left late by   - (nothing was sent at its first try in the last minute)");
}

static bool same_worker(const struct watch *w, int query, size_t row, size_t worker)
{
    return strcmp(value(w, query, row, "worker"), value(w, WORKERS, worker, "worker")) == 0;
}

/* Median and 99th percentile of one kind, as "1.2/3.4". */
static const char *pair(const struct watch *w, size_t row, const char *p50, const char *p99, char room[64])
{
    snprintf(room, 64, "%s/%s", or_none(value(w, FIGURES, row, p50)), or_none(value(w, FIGURES, row, p99)));
    return room;
}

static void draw_figures(struct watch *w, size_t row)
{
    char late[64], claim[64], send[64], record[64];
    const char *notified = value(w, FIGURES, row, "notify_age_seconds");
    draw(w, "  p50/p99 ms  late %s, claim %s, send %s, record %s", pair(w, row, "late_p50_ms", "late_p99_ms", late),
         pair(w, row, "claim_p50_ms", "claim_p99_ms", claim), pair(w, row, "send_p50_ms", "send_p99_ms", send),
         pair(w, row, "record_p50_ms", "record_p99_ms", record));
    draw(w, "  wheel       %s messages, %s stale copies, %s MB; longest pause %s ms",
         value(w, FIGURES, row, "wheel_messages"), value(w, FIGURES, row, "wheel_stale"),
         value(w, FIGURES, row, "wheel_mb"), value(w, FIGURES, row, "wheel_pause_ms"));
    draw(w, "  engine      in flight %s, to record %s, swept %s, last NOTIFY %s%s", value(w, FIGURES, row, "in_flight"),
         value(w, FIGURES, row, "results_waiting"), value(w, FIGURES, row, "swept"),
         notified[0] != '\0' ? notified : "never", notified[0] != '\0' ? " s ago" : "");
    draw(w, "  process     longest loop turn %s ms, memory %s MB, CPU %s s", value(w, FIGURES, row, "loop_turn_ms"),
         value(w, FIGURES, row, "memory_mb"), value(w, FIGURES, row, "cpu_seconds"));
}

static void draw_provider(struct watch *w, size_t row)
{
    const char *wait = value(w, PROVIDERS, row, "wait_seconds");
    bool waits = strcmp(wait, "0.0") != 0 && wait[0] != '\0';
    draw(w, "  provider    %s: breaker %s%s%s%s, in flight %s of %s", value(w, PROVIDERS, row, "provider"),
         value(w, PROVIDERS, row, "breaker"), waits ? " for " : "", waits ? wait : "", waits ? " s" : "",
         value(w, PROVIDERS, row, "in_flight"), value(w, PROVIDERS, row, "may_fly"));
}

/* What a worker says of itself, below its line. */
static void draw_report(struct watch *w, size_t worker)
{
    for (size_t row = 0; row < once_rows_count(w->rows[FIGURES]); row++)
        if (same_worker(w, FIGURES, row, worker))
            draw_figures(w, row);
    for (size_t row = 0; row < once_rows_count(w->rows[PROVIDERS]); row++)
        if (same_worker(w, PROVIDERS, row, worker))
            draw_provider(w, row);
}

static void draw_workers(struct watch *w)
{
    size_t count = once_rows_count(w->rows[WORKERS]);
    int64_t held = shards_held(w);
    draw(w, "%s", "");
    if (count == 0) {
        draw(w, "No worker: nothing is being sent. Is followupd running?");
        return;
    }
    draw(w, "%-24s  %-8s  %6s  %7s  %6s", "worker on", "state", "shards", "lease s", "seen s");
    for (size_t row = 0; row < count; row++) {
        const char *state = value(w, WORKERS, row, "alive")[0] != 'y'      ? "gone"
                            : value(w, WORKERS, row, "draining")[0] == 'y' ? "draining"
                                                                           : "alive";
        draw(w, "%-24.24s  %-8s  %6s  %7s  %6s", value(w, WORKERS, row, "host"), state,
             value(w, WORKERS, row, "shards"), or_none(value(w, WORKERS, row, "lease_seconds")),
             value(w, WORKERS, row, "beat_seconds"));
        draw_report(w, row);
    }
    if (held < SHARDS)
        draw(w, "%lld of %d shards are nobody's: their accounts wait", (long long)(SHARDS - held), SHARDS);
}

static void draw_refusals(struct watch *w)
{
    size_t count = once_rows_count(w->rows[REFUSALS]);
    draw(w, "%s", "");
    if (count == 0) {
        draw(w, "Every POST of the last ten minutes was accepted.");
        return;
    }
    draw(w, "Not accepted in the last ten minutes");
    draw(w, "%6s  %5s  %-12s  %-8s  %4s  %s", "times", "ago s", "provider", "outcome", "HTTP", "answer");
    for (size_t row = 0; row < count; row++)
        draw(w, "%6s  %5s  %-12.12s  %-8s  %4s  %s", value(w, REFUSALS, row, "times"),
             value(w, REFUSALS, row, "seconds_ago"), value(w, REFUSALS, row, "provider"),
             value(w, REFUSALS, row, "outcome"), or_none(value(w, REFUSALS, row, "http_status")),
             value(w, REFUSALS, row, "detail"));
}

static void view_draw(struct watch *w)
{
    frame_begin(w);
    if (w->lost_since_us != 0) {
        draw(w, "database       NOT REACHED for %lld s; trying again",
             (long long)((mono_now_us() - w->lost_since_us) / 1000000));
        draw(w, "               %s", w->why.text);
    } else {
        draw_engine(w);
        draw_workers(w);
        draw_refusals(w);
    }
    frame_end();
}

/* --- for programs ------------------------------------------------------------------------------------------------- */

static void print_pairs(const struct watch *w, int query)
{
    const struct once_rows *rows = w->rows[query];
    for (size_t column = 1; column < once_columns_count(rows); column++) {
        const char *text = once_value(rows, 0, column);
        if (text != NULL && once_column_type(rows, column) == ONCE_NUMBER)
            printf(" %s=%s", once_column_name(rows, column), text);
    }
}

static void line_print(struct watch *w)
{
    if (w->lost_since_us != 0) {
        fputs("database=away reason=\"", stdout);
        output_text(w->why.text);
        puts("\"");
        return;
    }
    printf("database=reached answer_ms=%lld", (long long)w->answer_ms);
    print_pairs(w, DUE);
    print_pairs(w, LATENESS);
    printf(" workers=%zu shards=%lld refusals=%zu\n", once_rows_count(w->rows[WORKERS]), (long long)shards_held(w),
           once_rows_count(w->rows[REFUSALS]));
}

static void json_print(struct watch *w)
{
    json_t *all = json_object();
    json_object_set_new(all, "database", w->lost_since_us == 0 ? json_string("reached") : json_string(w->why.text));
    for (size_t i = 0; i < QUERIES && w->lost_since_us == 0; i++)
        json_object_set_new(all, queries[i], output_rows_json(w->rows[i]));
    json_dumpf(all, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(all);
}

enum ctl_exit watch_run(struct ctl *c)
{
    const struct timespec pause = { WATCH_MS / 1000, WATCH_MS % 1000 * 1000000L };
    struct watch w = { .ctl = c };
    prepare(&w);
    for (;;) {
        enum status st = rows_read(&w);
        if (st != OK && st != E_GONE)
            break; /* it answers, and will answer the same again */
        if (w.terminal)
            view_draw(&w);
        else if (c->json)
            json_print(&w);
        else
            line_print(&w);
        if (fflush(stdout) != 0)
            break;
        nanosleep(&pause, NULL);
    }
    if (w.terminal)
        fputs("\033[?25h", stdout);
    rows_free(&w);
    return ctl_fail(E_DB, &w.why);
}
