#include "followupd/inbox/inbox.h"

#include <stdlib.h>
#include <string.h>

#include "followupd/base/clock.h"
#include "followupd/base/log.h"

#define RETRY_MS    5000
#define REST_FACTOR 3 /* of the time that the call before took: a quarter of the time is left to applying */
#define REST_MS_MAX 1000

struct inbox {
    struct store *store; /* borrowed */
    int64_t interval_ms;
    uv_idle_t gathered; /* at the next turn of the loop, what came in this one goes */
    uv_timer_t look;    /* for what is to be applied */
    unsigned handles_open;
    struct list waiting, under_way;
    bool calling, applying, apply_again, resting, draining;
    size_t one_by_one; /* so many at the head of `waiting` go alone */
    int64_t asked_us, apply_asked_us;
    struct inbox_stats stats;
};

static void call(struct inbox *b);
static void apply(struct inbox *b);

/* --- webhooks into the database --------------------------------------------------------------------------------- */

static void on_gathered(uv_idle_t *idle)
{
    struct inbox *b = idle->data;
    uv_idle_stop(idle);
    if (!b->calling)
        call(b);
}

static void tell_all(struct list *entries, enum status st, const enum webhook_stored *verdicts)
{
    size_t i = 0;
    for (struct list *node; (node = list_take_first(entries)) != NULL; i++) {
        struct inbox_entry *entry = container_of(node, struct inbox_entry, node);
        entry->cb(entry, st, verdicts != NULL ? verdicts[i] : WEBHOOK_REFUSED);
    }
}

static void add_waiting(struct inbox *b, struct inbox_entry *entry)
{
    b->stats.waiting++;
    b->stats.waiting_bytes += entry->bytes;
}

/* Those of the call that was refused, in their order, before all others. */
static void put_back(struct inbox *b, size_t count)
{
    while (!list_empty(&b->under_way)) {
        struct list *node = b->under_way.prev;
        list_remove(node);
        list_append(b->waiting.next, node); /* before the first; into an empty list */
        add_waiting(b, container_of(node, struct inbox_entry, node));
    }
    b->one_by_one = count;
}

static void on_stored(void *arg, enum status st, const struct err *e, const enum webhook_stored *verdicts, size_t count)
{
    struct inbox *b = arg;
    size_t asked = 0;
    list_for_each (node, &b->under_way)
        asked++;
    b->calling = false;
    b->stats.calls++;
    if (st == OK && count != asked)
        st = E_DB;
    if (st == OK) {
        b->stats.stored += count;
        histogram_add(&b->stats.round_trip, (uint64_t)(mono_now_us() - b->asked_us));
    } else if (st != E_CANCELLED) {
        b->stats.failures++;
        log_warn("inbox_refused", kv("webhooks", asked), kv("reason", e != NULL ? e->text : "another number of rows"));
    }
    if (st == E_DB && asked > 1)
        put_back(b, asked);
    else
        tell_all(&b->under_way, st, st == OK ? verdicts : NULL);
    if (st == OK && !b->resting)
        apply(b);
    if (st != E_CANCELLED)
        call(b);
}

static void call(struct inbox *b)
{
    struct stored_webhook webhooks[STORE_BATCH_MAX];
    size_t count = 0, bytes = 0, count_max = b->one_by_one > 0 ? 1 : STORE_BATCH_MAX;
    if (list_empty(&b->waiting))
        return;
    while (count < count_max && !list_empty(&b->waiting)) {
        struct inbox_entry *entry = container_of(b->waiting.next, struct inbox_entry, node);
        if (count > 0 && bytes + entry->bytes > INBOX_CALL_BYTES_MAX)
            break;
        list_remove(&entry->node);
        list_append(&b->under_way, &entry->node);
        b->stats.waiting--;
        b->stats.waiting_bytes -= entry->bytes;
        bytes += entry->bytes;
        webhooks[count++] = entry->webhook;
    }
    if (b->one_by_one > 0)
        b->one_by_one--;
    b->asked_us = mono_now_us();
    enum status st = b->store->ops->receive_webhooks(b->store, webhooks, count, on_stored, b);
    if (st == OK) {
        b->calling = true;
        return;
    }
    tell_all(&b->under_way, st, NULL);
    if (!list_empty(&b->waiting))
        uv_idle_start(&b->gathered, on_gathered);
}

