#include "followupd/inbound/quote.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "followupd/inbound/text.h"

#define ATTRIBUTION_LINES_MAX 4 /* "On ... wrote:" as programs fold it */
#define ATTRIBUTION_BYTES_MAX 400
#define BLOCK_LINES_MAX       8 /* From, Sent, To, Cc, Subject, and their continuations */

struct line {
    const char *text;
    size_t bytes;     /* without blanks around it */
    const char *next; /* the line after it; NULL: there is none */
};

static struct line line_at(const char *p, const char *end)
{
    const char *stop = memchr(p, '\n', (size_t)(end - p));
    struct line l = { p, (size_t)((stop != NULL ? stop : end) - p), stop != NULL ? stop + 1 : NULL };
    while (l.bytes > 0 && (*l.text == ' ' || *l.text == '\t'))
        l.text++, l.bytes--;
    while (l.bytes > 0 && (l.text[l.bytes - 1] == ' ' || l.text[l.bytes - 1] == '\t'))
        l.bytes--;
    return l;
}

static bool begins(struct line l, const char *word)
{
    return l.bytes >= strlen(word) && strncasecmp(l.text, word, strlen(word)) == 0;
}

static bool ends(struct line l, const char *word)
{
    size_t n = strlen(word);
    return l.bytes >= n && strncasecmp(l.text + l.bytes - n, word, n) == 0;
}

static bool is_quoted(struct line l)
{
    return l.bytes > 0 && l.text[0] == '>';
}

/* "-----Original Message-----", "Begin forwarded message:" and their like. */
static bool is_separator(struct line l)
{
    static const char *const words[] = {
        "Original Message",
        "Ursprüngliche Nachricht",
        "Original-Nachricht",
        "Originalnachricht",
        "Message d'origine",
        "Message original",
        "Mensaje original",
        "Mensagem original",
        "Messaggio originale",
        "Oorspronkelijk bericht",
        "Oprindelig meddelelse",
        "Opprinnelig melding",
        "Ursprungligt meddelande",
        "Alkuperäinen viesti",
        "Wiadomość oryginalna",
        "Původní zpráva",
        "Исходное сообщение",
        "Orijinal Mesaj",
        "原始邮件",
        "原始郵件",
        "元のメッセージ",
        "Forwarded message",
        "Weitergeleitete Nachricht",
        "Message transféré",
        "Mensaje reenviado",
    };
    if (begins(l, "Begin forwarded message:"))
        return true;
    if (l.bytes == 0 || *l.text != '-')
        return false;
    struct line inner = l;
    while (inner.bytes > 0 && strchr("-_ ", inner.text[0]) != NULL)
        inner.text++, inner.bytes--;
    while (inner.bytes > 0 && strchr("-_ ", inner.text[inner.bytes - 1]) != NULL)
        inner.bytes--;
    size_t dashes = l.bytes - inner.bytes;
    for (size_t i = 0; i < sizeof words / sizeof words[0] && dashes >= 4; i++) {
        if (inner.bytes == strlen(words[i]) && begins(inner, words[i]))
            return true;
    }
    return false;
}

/* The line is one of the header lines that Outlook puts above what it quotes: "Von: Ada <ada@...>". */
static bool is_label(struct line l, const char *const *labels)
{
    if (l.bytes > 0 && *l.text == '*') /* bold, as text/plain has it */
        l.text++, l.bytes--;
    for (; *labels != NULL; labels++) {
        size_t n = strlen(*labels);
        if (!begins(l, *labels))
            continue;
        const char *p = l.text + n, *end = l.text + l.bytes;
        while (p < end && (*p == ' ' || *p == '*'))
            p++;
        if (p < end && (*p == ':' || (end - p >= 3 && memcmp(p, "：", 3) == 0)))
            return true;
    }
    return false;
}

static bool begins_block(struct line l, const char *end)
{
    static const char *const from[] = { "From", "Von", "De",     "Da",     "Van",    "Fra",    "Från", "Lähettäjä",
                                        "Od",   "От",  "Kimden", "差出人", "发件人", "寄件者", NULL };
    static const char *const others[] = {
        "Sent",    "Date",       "To",       "Gesendet", "Datum",      "An",      "Envoyé",    "À",
        "Enviado", "Enviada em", "Fecha",    "Data",     "Para",       "Inviato", "A",         "Verzonden",
        "Aan",     "Sendt",      "Dato",     "Til",      "Skickat",    "Till",    "Lähetetty", "Vastaanottaja",
        "Wysłano", "Do",         "Odesláno", "Komu",     "Отправлено", "Кому",    "Дата",      "Gönderildi",
        "Tarih",   "Kime",       "送信日時", "宛先",     "发送时间",   "收件人",  "寄件日期",  "收件者",
        NULL
    };
    /* Without one it may be a person who writes about a journey. */
    static const char *const subject[] = { "Subject",   "Betreff", "Objet", "Asunto", "Assunto", "Oggetto",
                                           "Onderwerp", "Emne",    "Ämne",  "Aihe",   "Temat",   "Předmět",
                                           "Тема",      "Konu",    "件名",  "主题",   "主旨",    NULL };
    if (!is_label(l, from))
        return false;
    bool has_subject = false, has_other = false;
    for (int i = 0; i < BLOCK_LINES_MAX && l.next != NULL; i++) {
        l = line_at(l.next, end);
        has_subject = has_subject || is_label(l, subject);
        has_other = has_other || is_label(l, others);
    }
    return has_subject && has_other;
}

