#include "model.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/list.h"
#include "followupd/store/shard.h"
#include "journal.h"
#include "simtime.h"

#define PAYLOAD_BYTES  256
#define ATTEMPTS_MAX   10
#define DOUBT_POSTS    128
#define LATE_US        (60 * SECOND)
#define BACK_OFF_MAX_S 3600

/* id, or the next one that none of the first `count` accounts has. */
static int64_t unused_account(const struct model *m, size_t count, int64_t id)
{
    for (size_t i = 0; i < count; i++) {
        if (m->accounts[i] == id)
            return unused_account(m, count, id + 1);
    }
    return id;
}

void model_init(struct model *m, enum model_policy policy, size_t accounts)
{
    memset(m, 0, sizeof *m);
    m->policy = policy;
    m->account_count = accounts;
    for (size_t i = 0; i < accounts; i++)
        m->accounts[i] = unused_account(m, i, sim_between(1, 1000000));
    for (int i = 0; i < STORE_SHARDS; i++)
        m->leases[i].expires_us = INT64_MIN / 2;
}

void model_fini(struct model *m)
{
    free(m->messages);
    free(m->conversations);
}

int64_t model_now(const struct model *m)
{
    return SIM_EPOCH_US + sim_now() + m->wall_offset_us;
}

static void notify(struct model *m, const char *payload)
{
    if (m->notify != NULL)
        m->notify(m->notify_arg, payload);
}

/* --- messages and conversations ------------------------------------------------------------------------------------ */

static struct model_message *find(const struct model *m, struct message_ref ref)
{
    if (ref.message_id < 1 || (size_t)ref.message_id > m->message_count)
        return NULL;
    struct model_message *x = &m->messages[ref.message_id - 1];
    return x->account_id == ref.account_id ? x : NULL;
}

static struct message_ref ref_of(const struct model_message *x)
{
    return (struct message_ref){ x->account_id, x->id };
}

static struct due_message due_of(const struct model_message *x)
{
    return (struct due_message){ ref_of(x), { x->due_us } };
}

static bool is_pending(const struct model_message *x)
{
    return x->state == M_SCHEDULED || x->state == M_SENDING || x->state == M_IN_DOUBT;
}

static bool is_paused(const struct model *m, int64_t account_id)
{
    for (size_t i = 0; i < m->account_count; i++) {
        if (m->accounts[i] == account_id)
            return m->paused[i];
    }
    return false;
}

static struct model_message *schedule(struct model *m, size_t conversation, int64_t due_us)
{
    if (m->message_count == m->message_room) {
        m->message_room = m->message_room > 0 ? 2 * m->message_room : 64;
        m->messages = realloc(m->messages, m->message_room * sizeof *m->messages);
        assert(m->messages != NULL);
    }
    struct model_conversation *c = &m->conversations[conversation];
    if (c->live >= 0)
        m->violations++;
    struct model_message *x = &m->messages[m->message_count];
    *x = (struct model_message){ .account_id = c->account_id,
                                 .id = (int64_t)m->message_count + 1,
                                 .conversation = (int)conversation,
                                 .due_us = due_us };
    c->live = (int)m->message_count++;
    c->next++;
    JOURNAL("plan %" PRId64 " %zu %" PRId64 " %" PRId64 " %" PRId64 "\n", x->id, conversation, x->account_id,
            due_us - SIM_EPOCH_US, sim_now());
    return x;
}

static void notify_set(struct model *m, const struct model_message *x)
{
    char payload[PAYLOAD_BYTES];
    if (x->state == M_SCHEDULED)
        snprintf(payload, sizeof payload, "m %" PRId64 " %" PRId64 " %" PRId64, x->account_id, x->id, x->due_us);
    else
        snprintf(payload, sizeof payload, "m %" PRId64 " %" PRId64 " -", x->account_id, x->id);
    notify(m, payload);
}