enum status inbox_put(struct inbox *b, struct inbox_entry *entry, const struct stored_webhook *webhook, inbox_cb cb)
{
    size_t bytes = strlen(webhook->events);
    if (!b->store->ops->is_up(b->store))
        return E_GONE;
    if (b->stats.waiting >= INBOX_WAITING_MAX || bytes + b->stats.waiting_bytes > INBOX_WAITING_BYTES_MAX)
        return E_LIMIT;
    *entry = (struct inbox_entry){ .webhook = *webhook, .bytes = bytes, .cb = cb };
    list_append(&b->waiting, &entry->node);
    add_waiting(b, entry);
    if (!b->calling)
        uv_idle_start(&b->gathered, on_gathered);
    return OK;
}

/* --- what they told into the rules ------------------------------------------------------------------------------- */

static void on_look(uv_timer_t *timer)
{
    apply(timer->data);
}

static void look_again(struct inbox *b, int64_t after_ms)
{
    if (!b->draining)
        uv_timer_start(&b->look, on_look, (uint64_t)after_ms, 0);
}

/* At once; but while webhooks come they have the database's time first: their senders wait, and come again when that is long. */
static void go_on(struct inbox *b)
{
    if (!b->calling && list_empty(&b->waiting)) {
        apply(b);
        return;
    }
    int64_t rest_ms = (mono_now_us() - b->apply_asked_us) * REST_FACTOR / 1000;
    b->resting = !b->draining;
    look_again(b, rest_ms < REST_MS_MAX ? rest_ms : REST_MS_MAX);
}

static void on_applied(void *arg, enum status st, const struct err *e, const struct inbox_applied *applied)
{
    struct inbox *b = arg;
    b->applying = false;
    b->stats.behind = st == OK && applied->more;
    if (st == E_CANCELLED)
        return;
    if (st != OK) {
        if (st != E_GONE)
            log_warn("inbox_not_applied", kv("reason", e->text), kv("retry_in_ms", RETRY_MS));
        look_again(b, st == E_GONE ? b->interval_ms : RETRY_MS);
        return;
    }
    b->stats.applied += (uint64_t)applied->applied;
    b->stats.fresh += (uint64_t)applied->fresh;
    b->stats.unmatched += (uint64_t)applied->unmatched;
    b->stats.failed += (uint64_t)applied->failed;
    if (applied->failed > 0)
        log_warn("inbox_events_failed", kv("events", applied->failed));
    if (applied->more || b->apply_again)
        go_on(b);
    else
        look_again(b, b->interval_ms);
}

static void apply(struct inbox *b)
{
    if (b->draining)
        return;
    if (b->applying) {
        b->apply_again = true;
        return;
    }
    b->apply_again = b->resting = false;
    uv_timer_stop(&b->look);
    b->apply_asked_us = mono_now_us();
    b->applying = b->store->ops->apply_inbox(b->store, INBOX_APPLY_MAX, on_applied, b) == OK;
    if (!b->applying)
        look_again(b, b->interval_ms);
}

/* --- life --------------------------------------------------------------------------------------------------------- */

enum status inbox_open(uv_loop_t *loop, struct store *store, int64_t interval_ms, struct inbox **ret, struct err *e)
{
    struct inbox *b = calloc(1, sizeof *b);
    if (b == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    b->store = store;
    b->interval_ms = interval_ms;
    list_init(&b->waiting);
    list_init(&b->under_way);
    uv_idle_init(loop, &b->gathered);
    uv_timer_init(loop, &b->look);
    b->gathered.data = b->look.data = b;
    b->handles_open = 2;
    look_again(b, interval_ms);
    *ret = b;
    return OK;
}

const struct inbox_stats *inbox_stats(const struct inbox *b)
{
    return &b->stats;
}

void inbox_drain(struct inbox *b)
{
    b->draining = true;
    uv_timer_stop(&b->look);
}

static void on_closed(uv_handle_t *handle)
{
    struct inbox *b = handle->data;
    if (--b->handles_open == 0)
        free(b);
}

void inbox_close(struct inbox *b)
{
    inbox_drain(b);
    b->stats.waiting = b->stats.waiting_bytes = 0;
    tell_all(&b->waiting, E_CANCELLED, NULL);
    uv_close((uv_handle_t *)&b->gathered, on_closed);
    uv_close((uv_handle_t *)&b->look, on_closed);
}
