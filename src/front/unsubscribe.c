#include "unsubscribe.h"

#include <stdlib.h>
#include <string.h>

#include "followupd/base/buf.h"
#include "followupd/base/log.h"

#define PAGE_BYTES_MAX       16384
#define USER_AGENT_BYTES_MAX 256
#define TOKEN_BYTES          36

struct page {
    struct exchange *exchange;
    bool acts;
    void (*on_end)(void *arg);
    void *arg;
};

static const char head[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"robots\" content=\"noindex\">\n<title>%s</title>\n"
    "<style>:root{color-scheme:light dark}body{font:1.125rem/1.5 system-ui,sans-serif;max-width:34rem;margin:0 "
    "auto;padding:2rem 1rem;overflow-wrap:anywhere}"
    "button{font:inherit;padding:.6rem 1.2rem;min-height:44px;cursor:pointer}</style>\n</head>\n<body>\n<main>\n"
    "<h1>%s</h1>\n";
static const char foot[] = "</main>\n</body>\n</html>\n";

/* Text from the database into HTML. */
static enum status add_text(struct buf *out, const char *text)
{
    enum status st = OK;
    for (; *text != '\0' && st == OK; text++) {
        const char *entity = *text == '<'   ? "&lt;"
                             : *text == '>' ? "&gt;"
                             : *text == '&' ? "&amp;"
                             : *text == '"' ? "&quot;"
                                            : NULL;
        st = entity != NULL ? buf_text(out, entity) : buf_add(out, text, 1);
    }
    return st;
}

static enum status add_names(struct buf *out, const char *before, const char *address, const char *between,
                             const char *account, const char *after)
{
    enum status st = buf_text(out, before);
    if (st == OK)
        st = add_text(out, address);
    if (st == OK)
        st = buf_text(out, between);
    if (st == OK)
        st = add_text(out, account);
    return st == OK ? buf_text(out, after) : st;
}

static const char form[] = "<form method=\"post\">\n"
                           "<input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">\n"
                           "<button type=\"submit\">Unsubscribe</button>\n</form>\n";

/* state: NULL when the database did not answer. It may have done what it was asked. */
static enum status add_page(struct buf *out, const struct unsubscribe_state *state)
{
    const char *title = state == NULL         ? "Please try again"
                        : !state->found       ? "This link is not known"
                        : state->unsubscribed ? "Unsubscribed"
                                              : "Unsubscribe";
    enum status st = buf_format(out, head, title, title);
    if (st == OK && state == NULL)
        st = buf_text(out,
                      "<p>This did not work just now. Please press the button in a minute: it ends all messages from "
                      "whoever sent you this link, and pressing it twice does no harm.</p>\n");
    else if (st == OK && !state->found)
        st = buf_text(out,
                      "<p>It may have been cut when it was copied. Please open it from the message itself, or answer "
                      "that message with the word &ldquo;unsubscribe&rdquo;.</p>\n");
    else if (st == OK && state->unsubscribed)
        st = add_names(out, "<p role=\"status\"><strong>", state->address,
                       "</strong> gets no more messages from <strong>", state->account_name,
                       "</strong>. There is nothing else to do.</p>\n");
    else if (st == OK)
        st = add_names(out, "<p>The button ends all messages to <strong>", state->address, "</strong> from <strong>",
                       state->account_name, "</strong>. It takes effect at once.</p>\n");
    if (st == OK && (state == NULL || (state->found && !state->unsubscribed)))
        st = buf_text(out, form);
    return st == OK ? buf_text(out, foot) : st;
}

/* state: as of add_page. */
static void answer(struct exchange *x, const struct unsubscribe_state *state)
{
    const struct answer_header headers[] = {
        { "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
                                     "frame-ancestors 'none'; base-uri 'none'" },
        { "Referrer-Policy", "no-referrer" },
        { "X-Content-Type-Options", "nosniff" },
        { "X-Robots-Tag", "noindex" },
        { state == NULL ? "Retry-After" : NULL, ROUTE_RETRY_SECONDS },
        { NULL, NULL },
    };
    struct buf page;
    buf_init(&page, PAGE_BYTES_MAX);
    if (add_page(&page, state) == OK)
        exchange_answer(x, &(struct answer){ .http_status = state == NULL  ? 503
                                                            : state->found ? 200
                                                                           : 404,
                                             .content_type = "text/html; charset=utf-8",
                                             .headers = headers,
                                             .body = page.data,
                                             .body_bytes = page.used });
    else
        route_problem(x, 503, "Service Unavailable", "the page cannot be made now, come again", "");
    buf_fini(&page);
}

static void on_state(void *arg, enum status st, const struct err *e, const struct unsubscribe_state *state)
{
    struct page *p = arg;
    if (st != OK && st != E_CANCELLED && st != E_GONE)
        log_warn("unsubscribe_failed", kv("acts", p->acts), kv("reason", (const char *)e->text));
    answer(p->exchange, st == OK ? state : NULL);
    p->on_end(p->arg);
    free(p);
}

/* A UUID as text; others are nobody's token. */
static bool is_token(const char *text)
{
    return strlen(text) == TOKEN_BYTES && strspn(text, "0123456789abcdefABCDEF-") == TOKEN_BYTES;
}

/* A stranger's bytes; the database wants UTF-8. */
static void copy_user_agent(const char *text, char *ret)
{
    size_t i = 0;
    for (; text[i] != '\0' && i < USER_AGENT_BYTES_MAX; i++)
        ret[i] = text[i] < ' ' || text[i] > '~' ? '?' : text[i];
    ret[i] = '\0';
}

bool unsubscribe_request(struct store *store, struct exchange *x, const struct route_pieces *pieces, bool acts,
                         void (*on_end)(void *arg), void *arg)
{
    char user_agent[USER_AGENT_BYTES_MAX + 1];
    const char *told = exchange_header(x, "User-Agent");
    if (!is_token(pieces->text[0])) {
        answer(x, &(struct unsubscribe_state){ .found = false });
        return false;
    }
    if (told != NULL)
        copy_user_agent(told, user_agent);
    struct page *p = store != NULL ? malloc(sizeof *p) : NULL;
    if (p != NULL) {
        *p = (struct page){ x, acts, on_end, arg };
        if (store->ops->unsubscribe(store, pieces->text[0], told != NULL ? user_agent : NULL, acts, on_state, p) == OK)
            return true;
    }
    free(p);
    answer(x, NULL);
    return false;
}
