#include "followupd/sched/agenda.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/sched/index.h"
#include "followupd/sched/wheel.h"

#define IDS_MAX     256             /* fired in one step of the wheel */
#define BASE_BACK   (3600 * 1000LL) /* a new wheel can tell times of the last hour apart */
#define STEPS_MAX   32              /* of the wheel in one advance */
#define REPLAY_GROW 256
#define ROWS_AHEAD  16 /* of a load, fetched into the cache */

struct book {
    struct wheel *wheel;
    struct index *index;
};

enum change { CHANGE_SET, CHANGE_GONE };
struct replay_entry {
    struct due_message message;
    enum change change;
};

struct agenda {
    struct agenda_config config;
    struct book book;
    struct due_message *ready; /* ready_max of them */
    size_t ready_first, ready_count;
    int64_t now_ms;  /* of the last advance */
    int64_t step_ms; /* that the wheel has come to; what fires is due then */

    bool loading, whole;
    struct book next; /* of a whole load */
    int64_t load_now_ms;
    size_t load_count;
    struct replay_entry *replay;
    size_t replay_count, replay_room;
    size_t replay_next; /* the entries before it are replayed */
    enum status replay_st;
    bool replay_lost;
};

/* --- books ------------------------------------------------------------------------------------------------------ */

static bool book_init(struct book *b, int64_t base_ms, size_t hint)
{
    b->wheel = wheel_new(base_ms, (uint32_t)hint);
    b->index = index_new((uint32_t)hint);
    return b->wheel != NULL && b->index != NULL;
}

static void book_fini(struct book *b)
{
    wheel_free(b->wheel);
    index_free(b->index);
    *b = (struct book){ 0 };
}

static enum status book_set(struct book *b, struct message_ref ref, int64_t due_ms)
{
    uint32_t id;
    size_t count = index_count(b->index);
    enum status st = index_add(b->index, ref.account_id, ref.message_id, &id);
    if (st != OK)
        return st;
    st = wheel_set(b->wheel, id, due_ms);
    if (st != OK && index_count(b->index) > count)
        index_remove(b->index, id);
    return st;
}

static bool book_cancel(struct book *b, struct message_ref ref)
{
    uint32_t id;
    if (!index_find(b->index, ref.account_id, ref.message_id, &id))
        return false;
    wheel_cancel(b->wheel, id);
    index_remove(b->index, id);
    return true;
}

/* --- ready ------------------------------------------------------------------------------------------------------ */

static size_t ready_find(const struct agenda *a, struct message_ref ref)
{
    for (size_t i = 0; i < a->ready_count; i++) {
        const struct message_ref *r = &a->ready[a->ready_first + i].ref;
        if (r->message_id == ref.message_id && r->account_id == ref.account_id)
            return i;
    }
    return SIZE_MAX;
}

static void ready_add(struct agenda *a, struct due_message m)
{
    assert(a->ready_count < a->config.ready_max);
    if (a->ready_first + a->ready_count == a->config.ready_max) {
        memmove(a->ready, a->ready + a->ready_first, a->ready_count * sizeof *a->ready);
        a->ready_first = 0;
    }
    a->ready[a->ready_first + a->ready_count++] = m;
}

static void ready_remove(struct agenda *a, size_t i)
{
    struct due_message *at = a->ready + a->ready_first + i;
    a->ready_count--;
    if (i == 0)
        a->ready_first = a->ready_count == 0 ? 0 : a->ready_first + 1;
    else
        memmove(at, at + 1, (a->ready_count - i) * sizeof *at);
}

/* --- the log ---------------------------------------------------------------------------------------------------- */

static void note(struct agenda *a, enum change change, struct message_ref ref, struct wall due)
{
    if (!a->loading || a->replay_lost)
        return;
    if (a->replay_count == a->replay_room) {
        size_t room = a->replay_room == 0 ? REPLAY_GROW : a->replay_room * 2;
        if (room > a->config.replay_max)
            room = a->config.replay_max;
        struct replay_entry *grown = room > a->replay_room ? realloc(a->replay, room * sizeof *grown) : NULL;
        if (grown == NULL) {
            a->replay_lost = true;
            return;
        }
        a->replay = grown;
        a->replay_room = room;
    }
    a->replay[a->replay_count++] = (struct replay_entry){ { ref, due }, change };
}

static void load_end(struct agenda *a)
{
    a->loading = false;
    book_fini(&a->next);
    free(a->replay);
    a->replay = NULL;
    a->replay_count = a->replay_room = a->replay_next = 0;
    a->replay_lost = false;
    a->replay_st = OK;
}

