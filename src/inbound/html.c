#include "followupd/inbound/html.h"

#include <string.h>
#include <strings.h>

#include "followupd/base/utf8.h"
#include "html_entity.h"

#define QUOTE_LEVELS_MAX  16 /* deeper quotations carry no more marks */
#define ELEMENT_BYTES_MAX 12
#define LINES_BETWEEN_MAX 2

/* What an element does to the lines around it. */
enum layout { INLINE, BREAK, LINE, PARAGRAPH, CELL, ITEM, QUOTE, PRE, UNREAD };

static enum layout layout_of(const char *name)
{
    static const struct {
        const char *name;
        enum layout layout;
    } layouts[] = {
        { "br", BREAK },      { "div", LINE },     { "p", PARAGRAPH },      { "tr", LINE },         { "td", CELL },
        { "th", CELL },       { "li", ITEM },      { "ul", LINE },          { "ol", LINE },         { "table", LINE },
        { "h1", PARAGRAPH },  { "h2", PARAGRAPH }, { "h3", PARAGRAPH },     { "h4", PARAGRAPH },    { "h5", PARAGRAPH },
        { "h6", PARAGRAPH },  { "hr", LINE },      { "blockquote", QUOTE }, { "pre", PRE },         { "dt", LINE },
        { "dd", LINE },       { "dl", LINE },      { "center", LINE },      { "address", LINE },    { "article", LINE },
        { "section", LINE },  { "header", LINE },  { "footer", LINE },      { "body", LINE },       { "option", LINE },
        { "script", UNREAD }, { "style", UNREAD }, { "title", UNREAD },     { "textarea", UNREAD },
    };
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        if (strcmp(name, layouts[i].name) == 0)
            return layouts[i].layout;
    }
    return INLINE;
}

struct writer {
    struct buf *out;
    size_t begin;   /* of ours in out */
    int quotes;     /* open <blockquote> */
    int pre;        /* open <pre> */
    int lines_due;  /* line breaks to write before the next character */
    bool blank_due; /* a blank, unless a line begins */
    bool tab_due;   /* a tab instead: a cell ended */
    bool full;
};

static enum status put(struct writer *w, const char *text, size_t bytes)
{
    size_t fits = utf8_cut(text, bytes, w->out->bytes_max - w->out->used);
    w->full = w->full || fits < bytes;
    return buf_add(w->out, text, fits);
}

/* What is due between the last character and the next. */
static enum status put_due(struct writer *w)
{
    bool first = w->out->used == w->begin, begins = first || w->lines_due > 0;
    enum status st = OK;
    for (int i = 0; i < w->lines_due && !first && st == OK; i++)
        st = put(w, "\n", 1);
    for (int i = 0; i < w->quotes && i < QUOTE_LEVELS_MAX && begins && st == OK; i++)
        st = put(w, "> ", 2);
    if (st == OK && !begins && (w->tab_due || w->blank_due))
        st = put(w, w->tab_due ? "\t" : " ", 1);
    w->lines_due = 0;
    w->blank_due = w->tab_due = false;
    return st;
}

static enum status put_visible(struct writer *w, const char *text, size_t bytes)
{
    enum status st = put_due(w);
    return st == OK ? put(w, text, bytes) : st;
}

static void want_lines(struct writer *w, int lines)
{
    if (w->lines_due < lines)
        w->lines_due = lines;
    w->blank_due = w->tab_due = false;
}

static void add_line(struct writer *w)
{
    want_lines(w, w->lines_due < LINES_BETWEEN_MAX ? w->lines_due + 1 : LINES_BETWEEN_MAX);
}

static void put_space(struct writer *w, char c)
{
    if (w->pre > 0 && c == '\n')
        add_line(w);
    else
        w->blank_due = true;
}

