#include "followupd/render/message.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/buf.h"
#include "followupd/render/header.h"
#include "followupd/render/template.h"

/* ---- templates ---- */

/* Adds the field's name in brackets to a template's error. */
static enum status render_field(const char *field, const char *text, enum template_mode mode, const json_t *values,
                                char **ret, struct err *e)
{
    struct err inner = { "" };
    enum status st = template_render(text, mode, values, ret, &inner);
    return st == OK ? OK : err_set(e, st, "%s (%s)", inner.text, field);
}

static enum status render_subject(const struct render_input *in, char **ret, struct err *e)
{
    enum status st = render_field("subject", in->subject, TEMPLATE_TEXT, in->values, ret, e);
    if (st != OK)
        return st;
    if ((*ret)[strspn(*ret, " \t\r\n")] == '\0')
        return err_set(e, E_INVALID, "it is blank (subject)");
    return header_check("subject", *ret, e);
}

/* ---- the footer ---- */

#define TEXT_FOOTER_LINK    "Unsubscribe: {{unsubscribe_link}}\n"
#define TEXT_FOOTER_ADDRESS "{{postal_address}}\n"
#define HTML_FOOTER_LINK    "<a href=\"{{unsubscribe_link}}\">Unsubscribe</a><br>\n"
#define HTML_FOOTER_ADDRESS "<span style=\"white-space:pre-line\">{{postal_address}}</span>\n"

static bool needs(const char *template, const json_t *values, const char *name)
{
    return template_has_value(values, name) && (strstr(template, name) == NULL || !template_uses(template, name));
}

/* The last </body> in any case of letters, or the end. */
static const char *before_body_end(const char *html)
{
    const char *end = html + strlen(html);
    for (const char *at = strcasestr(html, "</body>"); at != NULL; at = strcasestr(at + 1, "</body>"))
        end = at;
    return end;
}

/* The template with the footer it lacks, itself a template. */
static enum status with_footer(const char *template, enum template_mode mode, const json_t *values, struct buf *out)
{
    bool html = mode == TEMPLATE_HTML;
    bool link = needs(template, values, "unsubscribe_link"), address = needs(template, values, "postal_address");
    const char *rest = html ? before_body_end(template) : template + strlen(template);
    enum status st = buf_add(out, template, (size_t)(rest - template));
    if (st == OK && (link || address))
        st = buf_text(out, html ? "\n<p>" : "\n\n-- \n");
    if (st == OK && link)
        st = buf_text(out, html ? HTML_FOOTER_LINK : TEXT_FOOTER_LINK);
    if (st == OK && address)
        st = buf_text(out, html ? HTML_FOOTER_ADDRESS : TEXT_FOOTER_ADDRESS);
    if (st == OK && html && (link || address))
        st = buf_text(out, "</p>\n");
    return st == OK ? buf_text(out, rest) : st;
}

static enum status render_body(const char *field, const char *template, enum template_mode mode, const json_t *values,
                               char **ret, struct err *e)
{
    struct buf whole;
    struct err inner = { "" };
    buf_init(&whole, TEMPLATE_BYTES_MAX);
    enum status st = with_footer(template, mode, values, &whole);
    if (st == OK)
        st = render_field(field, whole.data != NULL ? whole.data : "", mode, values, ret, e);
    else
        err_set(e, st, "%s with its footer (%s)", status_text(st), field);
    buf_fini(&whole);
    /* What is wrong with the template alone is said first, at the position that its author counts. */
    enum status alone = st == OK ? OK : template_check(template, NULL, NULL, &inner);
    return alone == OK ? st : err_set(e, alone, "%s (%s)", inner.text, field);
}

/* ---- headers ---- */

static enum status headers_set(json_t *headers, const char *name, const char *value, struct err *e)
{
    enum status st = header_check(name, value, e); /* whatever checked it before */
    if (st != OK)
        return st;
    if (json_object_set_new(headers, name, json_string(value)) != 0)
        return err_set(e, E_NOMEM, "out of memory (%s)", name);
    return OK;
}

static enum status headers_set_thread(json_t *headers, const struct render_input *in, struct err *e)
{
    char *references = NULL;
    enum status st = header_message_id_check("rfc_message_id", in->rfc_message_id, e);
    if (st == OK)
        st = headers_set(headers, "Message-ID", in->rfc_message_id, e);
    if (st == OK)
        st = header_references(in->references, in->in_reply_to, &references, e);
    if (st == OK && in->in_reply_to != NULL)
        st = headers_set(headers, "In-Reply-To", in->in_reply_to, e);
    if (st == OK && references != NULL)
        st = headers_set(headers, "References", references, e);
    free(references);
    return st;
}

static enum status headers_set_unsubscribe(json_t *headers, const char *url, struct err *e)
{
    struct buf value;
    enum status st = header_url_check("unsubscribe_url", url, e);
    if (st != OK)
        return st;
    buf_init(&value, HEADER_BYTES_MAX);
    st = buf_format(&value, "<%s>", url);
    if (st == OK)
        st = headers_set(headers, "List-Unsubscribe", value.data, e);
    else
        err_set(e, st, "unsubscribe_url: %s", status_text(st));
    if (st == OK)
        st = headers_set(headers, "List-Unsubscribe-Post", "List-Unsubscribe=One-Click", e);
    buf_fini(&value);
    return st;
}

static enum status render_headers(const struct render_input *in, json_t **ret, struct err *e)
{
    *ret = json_object();
    if (*ret == NULL)
        return err_set(e, E_NOMEM, "out of memory (headers)");
    enum status st = headers_set_thread(*ret, in, e);
    if (st == OK && in->unsubscribe_url != NULL)
        st = headers_set_unsubscribe(*ret, in->unsubscribe_url, e);
    return st;
}

/* ---- the whole ---- */

static enum status check_present(const struct render_input *in, struct err *e)
{
    const struct {
        const char *field, *value;
    } needed[] = {
        { "from_address", in->from_address },     { "to", in->to },     { "subject", in->subject },
        { "rfc_message_id", in->rfc_message_id }, { "text", in->text },
    };
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (needed[i].value == NULL)
            return err_set(e, E_INVALID, "%s is missing", needed[i].field);
    }
    return OK;
}

static enum status render_addresses(const struct render_input *in, struct rendered *r, struct err *e)
{
    enum status st = header_mailbox("from", in->from_name, in->from_address, &r->from, e);
    if (st == OK)
        st = header_mailbox("to", NULL, in->to, &r->to, e);
    if (st == OK && in->reply_to != NULL)
        st = header_mailbox("reply_to", NULL, in->reply_to, &r->reply_to, e);
    return st;
}

enum status message_render(const struct render_input *in, struct rendered *ret, struct err *e)
{
    struct rendered r = { 0 };
    enum status st = check_present(in, e);
    if (st == OK)
        st = render_addresses(in, &r, e);
    if (st == OK)
        st = render_subject(in, &r.subject, e);
    if (st == OK)
        st = render_body("text", in->text, TEMPLATE_TEXT, in->values, &r.text, e);
    if (st == OK && in->html != NULL)
        st = render_body("html", in->html, TEMPLATE_HTML, in->values, &r.html, e);
    if (st == OK)
        st = render_headers(in, &r.headers, e);
    if (st == OK) {
        *ret = r;
        r = (struct rendered){ 0 };
    }
    rendered_fini(&r);
    return st;
}

void rendered_fini(struct rendered *r)
{
    free(r->from);
    free(r->to);
    free(r->reply_to);
    free(r->subject);
    free(r->text);
    free(r->html);
    json_decref(r->headers);
    *r = (struct rendered){ 0 };
}
