#include "suppressed.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "routes.h"
#include "server.h"

struct entry {
    const struct api *api;
    enum people_act what;
    int64_t at_us;
    char *address, *text; /* owned; text may be NULL */
};

struct suppressed {
    struct entry *entries;
    size_t count, room;
};

struct suppressed *suppressed_new(void)
{
    return calloc(1, sizeof(struct suppressed));
}

void suppressed_free(struct suppressed *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->count; i++) {
        free(s->entries[i].address);
        free(s->entries[i].text);
    }
    free(s->entries);
    free(s);
}

bool suppressed_lists(const struct api *api, enum people_act what)
{
    return api != NULL && api != &api_resend && what != PEOPLE_REPLY && (api != &api_ses || what != PEOPLE_UNSUBSCRIBE);
}

enum status suppressed_add(struct suppressed *s, const struct api *api, enum people_act what, const char *address,
                           const char *text, int64_t at_us, struct err *e)
{
    if (!suppressed_lists(api, what))
        return err_set(e, E_INVALID, "act: its provider has no list of these");
    if (s->count == SUPPRESSED_MAX)
        return err_set(e, E_LIMIT, "the sandbox suppresses no more than %d", SUPPRESSED_MAX);
    if (s->count == s->room) {
        size_t room = s->room > 0 ? s->room * 2 : 64;
        struct entry *larger = realloc(s->entries, room * sizeof *larger);
        if (larger == NULL)
            return err_set(e, E_NOMEM, "out of memory");
        s->entries = larger;
        s->room = room;
    }
    struct entry added = { api, what, at_us, strdup(address), text != NULL ? strdup(text) : NULL };
    if (added.address == NULL || (text != NULL && added.text == NULL)) {
        free(added.address);
        free(added.text);
        return err_set(e, E_NOMEM, "out of memory");
    }
    s->entries[s->count++] = added;
    return OK;
}

/* --- a page ---------------------------------------------------------------------------------------------------------- */

struct page {
    const struct api *api;
    enum people_act what; /* PEOPLE_NOTHING: all of them */
    int64_t since_us, skip, limit;
    bool more; /* set by list */
    json_t *(*show)(const struct entry *entry);
};

/* Owned by the caller. */
static json_t *list(const struct provider *p, struct page *page)
{
    json_t *rows = json_array();
    if (page->api != &api_postmark && page->limit > p->list_page_max) /* that one has no pages */
        page->limit = p->list_page_max;
    for (size_t i = 0; i < p->suppressed->count; i++) {
        const struct entry *e = &p->suppressed->entries[i];
        if (e->api != page->api || (page->what != PEOPLE_NOTHING && e->what != page->what) || e->at_us < page->since_us)
            continue;
        if (page->skip-- > 0)
            continue;
        page->more = (int64_t)json_array_size(rows) == page->limit;
        if (page->more)
            break;
        json_array_append_new(rows, page->show(e));
    }
    return rows;
}

static int64_t number(const struct exchange *x, const char *name, int64_t otherwise)
{
    const char *text = exchange_query(x, name);
    return text != NULL ? strtoll(text, NULL, 10) : otherwise;
}

static const char *said(const struct entry *e)
{
    return e->text != NULL ? e->text : "550 5.1.1 The email account that you tried to reach does not exist";
}

static const char *last_segment(const struct exchange *x)
{
    return strrchr(exchange_path(x), '/') + 1;
}

/* The segment's act: spam_reports, complaints. */
static enum people_act act_of(const char *segment)
{
    if (strcmp(segment, "bounces") == 0)
        return PEOPLE_BOUNCE;
    return strcmp(segment, "unsubscribes") == 0 ? PEOPLE_UNSUBSCRIBE : PEOPLE_COMPLAIN;
}

/* --- SendGrid --------------------------------------------------------------------------------------------------------- */

static json_t *show_sendgrid(const struct entry *e)
{
    json_int_t created = e->at_us / 1000000;
    if (e->what == PEOPLE_BOUNCE)
        return json_pack("{s:I,s:s,s:s,s:s}", "created", created, "email", e->address, "reason", said(e), "status",
                         e->text == NULL ? "5.1.1" : "");
    if (e->what == PEOPLE_COMPLAIN)
        return json_pack("{s:I,s:s,s:s}", "created", created, "email", e->address, "ip", "192.0.2.1");
    return json_pack("{s:I,s:s}", "created", created, "email", e->address);
}

void suppressed_sendgrid(void *context, struct exchange *x)
{
    struct page page = { &api_sendgrid,          act_of(last_segment(x)), number(x, "start_time", 0) * 1000000,
                         number(x, "offset", 0), number(x, "limit", 500), false,
                         show_sendgrid };
    if (provider_lets_in(context, x, &api_sendgrid))
        api_answer(x, MHD_HTTP_OK, list(context, &page));
}

