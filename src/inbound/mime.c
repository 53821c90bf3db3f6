#include "mime.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "followupd/inbound/html.h"
#include "followupd/inbound/text.h"
#include "gmime.h"
#include "report.h"

static bool is_type(GMimeObject *object, const char *type, const char *subtype)
{
    return g_mime_content_type_is_type(g_mime_object_get_content_type(object), type, subtype);
}

static GMimeMessage *parse(const void *bytes, size_t count)
{
    gmime_options(); /* begins the library */
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(bytes, count);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    g_object_unref(stream);
    g_mime_parser_set_persist_stream(parser, TRUE); /* contents are places in the stream, no copies */
    GMimeMessage *message = g_mime_parser_construct_message(parser, gmime_options());
    g_object_unref(parser);
    return message;
}

/* ---- text ---- */

/* The content without its transfer encoding. */
static enum status add_decoded(GMimePart *part, struct draft *d, struct buf *target)
{
    GMimeDataWrapper *content = g_mime_part_get_content(part);
    if (content == NULL)
        return OK;
    GMimeStream *stream = g_mime_stream_mem_new();
    enum status st = OK;
    if (g_mime_data_wrapper_write_to_stream(content, stream) >= 0) {
        GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
        const char *charset = g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "charset");
        st = draft_body(d, target, charset, bytes->data, bytes->len);
    }
    g_object_unref(stream);
    return st;
}

static enum status add_break(struct buf *text)
{
    return text->used > 0 && text->used + 2 <= text->bytes_max && text->data[text->used - 1] != '\n'
               ? buf_text(text, "\n")
               : OK;
}

/* Which parts count: of an alternative first those of one form, then, if they are empty, those of the other. */
enum wanted { ANY_FORM, PLAIN, HTML };

static enum status add_leaf(struct draft *d, GMimePart *part, enum wanted form)
{
    bool plain = is_type(GMIME_OBJECT(part), "text", "plain");
    if (g_mime_part_is_attachment(part) || (!plain && !is_type(GMIME_OBJECT(part), "text", "html")) ||
        form == (plain ? HTML : PLAIN))
        return OK;
    enum status st = add_break(&d->text);
    if (st != OK || plain)
        return st == OK ? add_decoded(part, d, &d->text) : st;
    size_t begin = d->html.used;
    d->from_html = true;
    st = add_decoded(part, d, &d->html);
    return st == OK && d->html.used > begin ? html_text(d->html.data + begin, d->html.used - begin, &d->text, &d->cut)
                                            : st;
}

static bool nothing_since(const struct buf *text, size_t before)
{
    return text->used == before || text_blank(text->data + before, text->used - before);
}

static enum status add_text(struct draft *d, GMimeObject *object, enum wanted form, int depth)
{
    if (GMIME_IS_PART(object))
        return add_leaf(d, GMIME_PART(object), form);
    if (!GMIME_IS_MULTIPART(object) || GMIME_IS_MULTIPART_ENCRYPTED(object) || depth == MIME_DEPTH_MAX)
        return OK;
    bool alternative = is_type(object, "multipart", "alternative");
    size_t before = d->text.used;
    enum status st = OK;
    if (alternative && form == ANY_FORM) {
        st = add_text(d, object, PLAIN, depth);
        return st == OK && nothing_since(&d->text, before) ? add_text(d, object, HTML, depth) : st;
    }
    GMimeMultipart *parts = GMIME_MULTIPART(object);
    for (int i = 0; i < g_mime_multipart_get_count(parts) && st == OK; i++) {
        st = add_text(d, g_mime_multipart_get_part(parts, i), form, depth + 1);
        if (alternative && !nothing_since(&d->text, before))
            break; /* one form is enough */
    }
    return st;
}

/* ---- reports ---- */

static enum status take_reported_id(struct draft *d, GMimeMessage *message)
{
    const char *id = g_mime_message_get_message_id(message);
    if (id == NULL || d->reported_id != NULL)
        return OK;
    struct buf line;
    buf_init(&line, 1000);
    char *bracketed = g_strdup_printf("<%s>", id);
    enum status st = text_add(&line, TEXT_LINE, "utf-8", bracketed, strlen(bracketed), NULL);
    if (st == OK && (d->reported_id = buf_take(&line)) == NULL)
        st = E_NOMEM;
    buf_fini(&line);
    g_free(bracketed);
    return st;
}

static enum status read_report_part(struct draft *d, GMimeObject *part)
{
    if (GMIME_IS_MESSAGE_PART(part)) {
        GMimeMessage *message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(part));
        return message != NULL ? take_reported_id(d, message) : OK;
    }
    bool status = is_type(part, "message", "delivery-status") || is_type(part, "message", "global-delivery-status");
    bool headers = is_type(part, "text", "rfc822-headers") || is_type(part, "message", "global-headers");
    if (!GMIME_IS_PART(part) || (!status && !headers))
        return OK;
    struct buf content;
    buf_init(&content, DRAFT_TEXT_BYTES_MAX);
    bool cut = d->cut; /* of the mail's text, not of a report */
    enum status st = add_decoded(GMIME_PART(part), d, &content);
    d->cut = cut;
    if (st == OK && status)
        st = report_read(d, content.data, content.used);
    if (st == OK && headers && content.used > 0) {
        GMimeMessage *message = parse(content.data, content.used);
        if (message != NULL) {
            st = take_reported_id(d, message);
            g_object_unref(message);
        }
    }
    buf_fini(&content);
    return st;
}