/* Out of `pending`: no longer its conversation's live message. */
static void decided(struct model *m, struct model_message *x, enum model_state state)
{
    struct model_conversation *c = &m->conversations[x->conversation];
    x->state = state;
    if (c->live == (int)(x - m->messages))
        c->live = -1;
}

static void doubt(struct model_message *x)
{
    x->state = M_IN_DOUBT;
    JOURNAL("doubt %" PRId64 " %" PRId64 "\n", x->id, sim_now());
}

/* What comes after a message that is out of pending, in the same transaction. */
static void after_message(struct model *m, size_t message)
{
    struct model_message *x = &m->messages[message];
    struct model_conversation *c = &m->conversations[x->conversation];
    if (x->detached || !c->active)
        return;
    if (x->state == M_SENT && c->next < c->steps) {
        int64_t base = model_now(m) - x->due_us > LATE_US ? model_now(m) : x->due_us;
        schedule(m, (size_t)x->conversation, base + c->delay_us);
    } else {
        c->active = false;
        c->stop_seq = ++m->order_seq;
    }
}

/* --- people ---------------------------------------------------------------------------------------------------------- */

static size_t open_conversation(struct model *m, int64_t account_id, int steps, int64_t delay_us)
{
    if (m->conversation_count == m->conversation_room) {
        m->conversation_room = m->conversation_room > 0 ? 2 * m->conversation_room : 64;
        m->conversations = realloc(m->conversations, m->conversation_room * sizeof *m->conversations);
        assert(m->conversations != NULL);
    }
    m->conversations[m->conversation_count] = (struct model_conversation){
        .account_id = account_id, .active = true, .steps = steps, .delay_us = delay_us, .live = -1
    };
    return m->conversation_count++;
}

void model_start(struct model *m, size_t account, int steps, int64_t first_us, int64_t delay_us)
{
    size_t c = open_conversation(m, m->accounts[account], steps, delay_us);
    notify_set(m, schedule(m, c, model_now(m) + first_us));
}

/* Ends it; what is in flight cannot be called back, and is detached when the conversation is replaced. */
static void end_conversation(struct model *m, size_t conversation, bool replaced)
{
    struct model_conversation *c = &m->conversations[conversation];
    c->active = false;
    c->stop_seq = ++m->order_seq;
    JOURNAL("stop %zu %" PRId64, conversation, sim_now());
    for (size_t i = 0; i < m->message_count; i++) {
        struct model_message *x = &m->messages[i];
        if (x->conversation != (int)conversation || !is_pending(x))
            continue;
        if (x->state == M_SCHEDULED) {
            decided(m, x, M_CANCELLED);
            notify_set(m, x);
        } else {
            JOURNAL(" %" PRId64, x->id);
            x->detached |= replaced;
            if (x->state == M_SENDING)
                notify_set(m, x);
            if (replaced && c->live == (int)i)
                c->live = -1;
        }
    }
    JOURNAL("\n");
}

void model_stop(struct model *m, size_t conversation)
{
    if (m->conversations[conversation].active)
        end_conversation(m, conversation, false);
}

void model_restart(struct model *m, size_t conversation)
{
    struct model_conversation was = m->conversations[conversation];
    if (!was.active)
        return;
    end_conversation(m, conversation, true);
    size_t c = open_conversation(m, was.account_id, was.steps, was.delay_us);
    notify_set(m, schedule(m, c, model_now(m)));
}

void model_move(struct model *m, size_t message, int64_t due_us)
{
    struct model_message *x = &m->messages[message];
    if (x->state != M_SCHEDULED)
        return;
    x->due_us = due_us;
    JOURNAL("move %" PRId64 " %" PRId64 " %" PRId64 "\n", x->id, due_us - SIM_EPOCH_US, sim_now());
    notify_set(m, x);
}

