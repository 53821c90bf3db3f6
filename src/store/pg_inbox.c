/* Webhooks into the inbox, what they told into the rules, and the unsubscribe page. */
#include <string.h>

#include "pg_internal.h"

/* --- webhooks ------------------------------------------------------------------------------------------------- */

static const struct db_statement receive_statement = {
    "receive_webhooks", "SELECT verdict FROM followup.receive_webhooks($1::int8[], $2::text[], "
                        "$3::text[]::json[], $4::text[]) ORDER BY ord"
};
static const struct db_statement confirmation_statement = {
    "receive_confirmation", "SELECT followup.receive_confirmation($1::int8, $2::text, $3::jsonb)"
};

static enum webhook_stored verdict_of(const char *text)
{
    static const char *const texts[] = {
        [WEBHOOK_STORED] = "stored", [WEBHOOK_TOKEN_REUSED] = "token_reused", [WEBHOOK_NO_ACCOUNT] = "no_account"
    };
    for (size_t i = 0; text != NULL && i < COUNT_OF(texts); i++) {
        if (strcmp(text, texts[i]) == 0)
            return (enum webhook_stored)i;
    }
    return WEBHOOK_REFUSED;
}

static void on_received(struct db_query *q, enum status st, const struct err *e, const PGresult *res)
{
    struct pg_caller caller = pg_end(q);
    enum webhook_stored verdicts[STORE_BATCH_MAX];
    int count = 0;
    struct err why;
    if (st == OK) {
        st = db_result_check(res, "s", &why);
        e = &why;
    }
    if (st == OK && PQntuples(res) > STORE_BATCH_MAX)
        st = err_set(&why, E_DB, "receive_webhooks answered %d rows", PQntuples(res));
    if (st == OK)
        count = PQntuples(res);
    for (int i = 0; i < count; i++)
        verdicts[i] = verdict_of(db_text(res, i, 0));
    caller.cb.inbox(caller.arg, st, st == OK ? NULL : e, verdicts, (size_t)count);
}

enum status pg_receive_webhooks(struct store *base, const struct stored_webhook *webhooks, size_t count,
                                store_inbox_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    if (count > STORE_BATCH_MAX)
        return E_LIMIT;
    struct db_params p;
    db_params_init(&p);
    db_array(&p, DB_INT8, count);
    for (size_t i = 0; i < count; i++)
        db_element_i64(&p, webhooks[i].account_id);
    db_array(&p, DB_TEXT, count);
    for (size_t i = 0; i < count; i++)
        db_element_text(&p, webhooks[i].source);
    db_array(&p, DB_TEXT, count);
    for (size_t i = 0; i < count; i++)
        db_element_text(&p, webhooks[i].events);
    db_array(&p, DB_TEXT, count);
    for (size_t i = 0; i < count; i++)
        db_element_text(&p, webhooks[i].token);
    return pg_start(s, PG_INBOX, &receive_statement, &p, (struct pg_caller){ { .inbox = cb }, arg }, on_received);
}

enum status pg_receive_confirmation(struct store *base, const struct stored_webhook *confirmation, store_inbox_cb cb,
                                    void *arg)
{
    struct store_pg *s = pg_of(base);
    struct db_params p;
    db_params_init(&p);
    db_add_i64(&p, confirmation->account_id);
    db_add_text(&p, confirmation->source);
    db_add_text(&p, confirmation->events);
    return pg_start(s, PG_INBOX, &confirmation_statement, &p, (struct pg_caller){ { .inbox = cb }, arg }, on_received);
}

/* --- what they told ------------------------------------------------------------------------------------------- */

static const struct db_statement apply_statement = {
    "apply_inbox", "SELECT applied, unmatched, failed, fresh, more FROM followup.apply_inbox($1::int4)"
};

static void on_applied(struct db_query *q, enum status st, const struct err *e, const PGresult *res)
{
    struct pg_caller caller = pg_end(q);
    struct inbox_applied applied = { 0 };
    struct err why;
    if (st == OK) {
        st = db_result_check(res, "iiiib", &why);
        e = &why;
    }
    for (int i = 0; st == OK && i < PQntuples(res); i++) {
        applied.applied += db_i32(res, i, 0);
        applied.unmatched += db_i32(res, i, 1);
        applied.failed += db_i32(res, i, 2);
        applied.fresh += db_i32(res, i, 3);
        applied.more = applied.more || db_bool(res, i, 4);
    }
    caller.cb.applied(caller.arg, st, st == OK ? NULL : e, &applied);
}

enum status pg_apply_inbox(struct store *base, int count_max, store_applied_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    if (s->applying)
        return E_BUSY;
    struct db_params p;
    db_params_init(&p);
    db_add_i32(&p, count_max);
    return pg_start(s, PG_APPLY, &apply_statement, &p, (struct pg_caller){ { .applied = cb }, arg, &s->applying },
                    on_applied);
}

/* --- the unsubscribe page --------------------------------------------------------------------------------------- */

static const struct db_statement page_statement = {
    "unsubscribe_page", "SELECT account_name, address, unsubscribed FROM followup.unsubscribe_page($1::text, $2::text)"
};
static const struct db_statement act_statement = {
    "unsubscribe_by_token",
    "SELECT account_name, address, unsubscribed FROM followup.unsubscribe_by_token($1::text, $2::text)"
};

static void on_unsubscribe(struct db_query *q, enum status st, const struct err *e, const PGresult *res)
{
    struct pg_caller caller = pg_end(q);
    struct unsubscribe_state state = { 0 };
    struct err why;
    if (st == OK) {
        st = db_result_check(res, "ssb", &why);
        e = &why;
    }
    if (st == OK && PQntuples(res) > 0)
        state = (struct unsubscribe_state){ true, db_bool(res, 0, 2), db_text(res, 0, 0), db_text(res, 0, 1) };
    caller.cb.unsubscribe(caller.arg, st, st == OK ? NULL : e, &state);
}

enum status pg_unsubscribe(struct store *base, const char *token, const char *user_agent, bool acts,
                           store_unsubscribe_cb cb, void *arg)
{
    struct store_pg *s = pg_of(base);
    struct db_params p;
    db_params_init(&p);
    db_add_text(&p, token);
    db_add_text(&p, user_agent);
    return pg_start(s, PG_PAGES, acts ? &act_statement : &page_statement, &p,
                    (struct pg_caller){ { .unsubscribe = cb }, arg }, on_unsubscribe);
}