static enum status begin_or_end(struct writer *w, enum layout layout, bool ends)
{
    switch (layout) {
    case INLINE:
    case UNREAD:
        break;
    case BREAK:
        add_line(w);
        break;
    case LINE:
        want_lines(w, 1);
        break;
    case CELL:
        w->tab_due = true;
        break;
    case ITEM:
        want_lines(w, 1);
        return ends ? OK : put_visible(w, "* ", 2);
    case PARAGRAPH:
    case QUOTE:
    case PRE:
        want_lines(w, 2);
        if (layout == QUOTE)
            w->quotes += ends ? -(w->quotes > 0) : 1;
        if (layout == PRE)
            w->pre += ends ? -(w->pre > 0) : 1;
        break;
    }
    return OK;
}

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Behind the > that ends the tag whose attributes begin at p; a > between quotes does not. */
static const char *tag_end(const char *p, const char *end)
{
    char quote = '\0';
    for (; p < end; p++) {
        if (quote != '\0')
            quote = *p == quote ? '\0' : quote;
        else if (*p == '>')
            return p + 1;
        else if ((*p == '"' || *p == '\'') && p[-1] == '=')
            quote = *p;
    }
    return end;
}

/* Behind the last byte of what a parser of HTML takes for a comment; p is behind "<". */
static const char *comment_end(const char *p, const char *end)
{
    bool real = end - p >= 3 && memcmp(p, "!--", 3) == 0;
    const char *stop = real ? memmem(p + 3, (size_t)(end - p) - 3, "-->", 3) : memchr(p, '>', (size_t)(end - p));
    return stop == NULL ? end : stop + (real ? 3 : 1);
}

/* The end tag of an element whose content is no markup. */
static const char *unread_end(const char *p, const char *end, const char *name)
{
    size_t name_bytes = strlen(name);
    while ((p = memchr(p, '<', (size_t)(end - p))) != NULL) {
        if ((size_t)(end - p) >= name_bytes + 2 && p[1] == '/' && strncasecmp(p + 2, name, name_bytes) == 0)
            return p;
        p++;
    }
    return end;
}

/* p: at "<". Moves it behind the markup, or over the < alone when that is none. */
static enum status read_markup(struct writer *w, const char **at, const char *end)
{
    const char *p = *at + 1;
    bool ends = p < end && *p == '/';
    if (p < end && (*p == '!' || *p == '?' || (ends && end - p >= 2 && !is_letter(p[1])))) {
        *at = comment_end(p, end);
        return OK;
    }
    p += ends;
    if (p == end || !is_letter(*p)) {
        *at = p;
        return put_visible(w, "<", 1);
    }
    char name[ELEMENT_BYTES_MAX + 1] = "";
    size_t bytes = 0;
    for (; p < end && strchr(" \t\n/>", *p) == NULL; p++) {
        if (bytes < ELEMENT_BYTES_MAX)
            name[bytes++] = is_letter(*p) ? (char)(*p | 0x20) : *p;
    }
    p = tag_end(p, end);
    enum layout layout = layout_of(name);
    *at = layout == UNREAD && !ends ? unread_end(p, end, name) : p;
    return begin_or_end(w, layout, ends);
}

static enum status put_codepoint(struct writer *w, uint32_t c)
{
    if (c == ' ' || c == '\t' || c == '\n' || c == 0xa0) {
        put_space(w, ' ');
        return OK;
    }
    char utf8[4] = { (char)c };
    size_t bytes = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (size_t i = bytes - 1; i > 0; i--, c >>= 6)
        utf8[i] = (char)(0x80 | (c & 0x3f));
    if (bytes > 1)
        utf8[0] = (char)(lead[bytes] | c);
    return put_visible(w, utf8, bytes);
}

static enum status read_reference(struct writer *w, const char **at, const char *end)
{
    uint32_t codepoint;
    size_t bytes = html_entity(*at, (size_t)(end - *at), &codepoint);
    *at += bytes > 0 ? bytes : 1;
    return bytes > 0 ? put_codepoint(w, codepoint) : put_visible(w, "&", 1);
}

enum status html_text(const char *html, size_t bytes, struct buf *out, bool *cut)
{
    if (bytes == 0)
        return OK; /* html may be NULL */
    struct writer w = { .out = out, .begin = out->used };
    const char *p = html, *end = html + bytes;
    enum status st = OK;
    while (p < end && st == OK && !w.full) {
        if (*p == '<') {
            st = read_markup(&w, &p, end);
        } else if (*p == '&') {
            st = read_reference(&w, &p, end);
        } else if (strchr(" \t\n\r", *p) != NULL) {
            put_space(&w, *p++);
        } else {
            const char *run = p;
            while (p < end && strchr("<& \t\n\r", *p) == NULL)
                p++;
            st = put_visible(&w, run, (size_t)(p - run));
        }
    }
    if (w.full && cut != NULL)
        *cut = true;
    return st;
}