void model_pause(struct model *m, size_t account, bool paused)
{
    char payload[PAYLOAD_BYTES];
    if (m->paused[account] == paused)
        return;
    m->paused[account] = paused;
    JOURNAL("%s %" PRId64 " %" PRId64, paused ? "pause" : "resume", m->accounts[account], sim_now());
    for (size_t i = 0; paused && i < m->message_count; i++) {
        if (m->messages[i].account_id == m->accounts[account] && is_pending(&m->messages[i]) &&
            m->messages[i].state != M_SCHEDULED)
            JOURNAL(" %" PRId64, m->messages[i].id);
    }
    JOURNAL("\n");
    snprintf(payload, sizeof payload, "r %" PRId64, m->accounts[account]);
    notify(m, payload);
}

/* --- leases ---------------------------------------------------------------------------------------------------------- */

static bool owns(const struct model *m, int worker, const struct shard_lease *l)
{
    const struct model_lease *row = &m->leases[l->shard];
    return row->owner == worker && row->epoch == l->epoch;
}

/* The lease of that shard, if the worker asked under it and has it still. */
static const struct model_lease *lease_of(const struct model *m, int worker, struct lease_set leases, int shard)
{
    for (size_t i = 0; i < leases.count; i++) {
        if (leases.leases[i].shard == shard && owns(m, worker, &leases.leases[i]))
            return &m->leases[shard];
    }
    return NULL;
}

static int preferred_owner(const struct model *m, int asking, int shard, int64_t ttl_us)
{
    int best = 0;
    uint64_t best_hash = 0;
    for (int w = 1; w <= m->worker_last; w++) {
        if (m->workers[w].beat_us == 0 || m->workers[w].draining ||
            (w != asking && m->workers[w].beat_us <= model_now(m) - ttl_us))
            continue;
        uint64_t hash = ((uint64_t)w * 64 + (uint64_t)shard + 1) * UINT64_C(0x9e3779b97f4a7c15);
        hash = (hash ^ hash >> 32) * UINT64_C(0xd6e8feb86659fd93);
        hash ^= hash >> 32;
        if (best == 0 || hash > best_hash) {
            best = w;
            best_hash = hash;
        }
    }
    return best;
}

static void doubt_orphans(struct model *m, int shard)
{
    for (size_t i = 0; i < m->message_count; i++) {
        struct model_message *x = &m->messages[i];
        if (x->state == M_SENDING && shard_of(x->account_id) == shard && x->epoch < m->leases[shard].epoch)
            doubt(x);
    }
}

size_t model_lease_acquire(struct model *m, int worker, int former, int64_t ttl_ms, struct shard_lease *rows)
{
    size_t count = 0;
    if (former > 0)
        m->workers[former].beat_us = 0;
    for (int s = 0; s < STORE_SHARDS; s++) {
        struct model_lease *l = &m->leases[s];
        int preferred = preferred_owner(m, worker, s, ttl_ms * MS);
        int64_t patience_us = preferred != 0 && preferred != worker ? ttl_ms * MS : 0;
        if (!(former > 0 && l->owner == former) && l->expires_us >= model_now(m) - patience_us)
            continue;
        *l = (struct model_lease){ worker, l->epoch + 1, model_now(m) + ttl_ms * MS };
        doubt_orphans(m, s);
        for (size_t i = 0; i < m->account_count; i++) {
            if (shard_of(m->accounts[i]) == s)
                JOURNAL("owner %" PRId64 " %d %" PRId64 "\n", m->accounts[i], worker, sim_now());
        }
        rows[count++] = (struct shard_lease){ .shard = s, .epoch = l->epoch };
    }
    return count;
}

size_t model_lease_renew(struct model *m, int worker, struct lease_set leases, int64_t ttl_ms, struct shard_lease *rows)
{
    size_t count = 0;
    for (size_t i = 0; i < leases.count; i++) {
        const struct shard_lease *asked = &leases.leases[i];
        if (!owns(m, worker, asked))
            continue;
        m->leases[asked->shard].expires_us = model_now(m) + ttl_ms * MS;
        int preferred = preferred_owner(m, worker, asked->shard, ttl_ms * MS);
        rows[count++] = (struct shard_lease){ asked->shard, asked->epoch, preferred != 0 && preferred != worker };
    }
    return count;
}