/* --- Mailgun ---------------------------------------------------------------------------------------------------------- */

static json_t *show_mailgun(const struct entry *e)
{
    time_t seconds = (time_t)(e->at_us / 1000000);
    struct tm utc;
    char at[64];
    gmtime_r(&seconds, &utc);
    strftime(at, sizeof at, "%a, %d %b %Y %H:%M:%S UTC", &utc);
    if (e->what == PEOPLE_BOUNCE)
        return json_pack("{s:s,s:s,s:s,s:s}", "address", e->address, "code", "550", "error", said(e), "created_at", at);
    if (e->what == PEOPLE_UNSUBSCRIBE)
        return json_pack("{s:s,s:[s],s:s}", "address", e->address, "tags", "*", "created_at", at);
    return json_pack("{s:s,s:s}", "address", e->address, "created_at", at);
}

/* The next page is named after the last, and always: behind the end it is empty. Its address is the provider's, which a
 * client behind another one never reaches. */
void suppressed_mailgun(void *context, struct exchange *x)
{
    char next[512];
    int64_t place = number(x, "address", 0);
    struct page page = {
        &api_mailgun, act_of(last_segment(x)), 0, place, number(x, "limit", 100), false, show_mailgun
    };
    if (!provider_lets_in(context, x, &api_mailgun))
        return;
    json_t *items = list(context, &page);
    snprintf(next, sizeof next, "https://api.mailgun.net%s?page=next&address=%" PRId64 "&limit=%" PRId64,
             exchange_path(x), place + (int64_t)json_array_size(items), page.limit);
    api_answer(
        x, MHD_HTTP_OK,
        json_pack("{s:o,s:{s:s,s:s}}", "items", items, "paging", "next", next, "first", "https://api.mailgun.net"));
}

/* --- Postmark --------------------------------------------------------------------------------------------------------- */

static json_t *show_postmark(const struct entry *e)
{
    static const char *const reasons[PEOPLE_ACTS] = {
        [PEOPLE_BOUNCE] = "HardBounce", [PEOPLE_COMPLAIN] = "SpamComplaint", [PEOPLE_UNSUBSCRIBE] = "ManualSuppression"
    };
    char at[40];
    api_time(e->at_us, at, sizeof at);
    return json_pack("{s:s,s:s,s:s,s:s}", "EmailAddress", e->address, "SuppressionReason", reasons[e->what], "Origin",
                     "Recipient", "CreatedAt", at);
}

void suppressed_postmark(void *context, struct exchange *x)
{
    struct page page = { &api_postmark, PEOPLE_NOTHING, 0, 0, SUPPRESSED_MAX, false, show_postmark };
    const char *from = exchange_query(x, "fromdate");
    struct tm day = { 0 };
    if (!provider_lets_in(context, x, &api_postmark))
        return;
    if (from != NULL && strptime(from, "%Y-%m-%d", &day) == NULL) {
        api_postmark.refuse(x, API_INVALID, "fromdate: is no date", -1);
        return;
    }
    if (from != NULL)
        page.since_us = (int64_t)timegm(&day) * 1000000;
    api_answer(x, MHD_HTTP_OK, json_pack("{s:o}", "Suppressions", list(context, &page)));
}

/* --- SES -------------------------------------------------------------------------------------------------------------- */

static json_t *show_ses(const struct entry *e)
{
    return json_pack("{s:s,s:s,s:f}", "EmailAddress", e->address, "Reason",
                     e->what == PEOPLE_BOUNCE ? "BOUNCE" : "COMPLAINT", "LastUpdateTime", (double)e->at_us / 1e6);
}

void suppressed_ses(void *context, struct exchange *x)
{
    char token[40];
    struct page page = { &api_ses, PEOPLE_NOTHING, 0, number(x, "NextToken", 0), number(x, "PageSize", 100),
                         false,    show_ses };
    const char *from = exchange_query(x, "StartDate");
    struct tm start = { 0 };
    if (!provider_lets_in(context, x, &api_ses))
        return;
    if (from != NULL && strptime(from, "%Y-%m-%dT%H:%M:%SZ", &start) != NULL)
        page.since_us = (int64_t)timegm(&start) * 1000000;
    int64_t skipped = page.skip;
    json_t *rows = list(context, &page);
    snprintf(token, sizeof token, "%" PRId64, skipped + (int64_t)json_array_size(rows));
    api_answer(x, MHD_HTTP_OK,
               json_pack("{s:o,s:s*}", "SuppressedDestinationSummaries", rows, "NextToken", page.more ? token : NULL));
}