/* --- life ------------------------------------------------------------------------------------------------------- */

struct agenda *agenda_new(const struct agenda_config *config, struct wall now)
{
    struct agenda *a = calloc(1, sizeof *a);
    if (a == NULL)
        return NULL;
    a->config = *config;
    a->ready = calloc(config->ready_max, sizeof *a->ready);
    if (a->ready == NULL || !book_init(&a->book, now.us / 1000 - BASE_BACK, 0)) {
        agenda_free(a);
        return NULL;
    }
    return a;
}

void agenda_free(struct agenda *a)
{
    if (a == NULL)
        return;
    load_end(a);
    book_fini(&a->book);
    free(a->ready);
    free(a);
}

/* --- changes ---------------------------------------------------------------------------------------------------- */

enum status agenda_set(struct agenda *a, struct message_ref ref, struct wall due)
{
    int64_t due_ms = due_ms_up(due);
    size_t i = a->ready_count > 0 ? ready_find(a, ref) : SIZE_MAX;
    if (i != SIZE_MAX) {
        if (due_ms <= a->now_ms)
            return OK; /* due it is already */
        ready_remove(a, i);
    }
    enum status st = book_set(&a->book, ref, due_ms);
    note(a, CHANGE_SET, ref, due);
    return st;
}

bool agenda_cancel(struct agenda *a, struct message_ref ref)
{
    note(a, CHANGE_GONE, ref, (struct wall){ 0 });
    if (book_cancel(&a->book, ref))
        return true;
    size_t i = ready_find(a, ref);
    if (i == SIZE_MAX)
        return false;
    ready_remove(a, i);
    return true;
}

bool agenda_known(const struct agenda *a, struct message_ref ref)
{
    uint32_t id;
    return index_find(a->book.index, ref.account_id, ref.message_id, &id) || ready_find(a, ref) != SIZE_MAX;
}

bool agenda_due_ms(const struct agenda *a, struct message_ref ref, int64_t *ret_ms)
{
    uint32_t id;
    if (!index_find(a->book.index, ref.account_id, ref.message_id, &id))
        return false;
    *ret_ms = wheel_due(a->book.wheel, id);
    return *ret_ms >= 0;
}

struct drop {
    struct agenda *agenda;
    int64_t account_id;
};

static void drop_entry(void *context, uint32_t id, int64_t message_id)
{
    struct drop *d = context;
    note(d->agenda, CHANGE_GONE, (struct message_ref){ d->account_id, message_id }, (struct wall){ 0 });
    wheel_cancel(d->agenda->book.wheel, id);
    index_remove(d->agenda->book.index, id);
}

bool agenda_drop_account(struct agenda *a, int64_t account_id, uint32_t *from, uint32_t ids_max)
{
    struct drop d = { a, account_id };
    if (index_visit_account(a->book.index, account_id, from, ids_max, drop_entry, &d))
        return true;
    for (size_t i = a->ready_count; i-- > 0;) {
        if (a->ready[a->ready_first + i].ref.account_id == account_id)
            ready_remove(a, i);
    }
    return false;
}

/* --- time ------------------------------------------------------------------------------------------------------- */

/* One step: to the next instant at which anything is due, so that all that fires is due then. */
static size_t step(struct agenda *a, int64_t to_ms, size_t budget)
{
    uint32_t ids[IDS_MAX];
    size_t room = a->config.ready_max - a->ready_count;
    if (to_ms > a->step_ms)
        a->step_ms = to_ms;
    size_t count = wheel_advance(a->book.wheel, to_ms, budget, ids, room < IDS_MAX ? room : IDS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct index_key key;
        bool found = index_get(a->book.index, ids[i], &key);
        assert(found);
        index_remove(a->book.index, ids[i]);
        ready_add(a, (struct due_message){ { key.account_id, key.message_id }, { a->step_ms * 1000 } });
    }
    return count;
}

bool agenda_advance(struct agenda *a, struct wall now, size_t budget)
{
    int64_t now_ms = now.us / 1000;
    if (now_ms > a->now_ms)
        a->now_ms = now_ms;
    if (a->replay_next > 0 && !a->whole)
        return false;
    /* A step may look at all of the budget and fire little, so their number is bounded too. */
    for (int steps = 0; steps < STEPS_MAX && budget > 0 && !agenda_full(a); steps++) {
        int64_t next_ms = wheel_next_ms(a->book.wheel);
        if (next_ms > now_ms)
            return false;
        size_t fired = step(a, next_ms, budget);
        if (fired == 0)
            break; /* it moved what comes later: that was work enough */
        budget -= fired < budget ? fired : budget;
    }
    return wheel_next_ms(a->book.wheel) <= now_ms;
}