void model_lease_release(struct model *m, int worker, struct lease_set leases)
{
    bool any = false;
    for (size_t i = 0; i < leases.count; i++) {
        if (!owns(m, worker, &leases.leases[i]))
            continue;
        struct model_lease *l = &m->leases[leases.leases[i].shard];
        l->owner = 0;
        l->expires_us = model_now(m) - 1;
        any = true;
    }
    if (any)
        notify(m, "l");
}

void model_beat(struct model *m, int worker, bool draining)
{
    m->workers[worker] = (struct model_worker){ model_now(m), draining };
    if (worker > m->worker_last)
        m->worker_last = worker;
}

/* --- claims ------------------------------------------------------------------------------------------------------------ */

static void fill(const struct model_message *x, struct claim_row *row)
{
    *row = (struct claim_row){ .ref = ref_of(x),
                               .verdict = CLAIM_CLAIMED,
                               .due = { x->due_us },
                               .shard = shard_of(x->account_id),
                               .epoch = x->epoch,
                               .attempts = x->attempts,
                               .posts = x->posts,
                               .kind = "sequence",
                               .provider = "model",
                               .recipient = "lead@people.example",
                               .from_name = "Ada",
                               .from_address = "ada@firm.example",
                               .subject = "Hello",
                               .body_text = "Hello",
                               .fields = "{}",
                               .rfc_message_id = "<fu@firm.example>" };
}

static void begin_sending(struct model *m, struct model_message *x, int worker, int64_t epoch)
{
    if (!m->conversations[x->conversation].active)
        m->violations++;
    x->state = M_SENDING;
    x->claimed_by = worker;
    x->epoch = epoch;
    x->claimed_at_us = model_now(m);
    x->claim_seq = ++m->order_seq;
    x->posts++;
}

static enum claim_verdict claim_one(struct model *m, int worker, struct lease_set leases, struct message_ref ref,
                                    struct claim_row *row)
{
    struct model_message *x = find(m, ref);
    const struct model_lease *lease = lease_of(m, worker, leases, shard_of(ref.account_id));
    if (lease == NULL)
        return CLAIM_NOT_OURS;
    if (x == NULL || x->state != M_SCHEDULED)
        return CLAIM_GONE;
    if (x->due_us > model_now(m) + STORE_CLAIM_EARLY_MS_MAX * MS) {
        row->due.us = x->due_us;
        return CLAIM_MOVED;
    }
    if (sim_chance(m->busy))
        return CLAIM_BUSY;
    if (is_paused(m, x->account_id))
        return CLAIM_GONE;
    if (x->posts == 0) {
        x->attempts++;
        x->retried = 0;
        x->first_post_us = model_now(m);
    }
    begin_sending(m, x, worker, lease->epoch);
    fill(x, row);
    return CLAIM_CLAIMED;
}

void model_claim(struct model *m, int worker, struct lease_set leases, const struct message_ref *refs, size_t count,
                 struct claim_row *rows)
{
    for (size_t i = 0; i < count; i++) {
        rows[i] = (struct claim_row){ .ref = refs[i] };
        rows[i].verdict = claim_one(m, worker, leases, refs[i], &rows[i]);
    }
}

size_t model_claim_in_doubt(struct model *m, int worker, const struct in_doubt_request *r, struct claim_row *rows)
{
    size_t count = 0;
    for (size_t i = 0; i < m->message_count && r->provider_count > 0 && count < (size_t)r->places[0]; i++) {
        struct model_message *x = &m->messages[i];
        if (x->state != M_IN_DOUBT || x->detached || !m->conversations[x->conversation].active ||
            is_paused(m, x->account_id) || x->posts >= DOUBT_POSTS ||
            model_now(m) > x->first_post_us + r->key_window_ms[0] * MS ||
            model_now(m) < x->claimed_at_us + ((r->settle_after_ms * MS) << (x->posts < 8 ? x->posts - 1 : 7)))
            continue;
        const struct model_lease *lease = lease_of(m, worker, r->leases, shard_of(x->account_id));
        if (lease == NULL)
            continue;
        begin_sending(m, x, worker, lease->epoch);
        fill(x, &rows[count++]);
    }
    return count;
}

