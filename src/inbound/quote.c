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

/* An attribution, that is "On <date>, <name> wrote:", from this line on; *ret is behind its last line. */
static bool is_attribution(struct line l, const char *end, const char **ret, bool *ret_sure)
{
    static const char *const first[] = { "On ",  "Am ",     "Le ",  "El ", "Em ",   "Il ", "Op ",
                                         "Den ", "W dniu ", "Dne ", "Ma ", "Pada ", "At ", NULL };
    static const char *const last[] = {
        "wrote:",    "schrieb:",    "schrieb :",  "a écrit :", "a écrit :",  "a écrit:",    "escribió:",
        "escreveu:", "ha scritto:", "schreef:",   "skrev:",    "kirjoitti:", "napisał(a):", "napisał:",
        "napisała:", "napsal:",     "napsal(a):", "пишет:",    "написал:",   "написал(а):", "написала:",
        "yazdı:",    "のメール:",   "写道:",      "写道：",    "寫道:",      "寫道：",      NULL
    };
    const char *begin = l.text, *stop = l.text;
    bool known = *l.text >= '0' && *l.text <= '9'; /* "2026-04-02 10:00 GMT+02:00 Ada <...>:" */
    known = known || (unsigned char)*l.text >= 0x80; /* "чт, 2 апр. 2026 г. ..." and all that has no latin letters */
    for (int i = 0; first[i] != NULL && !known; i++)
        known = begins(l, first[i]);
    if (!known)
        return false;
    bool closed = false;
    for (int i = 0; i < ATTRIBUTION_LINES_MAX && !closed; i++) {
        stop = l.text + l.bytes;
        bool colon = ends(l, ":") || ends(l, "：");
        for (int k = 0; last[k] != NULL && colon && !closed; k++)
            closed = ends(l, last[k]);
        /* "schrieb Ada <ada@s.example>:" has the name behind the verb. */
        closed = closed || (ends(l, ">:") && memchr(begin, '@', (size_t)(stop - begin)) != NULL);
        if (l.bytes == 0 || (l.next == NULL && !closed))
            return false;
        *ret = l.next;
        if (!closed)
            l = line_at(l.next, end);
    }
    if (!closed || stop - begin > ATTRIBUTION_BYTES_MAX)
        return false;
    int digits = 0;
    bool clock = false, address = false;
    for (const char *p = begin; p < stop; p++) {
        digits += *p >= '0' && *p <= '9';
        clock = clock ||
                (*p == ':' && p > begin && p + 1 < stop && p[-1] >= '0' && p[-1] <= '9' && p[1] >= '0' && p[1] <= '9');
        address = address || *p == '@';
    }
    *ret_sure = digits >= 3 && (clock || address);
    return digits > 0 || address;
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
        if (!quotation || !is_quoted(l))
            st = buf_add(out, p, (size_t)((l.next != NULL ? l.next : end) - p));
        p = l.next;
    }
    return st;
}

enum status quote_remove(const char *text, size_t bytes, struct buf *out)
{
    size_t begin = out->used;
    enum status st = remove_all(text, text + bytes, out);
    if (st == OK && text_blank(out->data + begin, out->used - begin)) {
        out->used = begin;
        st = buf_add(out, text, bytes);
    }
    while (st == OK && out->used > begin && strchr(" \t\n", out->data[out->used - 1]) != NULL)
        out->data[--out->used] = '\0';
    return st;
}
