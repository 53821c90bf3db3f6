/* claim, claim_in_doubt, unclaim. */
#include <stdlib.h>
#include <string.h>

#include "pg_internal.h"

#define CLAIM_COLUMNS                                                                                                  \
    "SELECT account_id, message_id, verdict::text, due_at, shard, epoch, attempts, posts, kind::text, provider, "      \
    "recipient, from_name, from_address, reply_to, subject, body_text, body_html, fields::text, rfc_message_id, "      \
    "in_reply_to, refs, unsubscribe_token::text, payload::text, first_name, last_name, company, country, email, "      \
    "assistant_name, assistant_title, assistant_signature, assistant_email, rep_name, rep_email, rep_phone, "          \
    "postal_address FROM "
#define CLAIM_TYPES "llstiliissssssssssssssssssssssssssss"
#define FIRST_TEXT  8
#define FIRST_TAG   23

static const struct db_statement claim_statement = {
    "claim_messages",
    CLAIM_COLUMNS "followup.claim_messages($1::uuid, $2::int4[], $3::int8[], $4::int8[], $5::int8[], $6::text)"
};

static const struct db_statement claim_in_doubt_statement = {
    "claim_in_doubt", CLAIM_COLUMNS "followup.claim_in_doubt($1::uuid, $2::int4[], $3::int8[], $4::text[], "
                                    "$5::int8[], $6::int4[], $7::int8, $8::text)"
};

static const struct db_statement unclaim_statement = {
    "unclaim_messages", "SELECT account_id, message_id, due_at "
                        "FROM followup.unclaim_messages($1::uuid, $2::int8[], $3::int8[], $4::int8[])"
};

static enum status read_verdict(const char *label, enum claim_verdict *ret, struct err *e)
{
    for (int v = CLAIM_CLAIMED; label != NULL && v <= CLAIM_NOT_OURS; v++) {
        if (strcmp(label, claim_verdict_label(v)) == 0) {
            *ret = v;
            return OK;
        }
    }
    return err_set(e, E_DB, "the claim answered a verdict we do not know: %s", label != NULL ? label : "NULL");
}

static enum status read_row(const PGresult *res, int row, void *ret_row, struct err *e)
{
    struct claim_row *ret = ret_row;
    enum status st = read_verdict(db_text(res, row, 2), &ret->verdict, e);
    if (st != OK)
        return st;
    ret->ref = (struct message_ref){ db_i64(res, row, 0), db_i64(res, row, 1) };
    ret->due = db_wall(res, row, 3);
    ret->shard = db_i32(res, row, 4);
    ret->epoch = db_i64(res, row, 5);
    ret->attempts = db_i32(res, row, 6);
    ret->posts = db_i32(res, row, 7);
    const char **texts[] = { &ret->kind,       &ret->provider,          &ret->recipient,
                             &ret->from_name,  &ret->from_address,      &ret->reply_to,
                             &ret->subject,    &ret->body_text,         &ret->body_html,
                             &ret->fields,     &ret->rfc_message_id,    &ret->in_reply_to,
                             &ret->references, &ret->unsubscribe_token, &ret->payload };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        *texts[i] = db_text(res, row, FIRST_TEXT + (int)i);
    for (size_t i = 0; i < CLAIM_TAGS; i++)
        ret->tags[i] = db_text(res, row, FIRST_TAG + (int)i);
    return OK;
}

static void on_claim(struct db_query *q, enum status st, const struct err *e, const PGresult *res)
{
    struct pg_caller caller = pg_end(q);
    void *rows = NULL;
    size_t count = 0;
    struct err why;
    if (st == OK) {
        st = pg_read_rows(res, CLAIM_TYPES, sizeof(struct claim_row), read_row, &rows, &count, &why);
        e = &why;
    }
    caller.cb.claim(caller.arg, st, st == OK ? NULL : e, rows, count);
    free(rows);
}

enum status pg_claim(struct store *base, struct lease_set leases, const struct message_ref *refs, size_t count,
                     store_claim_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    if (count > STORE_BATCH_MAX)
        return E_LIMIT;
    struct db_params p;
    db_params_init(&p);
    db_add_text(&p, s->config.worker);
    pg_add_leases(&p, leases);
    pg_add_refs(&p, refs, count);
    db_add_text(&p, s->config.default_provider);
    return pg_start(s, PG_CLAIMS, &claim_statement, &p, (struct pg_caller){ { .claim = cb }, arg }, on_claim);
}

enum status pg_claim_in_doubt(struct store *base, const struct in_doubt_request *r, store_claim_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    int places = 0;
    for (size_t i = 0; i < r->provider_count; i++)
        places += r->places[i];
    if (places > STORE_BATCH_MAX)
        return E_LIMIT;
    struct db_params p;
    db_params_init(&p);
    db_add_text(&p, s->config.worker);
    pg_add_leases(&p, r->leases);
    pg_add_texts(&p, r->providers, r->provider_count);
    db_array(&p, DB_INT8, r->provider_count);
    for (size_t i = 0; i < r->provider_count; i++)
        db_element_i64(&p, r->key_window_ms[i]);
    db_array(&p, DB_INT4, r->provider_count);
    for (size_t i = 0; i < r->provider_count; i++)
        db_element_i32(&p, r->places[i]);
    db_add_i64(&p, r->settle_after_ms);
    db_add_text(&p, s->config.default_provider);
    return pg_start(s, PG_CLAIMS, &claim_in_doubt_statement, &p, (struct pg_caller){ { .claim = cb }, arg }, on_claim);
}

enum status pg_unclaim(struct store *base, const struct send_result *claimed, size_t count, store_due_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    if (count > STORE_BATCH_MAX)
        return E_LIMIT;
    struct db_params p;
    db_params_init(&p);
    db_add_text(&p, s->config.worker);
    db_array(&p, DB_INT8, count);
    for (size_t i = 0; i < count; i++)
        db_element_i64(&p, claimed[i].ref.account_id);
    db_array(&p, DB_INT8, count);
    for (size_t i = 0; i < count; i++)
        db_element_i64(&p, claimed[i].ref.message_id);
    db_array(&p, DB_INT8, count);
    for (size_t i = 0; i < count; i++)
        db_element_i64(&p, claimed[i].epoch);
    return pg_start(s, PG_RESULTS, &unclaim_statement, &p, (struct pg_caller){ { .due = cb }, arg }, pg_on_due);
}