/* --- results ----------------------------------------------------------------------------------------------------------- */

static bool never_left(const struct model_message *x)
{
    return x->posts <= 1 || x->retried == x->posts - 1;
}

/* sending, and certainly not posted since its claim. */
static bool take_back(struct model *m, struct model_message *x, struct due_message *row)
{
    bool clean = never_left(x);
    x->attempts -= x->posts == 1;
    x->posts--;
    if (!clean)
        doubt(x);
    else if (x->detached || !m->conversations[x->conversation].active)
        decided(m, x, M_CANCELLED);
    else
        x->state = M_SCHEDULED;
    if (x->state != M_SCHEDULED)
        return false;
    *row = due_of(x);
    return true;
}

size_t model_unclaim(struct model *m, int worker, const struct send_result *claimed, size_t count,
                     struct due_message *rows)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        struct model_message *x = find(m, claimed[i].ref);
        if (x != NULL && x->state == M_SENDING && x->claimed_by == worker && x->epoch == claimed[i].epoch)
            n += take_back(m, x, &rows[n]);
    }
    return n;
}

static void record_retry(struct model *m, struct model_message *x, const struct send_result *r)
{
    bool clean = never_left(x);
    x->retried++;
    if (!clean) {
        doubt(x);
    } else if (x->detached || !m->conversations[x->conversation].active) {
        decided(m, x, M_CANCELLED);
    } else if (x->attempts >= ATTEMPTS_MAX && !r->uncounted) {
        decided(m, x, M_FAILED);
        JOURNAL("refuse %" PRId64 " %" PRId64 "\n", x->id, sim_now());
        after_message(m, (size_t)(x - m->messages));
    } else {
        int64_t tries = x->attempts + x->posts - 1;
        int64_t wait_us = r->retry_after_ms > 0 ? r->retry_after_ms * MS : SECOND << (tries < 12 ? tries : 12);
        x->state = M_SCHEDULED;
        x->due_us = model_now(m) + (wait_us < BACK_OFF_MAX_S * SECOND ? wait_us : BACK_OFF_MAX_S * SECOND);
        JOURNAL("move %" PRId64 " %" PRId64 " %" PRId64 "\n", x->id, x->due_us - SIM_EPOCH_US, sim_now());
        if (!r->uncounted)
            x->posts = 0;
    }
}

static bool take_result(struct model *m, int worker, struct lease_set leases, struct model_message *x,
                        const struct send_result *r)
{
    if (x->attempts != r->attempts || x->epoch != r->epoch)
        return false;
    size_t n = (size_t)(x - m->messages);
    bool open = x->state == M_SENDING || x->state == M_IN_DOUBT, this_post = x->posts == r->posts;
    switch (r->outcome) {
    case OUTCOME_SENT:
        if (open) {
            decided(m, x, M_SENT);
            after_message(m, n);
        }
        return m->messages[n].state == M_SENT;
    case OUTCOME_REJECTED:
        if (open && this_post) {
            decided(m, x, M_FAILED);
            after_message(m, n);
        }
        return m->messages[n].state == M_FAILED;
    case OUTCOME_RETRY:
        if (x->state == M_SENDING && this_post && x->claimed_by == worker &&
            lease_of(m, worker, leases, shard_of(x->account_id)) != NULL)
            record_retry(m, x, r);
        return m->messages[n].state != M_SENDING;
    case OUTCOME_IN_DOUBT:
        if (x->state == M_SENDING && this_post)
            doubt(x);
        return x->state == M_IN_DOUBT;
    }
    return false;
}