static enum status read_report(struct draft *d, GMimeMultipart *parts)
{
    enum status st = OK;
    for (int i = 0; i < g_mime_multipart_get_count(parts) && st == OK; i++)
        st = read_report_part(d, g_mime_multipart_get_part(parts, i));
    return st;
}

/* ---- a mail ---- */

static enum status add_headers(struct draft *d, GMimeObject *object)
{
    GMimeHeaderList *headers = g_mime_object_get_header_list(object);
    int count = g_mime_header_list_get_count(headers);
    enum status st = OK;
    for (int i = 0; i < count && st == OK; i++) {
        GMimeHeader *header = g_mime_header_list_get_header_at(headers, i);
        const char *value = g_mime_header_get_raw_value(header);
        value = value != NULL ? value : "";
        st = draft_header(d, g_mime_header_get_name(header), value, strlen(value));
    }
    return st;
}

/* ---- how much of a mail is parsed ---- */

/* The line begins a header with addresses, of whatever message: "Reply-To:", "Resent-Cc :". */
static bool holds_addresses(const char *line, const char *end)
{
    static const char *const names[] = { "From", "Sender", "Reply-To", "To", "Cc", "Bcc" };
    if (end - line > 7 && strncasecmp(line, "Resent-", 7) == 0)
        line += 7;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t bytes = strlen(names[i]);
        if ((size_t)(end - line) <= bytes || strncasecmp(line, names[i], bytes) != 0)
            continue;
        const char *p = line + bytes;
        while (p < end && (*p == ' ' || *p == '\t'))
            p++;
        if (p < end && *p == ':')
            return true;
    }
    return false;
}

static size_t count_of(char c, const char *p, const char *end)
{
    size_t count = 0;
    for (; (p = memchr(p, c, (size_t)(end - p))) != NULL; p++)
        count++;
    return count;
}

/* Lines without a colon that do not begin with -- cost GMime next to nothing, however many they are: those of base64. The
 * others may be headers and boundaries, each of which costs it microseconds and memory; nested ones, and groups in
 * addresses, cost stack. So the mail is cut where it has used up what honest ones stay far below. */
static size_t bytes_to_parse(const char *mail, size_t count)
{
    const char *end = mail + count, *line = mail;
    size_t lines = 0, bytes = 0, colons = 0;
    bool folds = false; /* the line before may go on in this one */
    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        stop = stop != NULL ? stop + 1 : end;
        bool continues = folds && (*line == ' ' || *line == '\t');
        bool costly = continues || memchr(line, ':', (size_t)(stop - line)) != NULL ||
                      (stop - line >= 2 && line[0] == '-' && line[1] == '-');
        if (!continues)
            colons = holds_addresses(line, stop) ? 1 : 0;
        if (colons > 0)
            colons += count_of(':', line, stop);
        if (costly) {
            lines++;
            bytes += (size_t)(stop - line);
        }
        if (lines > MIME_LINES_MAX || bytes > MIME_HEADER_BYTES_MAX || colons > MIME_COLONS_MAX)
            break;
        folds = costly;
        line = stop;
    }
    return (size_t)(line - mail);
}

static enum status read_mail(struct draft *d, const void *bytes, size_t count, bool headers_alone, struct err *e)
{
    count = count > 0 ? bytes_to_parse(bytes, count) : 0;
    GMimeMessage *message = count > 0 ? parse(bytes, count) : NULL;
    GMimeObject *root = message != NULL ? g_mime_message_get_mime_part(message) : NULL;
    enum status st = message != NULL ? add_headers(d, GMIME_OBJECT(message)) : OK;
    if (st == OK && root != NULL) /* GMime hands Content-Type and the like to the part */
        st = add_headers(d, root);
    if (st == OK && json_array_size(d->headers) == 0)
        st = err_set(e, E_INVALID, "%s: the mail has no headers within its bounds", d->type);
    else if (st == OK && root != NULL && !headers_alone && d->is_report && GMIME_IS_MULTIPART(root))
        st = read_report(d, GMIME_MULTIPART(root));
    if (st == OK && root != NULL && !headers_alone)
        st = add_text(d, root, ANY_FORM, 0);
    if (message != NULL)
        g_object_unref(message);
    return st == OK || st == E_INVALID ? st
                                       : err_set(e, st, "%s: the mail cannot be read: %s", d->type, status_text(st));
}

enum status mime_read(struct draft *d, const void *bytes, size_t count, struct err *e)
{
    return read_mail(d, bytes, count, false, e);
}

enum status mime_headers(struct draft *d, const void *bytes, size_t count, struct err *e)
{
    return read_mail(d, bytes, count, true, e);
}
