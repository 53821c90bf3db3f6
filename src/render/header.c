#include "followupd/render/header.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "followupd/base/buf.h"
#include "followupd/base/utf8.h"

static const char *control_name(unsigned char c)
{
    return c == '\r' ? "a carriage return" : c == '\n' ? "a line feed" : "a control character";
}

enum status header_check(const char *what, const char *text, struct err *e)
{
    size_t bytes = strnlen(text, HEADER_BYTES_MAX + 1);
    if (bytes > HEADER_BYTES_MAX)
        return err_set(e, E_INVALID, "%s is over %d bytes", what, HEADER_BYTES_MAX);
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        bool c1 = c == 0xc2 && (unsigned char)text[i + 1] >= 0x80 && (unsigned char)text[i + 1] <= 0x9f;
        if (c < ' ' || c == 0x7f || c1)
            return err_set(e, E_INVALID, "%s holds %s at byte %zu", what, control_name(c), i + 1);
    }
    return utf8_valid(text, bytes) ? OK : err_set(e, E_INVALID, "%s is not UTF-8", what);
}

/* ---- addresses ---- */

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* RFC 5322 atext, without letters beyond ASCII. */
static bool is_atext(char c)
{
    return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Atoms with single dots between them. */
static bool is_dot_atom(const char *s, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        bool dot = s[i] == '.' && i > 0 && i + 1 < bytes && s[i - 1] != '.';
        if (!dot && !is_atext(s[i]))
            return false;
    }
    return bytes > 0;
}

static bool is_label(const char *s, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        bool inner_hyphen = s[i] == '-' && i > 0 && i + 1 < bytes;
        if (!inner_hyphen && !is_alnum(s[i]))
            return false;
    }
    return bytes >= 1 && bytes <= 63;
}

static bool is_domain(const char *domain)
{
    size_t labels = 0;
    for (const char *s = domain;; labels++) {
        size_t bytes = strcspn(s, ".");
        if (!is_label(s, bytes))
            return false;
        if (s[bytes] == '\0')
            return labels >= 1;
        s += bytes + 1;
    }
}

enum status header_address_check(const char *what, const char *address, struct err *e)
{
    enum status st = header_check(what, address, e);
    if (st != OK)
        return st;
    const char *at = strchr(address, '@');
    if (at == NULL || strchr(at + 1, '@') != NULL)
        return err_set(e, E_INVALID, "%s is not one address: it needs exactly one @", what);
    size_t local_bytes = (size_t)(at - address);
    if (local_bytes > LOCAL_BYTES_MAX)
        return err_set(e, E_INVALID, "%s has more than %d bytes before its @", what, LOCAL_BYTES_MAX);
    if (!is_dot_atom(address, local_bytes))
        return err_set(e, E_INVALID, "%s is not an address: wrong before its @", what);
    if (strlen(at + 1) > DOMAIN_BYTES_MAX)
        return err_set(e, E_INVALID, "%s has more than %d bytes after its @", what, DOMAIN_BYTES_MAX);
    if (!is_domain(at + 1))
        return err_set(e, E_INVALID, "%s is not an address: wrong after its @", what);
    return OK;
}

static enum status add_mailbox(struct buf *out, const char *name, const char *address)
{
    enum status st = buf_text(out, "\"");
    for (const char *c = name; st == OK && *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            st = buf_text(out, "\\");
        if (st == OK)
            st = buf_add(out, c, 1);
    }
    return st == OK ? buf_format(out, "\" <%s>", address) : st;
}

/* Hands over what was written, or the failure with its text. */
static enum status take(const char *what, struct buf *out, enum status st, char **ret, struct err *e)
{
    if (st == OK) {
        char *text = buf_take(out);
        if (text == NULL)
            st = E_NOMEM;
        else
            *ret = text;
    }
    buf_fini(out);
    if (st == E_LIMIT)
        return err_set(e, E_INVALID, "%s is over %zu bytes", what, out->bytes_max);
    return st == OK ? OK : err_set(e, st, "%s: %s", what, status_text(st));
}

enum status header_mailbox(const char *what, const char *name, const char *address, char **ret, struct err *e)
{
    struct buf out;
    enum status st = header_address_check(what, address, e);
    if (st == OK && name != NULL)
        st = header_check(what, name, e);
    if (st != OK)
        return st;
    buf_init(&out, HEADER_BYTES_MAX);
    st = name == NULL || *name == '\0' ? buf_text(&out, address) : add_mailbox(&out, name, address);
    return take(what, &out, st, ret, e);
}

/* ---- ids and URLs ---- */