size_t model_record(struct model *m, int worker, struct lease_set leases, const struct send_result *results,
                    size_t count, struct recorded_row *rows)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        struct model_message *x = find(m, results[i].ref);
        if (x == NULL || sim_chance(m->busy))
            continue;
        size_t at = (size_t)(x - m->messages);
        struct recorded_row *row = &rows[n++];
        *row = (struct recorded_row){ .ref = results[i].ref };
        row->accepted = take_result(m, worker, leases, x, &results[i]);
        x = &m->messages[at]; /* planning may have moved them */
        int live = m->conversations[x->conversation].live;
        row->has_next = !x->detached && live >= 0 && m->messages[live].state == M_SCHEDULED;
        if (row->has_next)
            row->next = due_of(&m->messages[live]);
    }
    return n;
}

size_t model_sweep_sending(struct model *m, int worker, struct lease_set leases, const struct message_ref *in_flight,
                           size_t in_flight_count, int64_t mark, int64_t grace_ms, struct due_message *rows)
{
    size_t n = 0;
    for (size_t i = 0; i < m->message_count; i++) {
        struct model_message *x = &m->messages[i];
        if (x->state != M_SENDING)
            continue;
        const struct model_lease *lease = lease_of(m, worker, leases, shard_of(x->account_id));
        if (lease == NULL)
            continue;
        if (x->epoch < lease->epoch) {
            doubt(x);
            continue;
        }
        bool known = x->claimed_by != worker || x->claim_seq > mark || x->claimed_at_us >= model_now(m) - grace_ms * MS;
        for (size_t k = 0; k < in_flight_count && !known; k++)
            known = in_flight[k].message_id == x->id;
        if (!known)
            n += take_back(m, x, &rows[n]);
    }
    return n;
}

static bool is_over(const struct model *m, const struct model_message *x)
{
    return x->detached || !m->conversations[x->conversation].active;
}

/* Decided, whether it was sent; true: *row is due because of it. */
static bool settle_doubt(struct model *m, size_t message, bool sent, struct due_message *row)
{
    struct model_message *x = &m->messages[message];
    if (!sent && !is_over(m, x)) {
        x->state = M_SCHEDULED;
        x->posts = 0;
        x->due_us = model_now(m);
        JOURNAL("move %" PRId64 " %" PRId64 " %" PRId64 "\n", x->id, x->due_us - SIM_EPOCH_US, sim_now());
        *row = due_of(x);
        return true;
    }
    int conversation = x->conversation, before = m->conversations[conversation].live;
    decided(m, x, sent ? M_SENT : M_CANCELLED);
    after_message(m, message);
    int live = m->conversations[conversation].live;
    if (live < 0 || live == before)
        return false;
    *row = due_of(&m->messages[live]);
    return true;
}

size_t model_settle_by_policy(struct model *m, int worker, struct lease_set leases, int64_t policy_after_ms,
                              size_t count_max, struct due_message *rows)
{
    size_t n = 0, seen = 0, end = m->message_count;
    for (size_t i = 0; i < end && seen < count_max; i++) {
        struct model_message *x = &m->messages[i];
        if (x->state != M_IN_DOUBT || x->claimed_at_us >= model_now(m) - policy_after_ms * MS ||
            lease_of(m, worker, leases, shard_of(x->account_id)) == NULL ||
            (m->policy == POLICY_HOLD && !is_over(m, x)))
            continue;
        seen++;
        n += settle_doubt(m, i, m->policy == POLICY_ASSUME_SENT, &rows[n]);
    }
    return n;
}

/* --- look-ups ------------------------------------------------------------------------------------------------------------ */