int64_t agenda_next_ms(struct agenda *a)
{
    return wheel_next_ms(a->book.wheel);
}

const struct due_message *agenda_ready(const struct agenda *a, size_t *ret_count)
{
    *ret_count = a->ready_count;
    return a->ready + a->ready_first;
}

void agenda_take(struct agenda *a, const struct due_message *taken, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        note(a, CHANGE_GONE, taken[i].ref, (struct wall){ 0 });
        size_t at = ready_find(a, taken[i].ref); /* the front, but for what changed meanwhile */
        if (at != SIZE_MAX)
            ready_remove(a, at);
    }
}

bool agenda_full(const struct agenda *a)
{
    return a->ready_count == a->config.ready_max;
}

bool agenda_idle(struct agenda *a, size_t ids)
{
    return wheel_idle(a->book.wheel, ids);
}

/* --- loading ---------------------------------------------------------------------------------------------------- */

enum status agenda_load_begin(struct agenda *a, bool whole, struct wall now)
{
    assert(!a->loading);
    if (whole && !book_init(&a->next, now.us / 1000 - BASE_BACK, index_count(a->book.index))) {
        book_fini(&a->next);
        return E_NOMEM;
    }
    a->loading = true;
    a->load_now_ms = now.us / 1000;
    a->whole = whole;
    a->load_count = 0;
    return OK;
}

static struct book *loaded_book(struct agenda *a)
{
    return a->whole ? &a->next : &a->book;
}

enum status agenda_load_row(struct agenda *a, const struct due_message *row)
{
    assert(a->loading);
    a->load_count++;
    if (!a->whole && a->ready_count > 0 && ready_find(a, row->ref) != SIZE_MAX)
        return OK;
    return book_set(loaded_book(a), row->ref, due_ms_up(row->due));
}

void agenda_load_ahead(struct agenda *a, const struct due_message *rows, size_t count)
{
    const struct index *x = loaded_book(a)->index;
    if (count > ROWS_AHEAD)
        index_expect(x, rows[ROWS_AHEAD].ref.account_id, rows[ROWS_AHEAD].ref.message_id);
    if (count > ROWS_AHEAD / 2)
        index_expect_soon(x, rows[ROWS_AHEAD / 2].ref.account_id, rows[ROWS_AHEAD / 2].ref.message_id);
}

bool agenda_load_replay(struct agenda *a, size_t max)
{
    assert(a->loading);
    struct book *to = loaded_book(a);
    for (; max > 0 && a->replay_next < a->replay_count && !a->replay_lost && a->replay_st == OK; max--) {
        const struct replay_entry *r = &a->replay[a->replay_next++];
        if (r->change == CHANGE_SET)
            a->replay_st = book_set(to, r->message.ref, due_ms_up(r->message.due));
        else
            book_cancel(to, r->message.ref);
    }
    return max == 0 && a->replay_next < a->replay_count;
}

enum status agenda_load_finish(struct agenda *a)
{
    assert(a->loading);
    agenda_load_replay(a, SIZE_MAX);
    struct book *to = loaded_book(a);
    enum status st = a->replay_lost ? E_LIMIT : a->replay_st;
    /* What is ready stays ready: it must not come due a second time. */
    for (size_t i = 0; i < a->ready_count && st == OK; i++)
        book_cancel(to, a->ready[a->ready_first + i].ref);
    if (st == OK && a->whole) {
        struct book old = a->book;
        a->book = a->next;
        a->next = old;
        a->now_ms = a->step_ms = a->load_now_ms; /* the new wheel's time; it may be before the old one's */
    }
    load_end(a);
    return st;
}

void agenda_load_abort(struct agenda *a)
{
    load_end(a);
}

bool agenda_loading(const struct agenda *a)
{
    return a->loading;
}

size_t agenda_load_count(const struct agenda *a)
{
    return a->load_count;
}

/* --- counts ----------------------------------------------------------------------------------------------------- */

size_t agenda_count(const struct agenda *a)
{
    return index_count(a->book.index) + a->ready_count;
}

void agenda_wheel(const struct agenda *a, struct wheel_stats *ret)
{
    wheel_stats(a->book.wheel, ret);
}