static bool ends_attribution(struct line l)
{
    static const char *const before_names[] = { " schrieb ", " schreef ", " skrev ", NULL };
    static const char *const words[] = {
        "wrote",     "schrieb", "a écrit",   "a écrit",    "escribió", "escreveu", "ha scritto",
        "schreef",   "skrev",   "kirjoitti", "napisał(a)", "napisał",  "napisała", "napsal",
        "napsal(a)", "пишет",   "написал",   "написал(а)", "написала", "yazdı",    "のメール",
        "写道",      "寫道",    ">",         NULL
    }; /* ">": the verb stood before the name and its address */
    if (ends(l, "："))
        l.bytes -= 3;
    else if (ends(l, ":"))
        l.bytes -= 1;
    else
        return false;
    while (ends(l, " ") || ends(l, "\xc2\xa0"))
        l.bytes -= ends(l, " ") ? 1 : 2;
    for (int i = 0; words[i] != NULL; i++) {
        if (ends(l, words[i]))
            return true;
    }
    for (int i = 0; before_names[i] != NULL; i++) {
        if (memmem(l.text, l.bytes, before_names[i], strlen(before_names[i])) != NULL)
            return true;
    }
    return false;
}

/* How much an attribution tells: a date, the time of day, an address. */
struct evidence {
    int digits;
    bool clock, address;
};

static struct evidence evidence_of(const char *p, const char *end)
{
    struct evidence e = { 0 };
    for (bool digit = false; p < end; p++) {
        e.clock = e.clock || (*p == ':' && digit && p + 1 < end && p[1] >= '0' && p[1] <= '9');
        e.address = e.address || *p == '@';
        digit = *p >= '0' && *p <= '9';
        e.digits += digit;
    }
    return e;
}

/* "On <date>, <name> wrote:" from this line on, folded or not; *behind is the line after it, *sure whether that much is
 * told that what follows is a quotation even without marks. */
static bool is_attribution(struct line l, const char *end, const char **behind, bool *sure)
{
    static const char *const first_words[] = { "On ",  "Am ",     "Le ",  "El ", "Em ",   "Il ", "Op ",
                                               "Den ", "W dniu ", "Dne ", "Ma ", "Pada ", NULL };
    const char *begin = l.text;
    unsigned char c = (unsigned char)*begin;
    bool known = (c >= '0' && c <= '9') || c >= 0x80; /* a date; no latin letter */
    for (int i = 0; first_words[i] != NULL && !known; i++)
        known = begins(l, first_words[i]);
    bool ended = ends_attribution(l);
    for (int i = 1; i < ATTRIBUTION_LINES_MAX && known && !ended && l.next != NULL && l.bytes > 0; i++) {
        l = line_at(l.next, end);
        ended = ends_attribution(l);
    }
    const char *stop = l.text + l.bytes;
    if (!ended || stop - begin > ATTRIBUTION_BYTES_MAX)
        return false;
    struct evidence e = evidence_of(begin, stop);
    *behind = l.next;
    *sure = e.digits >= 3 && (e.clock || e.address) && (known || e.address);
    return *sure || (known && (e.digits > 0 || e.address));
}

/* The first line that is not blank; at the end: one of no bytes. */
static struct line next_text(const char *p, const char *end)
{
    struct line l = { end, 0, NULL };
    while (p != NULL) {
        l = line_at(p, end);
        if (l.bytes > 0)
            break;
        p = l.next;
    }
    return l;
}

/* Are there lines that begin with ">" because something is quoted? */
static bool has_quotation(const char *text, const char *end)
{
    int quoted = 0;
    const char *p = text, *behind;
    bool sure;
    while (p != NULL) {
        struct line l = line_at(p, end);
        quoted += is_quoted(l);
        if (quoted >= 2 || (l.bytes > 0 && is_attribution(l, end, &behind, &sure) && is_quoted(next_text(behind, end))))
            return true;
        p = l.next;
    }
    return false;
}

static enum status remove_all(const char *text, const char *end, struct buf *out)
{
    bool quotation = has_quotation(text, end);
    size_t begin = out->used;
    const char *p = text;
    enum status st = OK;
    while (p != NULL && st == OK) {
        struct line l = line_at(p, end);
        const char *behind = l.next;
        bool sure = false;
        bool ruled =
            begins(l, "________") && begins_block(next_text(l.next, end), end); /* Outlook draws a line above */
        if (is_separator(l) || begins_block(l, end) || ruled)
            break;
        if (l.bytes > 0 && is_attribution(l, end, &behind, &sure)) {
            if (quotation && is_quoted(next_text(behind, end))) {
                p = behind;
                continue;
            }
            if (sure)
                break;
        }
        bool leads = l.bytes == 0 && out->used == begin; /* a blank line before any other */
        if (!leads && (!quotation || !is_quoted(l)))
            st = buf_add(out, p, (size_t)((l.next != NULL ? l.next : end) - p));
        p = l.next;
    }
    return st;
}

enum status quote_remove(const char *text, size_t bytes, struct buf *out)
{
    if (bytes == 0)
        return OK; /* text may be NULL */
    size_t begin = out->used;
    enum status st = remove_all(text, text + bytes, out);
    if (st == OK && (out->used == begin || text_blank(out->data + begin, out->used - begin))) {
        size_t blank = 0;
        while (blank < bytes && text[blank] == '\n')
            blank++;
        out->used = begin;
        st = buf_add(out, text + blank, bytes - blank);
    }
    while (st == OK && out->used > begin && strchr(" \t\n", out->data[out->used - 1]) != NULL)
        out->data[--out->used] = '\0';
    return st;
}