size_t model_claim_look_ups(struct model *m, int worker, const struct look_up_request *r, struct look_up_row *rows)
{
    size_t count = 0;
    for (size_t i = 0; i < m->message_count && count < r->count_max && r->provider_count > 0; i++) {
        struct model_message *x = &m->messages[i];
        int looks = x->looked_key == x->attempts ? x->looks : 0;
        int64_t last_us = looks > 0 && x->looked_up_us > x->claimed_at_us ? x->looked_up_us : x->claimed_at_us;
        if (x->state != M_IN_DOUBT || lease_of(m, worker, r->leases, shard_of(x->account_id)) == NULL ||
            model_now(m) <= last_us + ((r->settle_after_ms * MS) << (looks < 6 ? looks : 6)))
            continue;
        x->looked_key = x->attempts;
        x->looks = looks + 1;
        x->looked_up_us = model_now(m);
        rows[count++] = (struct look_up_row){ .ref = ref_of(x),
                                              .attempts = x->attempts,
                                              .posts = x->posts,
                                              .provider = "model",
                                              .rfc_message_id = "<fu@firm.example>",
                                              .first_post_real = { x->first_post_us } };
    }
    return count;
}

size_t model_settle_looked_up(struct model *m, int worker, struct lease_set leases, const struct looked_up *answers,
                              size_t count, struct due_message *rows)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        const struct looked_up *a = &answers[i];
        struct model_message *x = find(m, a->ref);
        if (x == NULL || x->state != M_IN_DOUBT || x->attempts != a->attempts || x->posts != a->posts ||
            lease_of(m, worker, leases, shard_of(x->account_id)) == NULL || sim_chance(m->busy))
            continue;
        bool late_enough =
            a->proof_ms > 0 && x->looked_key == a->attempts && x->claimed_at_us < x->looked_up_us - a->proof_ms * MS;
        if (a->found || late_enough)
            n += settle_doubt(m, (size_t)(x - m->messages), a->found, &rows[n]);
    }
    return n;
}

/* --- reads --------------------------------------------------------------------------------------------------------------- */

size_t model_load(const struct model *m, const struct load_request *r, struct due_message *rows)
{
    size_t n = 0;
    for (size_t i = 0; i < m->message_count; i++) {
        const struct model_message *x = &m->messages[i];
        if (x->state != M_SCHEDULED || is_paused(m, x->account_id) || x->due_us >= r->until.us ||
            x->due_us < r->from.us || (r->account_id != 0 && x->account_id != r->account_id))
            continue;
        for (size_t s = 0; s < r->shard_count; s++) {
            if (r->shards[s] == shard_of(x->account_id))
                rows[n++] = due_of(x);
        }
    }
    return n;
}

static int by_due(const void *va, const void *vb)
{
    const struct due_message *a = va, *b = vb;
    if (a->due.us != b->due.us)
        return a->due.us < b->due.us ? -1 : 1;
    if (a->ref.account_id != b->ref.account_id)
        return a->ref.account_id < b->ref.account_id ? -1 : 1;
    return a->ref.message_id < b->ref.message_id ? -1 : a->ref.message_id > b->ref.message_id;
}

static int by_page(const void *pa, const void *pb)
{
    const struct due_message *a = pa, *b = pb;
    int shards = shard_of(a->ref.account_id) - shard_of(b->ref.account_id);
    return shards != 0 ? shards : by_due(a, b);
}

size_t model_sweep_due(const struct model *m, const struct sweep_request *r, struct due_message *rows)
{
    size_t n = 0;
    for (size_t i = 0; i < m->message_count && !m->blind; i++) {
        const struct model_message *x = &m->messages[i];
        struct due_message due = due_of(x);
        bool after = r->after.ref.account_id == 0 || by_page(&due, &r->after) > 0;
        if (x->state != M_SCHEDULED || is_paused(m, x->account_id) || x->due_us < r->from.us ||
            x->due_us >= r->until.us || !after)
            continue;
        for (size_t s = 0; s < r->leases.count; s++) {
            if (r->leases.leases[s].shard == shard_of(x->account_id))
                rows[n++] = due;
        }
    }
    qsort(rows, n, sizeof *rows, by_page);
    return n < r->count_max ? n : r->count_max;
}