static bool is_id(const char *id, size_t bytes)
{
    size_t ats = 0;
    if (bytes < 5 || id[0] != '<' || id[bytes - 1] != '>' || id[1] == '@' || id[bytes - 2] == '@')
        return false;
    for (size_t i = 1; i + 1 < bytes; i++) {
        if (id[i] <= ' ' || id[i] >= 0x7f || id[i] == '<' || id[i] == '>')
            return false;
        ats += id[i] == '@';
    }
    return ats == 1;
}

enum status header_message_id_check(const char *what, const char *id, struct err *e)
{
    enum status st = header_check(what, id, e);
    if (st != OK)
        return st;
    return is_id(id, strlen(id)) ? OK : err_set(e, E_INVALID, "%s is not a message id of the form <left@right>", what);
}

/* Ids of a References line, found one by one; borrowed. */
struct id_span {
    const char *at;
    size_t bytes;
};

static struct id_span id_next(const char *from)
{
    from += strspn(from, " \t");
    return (struct id_span){ from, strcspn(from, " \t") };
}

static enum status references_check(const char *references, struct err *e)
{
    if (strnlen(references, REFERENCES_BYTES_MAX + 1) > REFERENCES_BYTES_MAX)
        return err_set(e, E_INVALID, "references is over %d bytes", REFERENCES_BYTES_MAX);
    for (struct id_span id = id_next(references); id.bytes > 0; id = id_next(id.at + id.bytes)) {
        if (id.bytes > HEADER_BYTES_MAX || !is_id(id.at, id.bytes))
            return err_set(e, E_INVALID, "references holds something that is not a message id at byte %zu",
                           (size_t)(id.at - references) + 1);
    }
    return OK;
}

static enum status add_id(struct buf *out, struct id_span id, const char *but)
{
    if (but != NULL && strlen(but) == id.bytes && memcmp(but, id.at, id.bytes) == 0)
        return OK;
    return buf_format(out, "%s%.*s", out->used > 0 ? " " : "", (int)id.bytes, id.at);
}

/* The first id, which names the thread, then the newest of the others that fit into `room` bytes, oldest first. */
static enum status add_ids(struct buf *out, const char *references, size_t room, const char *but)
{
    struct id_span first = id_next(references), id;
    size_t rest_bytes = 0;
    if (first.bytes == 0 || first.bytes > room)
        return OK;
    room -= first.bytes;
    enum status st = add_id(out, first, but);
    for (id = id_next(first.at + first.bytes); id.bytes > 0; id = id_next(id.at + id.bytes))
        rest_bytes += id.bytes + 1;
    for (id = id_next(first.at + first.bytes); st == OK && id.bytes > 0; id = id_next(id.at + id.bytes)) {
        if (rest_bytes <= room)
            st = add_id(out, id, but);
        else
            rest_bytes -= id.bytes + 1;
    }
    return st;
}

enum status header_references(const char *references, const char *in_reply_to, char **ret, struct err *e)
{
    struct buf out;
    enum status st = references != NULL ? references_check(references, e) : OK;
    if (st == OK && in_reply_to != NULL)
        st = header_message_id_check("in_reply_to", in_reply_to, e);
    if (st != OK)
        return st;
    buf_init(&out, HEADER_BYTES_MAX);
    size_t last_bytes = in_reply_to != NULL ? strlen(in_reply_to) + 1 : 0;
    if (references != NULL && last_bytes <= HEADER_BYTES_MAX)
        st = add_ids(&out, references, HEADER_BYTES_MAX - last_bytes, in_reply_to);
    if (st == OK && in_reply_to != NULL)
        st = buf_format(&out, "%s%s", out.used > 0 ? " " : "", in_reply_to);
    if (st == OK && out.used == 0) {
        *ret = NULL;
        buf_fini(&out);
        return OK;
    }
    return take("references", &out, st, ret, e);
}

enum status header_url_check(const char *what, const char *url, struct err *e)
{
    enum status st = header_check(what, url, e);
    if (st != OK)
        return st;
    size_t scheme = strncasecmp(url, "https://", 8) == 0 ? 8 : strncasecmp(url, "http://", 7) == 0 ? 7 : 0;
    if (scheme == 0 || url[scheme] == '\0')
        return err_set(e, E_INVALID, "%s is not an http or https URL", what);
    for (const char *c = url; *c != '\0'; c++) {
        if (*c <= ' ' || *c >= 0x7f || strchr("<>\"\\", *c) != NULL)
            return err_set(e, E_INVALID, "%s is not a URL: wrong at byte %zu", what, (size_t)(c - url) + 1);
    }
    return OK;
}
