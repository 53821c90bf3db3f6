/* Whole mails, by way of SendGrid's "send raw" form. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "followupd/base/utf8.h"
#include "followupd/inbound/reply.h"
#include "reading.h"

#define HEAD "From: Bob <bob@rcpt.example>\r\nMessage-ID: <r1@rcpt.example>\r\nMIME-Version: 1.0\r\n"

static void form_of(struct buf *b, const char *mail, size_t bytes)
{
    form_begin(b);
    form_field(b, "envelope", "{\"to\":[\"reply+T@in.sender.example\"],\"from\":\"\"}");
    cr_assert_eq(buf_text(b, "--xYzZY\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\n"), OK);
    cr_assert_eq(buf_add(b, mail, bytes), OK);
    cr_assert_eq(buf_text(b, "\r\n"), OK);
    form_end(b);
}

static json_t *read_bytes(const char *mail, size_t bytes)
{
    struct buf b;
    form_of(&b, mail, bytes);
    json_t *r = read_one("sendgrid", FORM_TYPE, b.data, b.used);
    buf_fini(&b);
    return r;
}

static json_t *read_mail(const char *mail)
{
    return read_bytes(mail, strlen(mail));
}

static void expect_text(const char *mail, const char *text)
{
    json_t *r = read_mail(mail);
    cr_expect_str_eq(text_of(r, "text") != NULL ? text_of(r, "text") : "(none)", text);
    json_decref(r);
}

Test(mime, the_plain_form_is_preferred_and_attachments_are_left_out)
{
    expect_text(
        HEAD
        "Content-Type: multipart/mixed; boundary=o\r\n\r\npreamble\r\n--o\r\n"
        "Content-Type: multipart/alternative; boundary=\"i i\"\r\n\r\n--i i\r\n"
        "Content-Type: text/html; charset=utf-8\r\n\r\n<b>html</b>\r\n--i i\r\n"
        "Content-Type: text/plain; charset=iso-8859-15\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        "Preis: 5 =A4, gr=FC=\r\n=DFe\r\n--i i--\r\n\r\n--o\r\n"
        "Content-Type: text/plain; name=a.txt\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nnot this\r\n"
        "--o\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nnor this\r\n--o--\r\n",
        "Preis: 5 €, grüße");
}

Test(mime, html_is_read_when_the_plain_form_is_missing_or_empty)
{
    static const char html[] = "Content-Type: text/html; charset=koi8-r\r\n\r\n<p>\xf3\xd0\xc1\xd3\xc9\xc2\xcf</p>\r\n";
    char mail[1000];
    snprintf(mail, sizeof mail, HEAD "%s", html);
    expect_text(mail, "Спасибо");
    snprintf(mail, sizeof mail,
             HEAD "Content-Type: multipart/alternative; boundary=o\r\n\r\n--o\r\nContent-Type: text/plain\r\n\r\n "
                  "\r\n--o\r\n%s--o--\r\n",
             html);
    expect_text(mail, "Спасибо");
    json_t *r = read_mail(mail);
    cr_expect_not_null(text_of(r, "html"));
    json_decref(r);
    snprintf(mail, sizeof mail,
             HEAD "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n%s--o\r\nContent-Type: text/plain\r\n\r\na "
                  "footer\r\n--o--\r\n",
             html);
    expect_text(mail, "Спасибо\na footer");
}

Test(mime, transfer_encodings_and_charsets_are_undone)
{
    expect_text(HEAD "Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$B$\"$j$,$H$&\x1b(B\r\n", "ありがとう");
    expect_text(HEAD
                "Content-Type: text/plain; charset=\"utf-8\"\r\nContent-Transfer-Encoding: BASE64\r\n\r\nR3LDvMOf\r\n"
                "ZSAh\r\n",
                "Grüße !");
    expect_text(HEAD "Content-Type: text/plain; charset=windows-1256\r\n\r\n\xd4\xdf\xd1\xc7\r\n", "شكرا");
    expect_text(HEAD "Content-Type: text/plain; charset=nobody-knows\r\n\r\ncaf\xe9\r\n", "café");
    expect_text(HEAD "Content-Type: text/plain; charset*=utf-8''utf-8\r\n\r\ncaf\xc3\xa9 \xff\r\n",
                "café \xef\xbf\xbd");
    expect_text(HEAD "\r\nno type at all: Gr\xfc\xdf\r\n", "no type at all: Grüß");
    expect_text("Subject: x\n\nlines that end with LF\n", "lines that end with LF");
}

Test(mime, headers_are_decoded_and_unfolded)
{
    json_t *r =
        read_mail("From: =?ISO-8859-2?B?o3VrYXN6?= =?utf-8?Q?_=C5=81?= (a comment)\r\n <Lukasz@Rcpt.Example>, "
                  "second@x.example\r\n"
                  "To: undisclosed-recipients:;\r\nSubject: =?utf-8?B?w7w=?=\r\n =?utf-8?B?w7w=?= and\r\n\tmore "
                  "=?bad?= =?utf-8?Q?=FF?=\r\n"
                  "X-Raw: Gr\xfc\xdf\r\nX-Raw: Gr\xc3\xbc\r\nMessage-ID:\r\n <a b@rcpt.example>\r\nIn-Reply-To: Your "
                  "mail of <fu-1-1@s.example>\r\n"
                  "References: <a@x> junk <b@x>\r\n\t<c@x>\r\nAuto-Submitted: auto-replied (vacation)\r\n\r\nx");
    cr_expect_str_eq(text_of(r, "from"), "lukasz@rcpt.example");
    cr_expect_str_eq(text_of(r, "from_name"), "Łukasz Ł");
    cr_expect_str_eq(text_of(r, "subject"), "üü and more =?bad?= ?");
    cr_expect_str_eq(header_of(r, "X-Raw"), "Grüß");
    cr_expect_str_eq(header_of(r, "auto-submitted"), "auto-replied (vacation)");
    cr_expect_str_eq(text_of(r, "in_reply_to"), "<fu-1-1@s.example>");
    cr_expect_str_eq(list_of(r, "references"), "<a@x> <b@x> <c@x>");
    json_decref(r);
}

/* The address is what stands there, not what an encoded word makes of it. */
Test(mime, an_encoded_word_forges_no_address)
{
    json_t *r = read_mail("From: =?utf-8?q?boss=40sender=2Eexample=2C?= <eve@rcpt.example>\r\n\r\nx");
    cr_expect_str_eq(text_of(r, "from"), "eve@rcpt.example");
    cr_expect_str_eq(text_of(r, "from_name"), "boss@sender.example,");
    json_decref(r);
}

Test(mime, without_an_envelope_the_recipients_are_those_of_to)
{
    struct buf b;
    form_begin(&b);
    form_field(&b, "email",
               "From: bob@rcpt.example\r\nTo: Ada <reply+T@in.sender.example>, g: a@b.example, c@d.example;\r\n\r\nx");
    form_end(&b);
    json_t *r = read_one("sendgrid", FORM_TYPE, b.data, b.used);
    cr_expect_str_eq(list_of(r, "recipients"), "reply+T@in.sender.example a@b.example c@d.example");
    json_decref(r);
    buf_fini(&b);
}

/* ---- reports ---- */

#define REPORT_HEAD                                                                                                    \
    "From: Mail Delivery System <MAILER-DAEMON@mx.example>\r\nMessage-ID: <d1@mx.example>\r\nDate: Thu, 2 Apr 2026 "   \
    "10:00:00 +0200\r\n"                                                                                               \
    "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"r\"\r\n\r\n"
#define REPORT_TEXT "--r\r\nContent-Type: text/plain\r\n\r\nI'm sorry to have to inform you\r\n"
#define REPORT_OF   "--r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
#define REPORT_END                                                                                                     \
    "\r\n--r\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <fu-1-3@sender.example>\r\nSubject: "                  \
    "Hi\r\n\r\nHi\r\n--r--\r\n"

Test(mime, a_failed_delivery_is_a_bounce_and_no_reply)
{
    json_t *r = read_mail(REPORT_HEAD REPORT_TEXT REPORT_OF
                          "Original-Recipient: rfc822;other@rcpt.example\r\nFinal-Recipient: rfc822; "
                          "bob@rcpt.example\r\nAction: Failed\r\n"
                          "Status: 5.1.1 (no such user)\r\nRemote-MTA: dns; mx2\r\nDiagnostic-Code: smtp; 550 "
                          "5.1.1\r\n <bob@rcpt.example>: unknown; user\r\n" REPORT_END);
    cr_expect_str_eq(text_of(r, "kind"), "bounced");
    cr_expect_str_eq(text_of(r, "action"), "Failed");
    cr_expect_str_eq(text_of(r, "recipient"), "bob@rcpt.example");
    cr_expect_str_eq(text_of(r, "status"), "5.1.1");
    cr_expect_str_eq(text_of(r, "smtp_code"), "550");
    cr_expect_str_eq(text_of(r, "detail"), "550 5.1.1 <bob@rcpt.example>: unknown; user");
    cr_expect_str_eq(text_of(r, "rfc_message_id"), "<fu-1-3@sender.example>");
    cr_expect_str_eq(text_of(r, "event_id"), "<d1@mx.example> bob@rcpt.example");
    cr_expect_str_eq(text_of(r, "occurred_at"), "2026-04-02T08:00:00.000000Z");
    cr_expect_str_eq(text_of(r, "from"), "mailer-daemon@mx.example");
    cr_expect_str_eq(text_of(r, "provider_type"), "sendgrid");
    cr_expect_str_eq(list_of(r, "recipients"), "reply+T@in.sender.example");
    cr_expect_null(text_of(r, "text"));
    json_decref(r);
}

/* RFC 3464 2.3.3: the action is final or not, whatever the status says. */
Test(mime, finality_is_judged_by_the_action)
{
    static const char *const cases[][3] = { { "failed", "4.4.7", "bounced" },    { "delayed", "5.0.0", "delayed" },
                                            { "DELAYED", "4.2.2", "delayed" },   { "delivered", "2.0.0", "delivered" },
                                            { "relayed", "2.0.0", "delivered" }, { "expanded", "2.0.0", "delivered" } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char mail[2000];
        snprintf(mail, sizeof mail,
                 REPORT_HEAD REPORT_OF
                 "Final-Recipient: rfc822;bob@rcpt.example\r\nAction: %s\r\nStatus: %s\r\n" REPORT_END,
                 cases[i][0], cases[i][1]);
        json_t *r = read_mail(mail);
        cr_expect_str_eq(text_of(r, "kind"), cases[i][2]);
        cr_expect_str_eq(text_of(r, "status"), cases[i][1]);
        json_decref(r);
    }
}

Test(mime, a_report_of_several_recipients_is_as_many_events)
{
    struct buf b;
    static const char mail[] =
        REPORT_HEAD REPORT_OF "Final-Recipient: rfc822;a@rcpt.example\r\nAction: failed\r\nStatus: 5.2.2\r\n\r\n"
                              "Final-Recipient: rfc822;b@rcpt.example\r\nAction: delayed\r\nStatus: 4.2.2\r\n\r\n"
                              "Final-Recipient: rfc822;c@rcpt.example\r\nAction: unheard-of\r\n"
                              "--r\r\nContent-Type: text/rfc822-headers\r\n\r\nReceived: x\r\nMessage-ID: "
                              "<fu-1-4@sender.example>\r\n--r--\r\n";
    form_of(&b, mail, sizeof mail - 1);
    json_t *events = NULL;
    cr_assert_eq(reply_read("sendgrid", FORM_TYPE, b.data, b.used, &events, NULL), OK);
    cr_assert_eq(json_array_size(events), 2);
    cr_expect_str_eq(text_of(json_array_get(events, 0), "kind"), "bounced");
    cr_expect_str_eq(text_of(json_array_get(events, 1), "kind"), "delayed");
    cr_expect_str_eq(text_of(json_array_get(events, 1), "rfc_message_id"), "<fu-1-4@sender.example>");
    cr_expect_str_eq(text_of(json_array_get(events, 1), "event_id"), "<d1@mx.example> b@rcpt.example");
    json_decref(events);
    buf_fini(&b);
}

Test(mime, what_is_no_delivery_report_stays_a_reply)
{
    static const char *const mails[] = {
        /* a receipt */
        HEAD
        "Content-Type: multipart/report; report-type=disposition-notification; boundary=r\r\n\r\n" REPORT_TEXT REPORT_OF
        "Final-Recipient: rfc822;a@rcpt.example\r\nAction: failed\r\n--r--\r\n",
        /* a person who attaches one */
        HEAD "Content-Type: multipart/mixed; boundary=r\r\n\r\n" REPORT_TEXT REPORT_OF
             "Final-Recipient: rfc822;a@rcpt.example\r\nAction: failed\r\n--r--\r\n",
        /* a report that says nothing */
        REPORT_HEAD REPORT_TEXT REPORT_OF "--r--\r\n",
    };
    for (size_t i = 0; i < sizeof mails / sizeof mails[0]; i++) {
        json_t *r = read_mail(mails[i]);
        cr_expect_str_eq(text_of(r, "kind"), "replied");
        cr_expect_str_eq(text_of(r, "text"), "I'm sorry to have to inform you");
        cr_expect_eq(strncmp(header_of(r, "Content-Type"), "multipart/", 10), 0);
        json_decref(r);
    }
}

/* ---- bounds and bad input ---- */

Test(mime, headers_are_bounded)
{
    struct buf b;
    buf_init(&b, 1 << 22);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(buf_format(&b, "X-Header-%d: %d\r\n", i, i), OK);
    cr_assert_eq(buf_text(&b, HEAD "\r\nHello\r\n"), OK);
    json_t *r = read_mail(b.data);
    cr_expect_eq(json_array_size(json_object_get(r, "headers")), REPLY_HEADERS_MAX);
    cr_expect_str_eq(text_of(r, "from"), "bob@rcpt.example", "what is not kept is read");
    json_decref(r);
    buf_clear(&b);
    for (int i = 0; i < 40; i++) {
        cr_assert_eq(buf_format(&b, "X-Header-%d: ", i), OK);
        for (int k = 0; k < 10000; k++)
            cr_assert_eq(buf_add(&b, "x", 1), OK);
        cr_assert_eq(buf_text(&b, "\r\n"), OK);
    }
    cr_assert_eq(buf_text(&b, "Subject: s\r\n\r\n"), OK);
    r = read_mail(b.data);
    char *text = json_dumps(json_object_get(r, "headers"), 0);
    cr_expect_leq(strlen(text), REPLY_HEADERS_BYTES_MAX + 100 * 10);
    cr_expect_str_eq(header_of(r, "Subject"), "s", "what fits is kept");
    free(text);
    json_decref(r);
    buf_fini(&b);
}

Test(mime, references_keep_the_first_and_the_last)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    cr_assert_eq(buf_text(&b, "References:"), OK);
    for (int i = 0; i < 200; i++)
        cr_assert_eq(buf_format(&b, " <%d@x>\r\n", i), OK);
    cr_assert_eq(buf_text(&b, "\r\nHello"), OK);
    json_t *r = read_mail(b.data), *list = json_object_get(r, "references");
    cr_expect_eq(json_array_size(list), REPLY_REFERENCES_MAX);
    cr_expect_str_eq(json_string_value(json_array_get(list, 0)), "<0@x>");
    cr_expect_str_eq(json_string_value(json_array_get(list, 1)), "<151@x>");
    cr_expect_str_eq(json_string_value(json_array_get(list, REPLY_REFERENCES_MAX - 1)), "<199@x>");
    json_decref(r);
    buf_fini(&b);
}

Test(mime, a_long_text_is_cut_at_a_character)
{
    struct buf b;
    buf_init(&b, 1 << 22);
    cr_assert_eq(buf_text(&b, HEAD "Content-Type: text/plain; charset=utf-8\r\n\r\nx"), OK);
    for (int i = 0; i < 300000; i++)
        cr_assert_eq(buf_text(&b, "ä"), OK);
    json_t *r = read_mail(b.data);
    cr_expect_str_eq(text_of(r, "text_cut"), "true");
    static const char *const keys[] = { "text", "full_text" };
    for (size_t i = 0; i < 2; i++) {
        size_t bytes = strlen(text_of(r, keys[i]));
        cr_expect_eq(bytes, REPLY_TEXT_BYTES_MAX - 1, "%zu", bytes);
        cr_expect(utf8_valid(text_of(r, keys[i]), bytes));
    }
    json_decref(r);
    buf_fini(&b);
}

static void nest(struct buf *b, int levels)
{
    buf_init(b, 1 << 22);
    cr_assert_eq(buf_text(b, HEAD), OK);
    for (int i = 0; i < levels; i++)
        cr_assert_eq(buf_format(b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i), OK);
    cr_assert_eq(buf_text(b, "Content-Type: text/plain\r\n\r\ndeep\r\n"), OK);
    for (int i = levels - 1; i >= 0; i--)
        cr_assert_eq(buf_format(b, "--b%d--\r\n", i), OK);
}

Test(mime, nesting_is_bounded)
{
    struct buf b;
    nest(&b, 20);
    expect_text(b.data, "deep");
    buf_fini(&b);
    nest(&b, 21);
    expect_text(b.data, "(none)");
    buf_fini(&b);
    nest(&b, 4900);
    expect_text(b.data, "(none)");
    buf_fini(&b);
}

Test(mime, attached_mails_nest_without_harm)
{
    struct buf b;
    buf_init(&b, 1 << 24);
    cr_assert_eq(buf_text(&b, HEAD), OK);
    for (int i = 0; i < 20000; i++)
        cr_assert_eq(buf_text(&b, "Content-Type: message/rfc822\r\n\r\n"), OK);
    cr_assert_eq(buf_text(&b, "Subject: x\r\n\r\ndeep"), OK);
    expect_text(b.data, "(none)");
    buf_fini(&b);
}

/* GMime calls itself for each group in a group: many of them would end the process. */
Test(mime, groups_in_addresses_nest_without_harm)
{
    static const char *const before[] = { "", "From: a@b.example\r\nContent-Type: message/rfc822\r\n\r\n" };
    static const char *const names[] = { "To:", "Resent-Reply-To \t:", "cc: x\r\n " };
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < 3; k++) {
            struct buf b;
            buf_init(&b, 1 << 24);
            cr_assert_eq(buf_format(&b, "Subject: s\r\n%s%s", before[i], names[k]), OK);
            for (int n = 0; n < 250000; n++)
                cr_assert_eq(buf_text(&b, "g:"), OK);
            cr_assert_eq(buf_text(&b, "\r\n\r\nx"), OK);
            json_t *r = read_mail(b.data);
            cr_expect_str_eq(text_of(r, "subject"), "s");
            json_decref(r);
            buf_fini(&b);
        }
    }
}

/* What costs the parser much is read to its bound; what is before it, and an attachment of any size, is read. */
Test(mime, a_mail_is_read_to_where_it_is_over_a_bound)
{
    struct buf b;
    buf_init(&b, 1 << 24);
    cr_assert_eq(buf_text(&b, HEAD "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: image/png\r\n"
                                   "Content-Transfer-Encoding: base64\r\n\r\n"),
                 OK);
    for (int i = 0; i < 50000; i++)
        cr_assert_eq(buf_text(&b, "QUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJD\r\n"),
                     OK);
    cr_assert_eq(buf_text(&b, "--x\r\n\r\nbehind 4 MB\r\n"), OK);
    for (int i = 0; i < 50000; i++)
        cr_assert_eq(buf_text(&b, "--x\r\n\r\n \r\n"), OK);
    cr_assert_eq(buf_text(&b, "--x\r\n\r\nbehind the bound\r\n--x--\r\n"), OK);
    expect_text(b.data, "behind 4 MB");
    buf_clear(&b);
    cr_assert_eq(buf_text(&b, HEAD "X: "), OK);
    for (int i = 0; i < 600 * 1024; i++)
        cr_assert_eq(buf_add(&b, "x", 1), OK);
    cr_assert_eq(buf_text(&b, "\r\nSubject: behind the bound\r\n\r\nx"), OK);
    json_t *r = read_mail(b.data);
    cr_expect_str_eq(text_of(r, "from"), "bob@rcpt.example");
    cr_expect_null(text_of(r, "subject"));
    json_decref(r);
    buf_fini(&b);
}

Test(mime, broken_mails_are_read_as_far_as_they_go)
{
    static const char nul[] = HEAD "Subject: a\0b\r\nContent-Type: text/plain\r\n\r\nx\0y\r\n";
    json_t *r = read_bytes(nul, sizeof nul - 1);
    cr_expect_str_eq(text_of(r, "text"), "xy");
    json_decref(r);
    expect_text(HEAD "Content-Type: multipart/mixed; boundary=x\r\n\r\n--y\r\nContent-Type: text/plain\r\n\r\nwrong "
                     "boundary\r\n--y--\r\n",
                "(none)");
    expect_text(HEAD "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\ncut off",
                "cut off");
    expect_text(HEAD "Content-Type: multipart/mixed\r\n\r\n--x\r\nno boundary at all", "(none)");
    expect_text(HEAD "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!\r\nSGk=",
                "Hi");
}

Test(mime, a_mail_without_headers_is_refused)
{
    struct buf b;
    struct err e;
    form_of(&b, "", 0);
    refused("sendgrid", FORM_TYPE, b.data, b.used, &e);
    cr_expect_str_eq(e.text, "sendgrid: the mail has no headers within its bounds");
    buf_fini(&b);
}

/* The first of all calls too: GMime begins once. */
struct reader {
    pthread_t thread;
    const struct buf *form;
    json_t *read; /* what it read first; NULL: it did not always read the same */
};

static void *read_many_times(void *arg)
{
    struct reader *r = arg;
    for (int i = 0; i < 50; i++) {
        json_t *events = NULL;
        if (reply_read("sendgrid", FORM_TYPE, r->form->data, r->form->used, &events, NULL) != OK)
            return NULL;
        if (r->read == NULL)
            r->read = json_incref(events);
        bool same = json_equal(r->read, events);
        json_decref(events);
        if (!same) {
            json_decref(r->read);
            r->read = NULL;
            return NULL;
        }
    }
    return NULL;
}

Test(mime, several_threads_may_read_at_once)
{
    static const char mail[] =
        "From: =?koi8-r?B?8NLJ18XU?= <a@b.example>\r\nTo: x@y.example\r\nSubject: "
        "=?iso-2022-jp?B?GyRCJCIbKEI=?=\r\nMessage-ID: <m@x>\r\n"
        "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: text/plain; charset=gb2312\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n0LvQuw==\r\n--o\r\nContent-Type: text/html; "
        "charset=big5\r\n\r\n<p>\xc1\xc2\r\n--o--\r\n";
    struct buf form;
    form_of(&form, mail, sizeof mail - 1);
    struct reader readers[4] = { 0 };
    for (size_t i = 0; i < 4; i++) {
        readers[i].form = &form;
        cr_assert_eq(pthread_create(&readers[i].thread, NULL, read_many_times, &readers[i]), 0);
    }
    for (size_t i = 0; i < 4; i++)
        pthread_join(readers[i].thread, NULL);
    cr_assert_not_null(readers[0].read);
    cr_expect_str_eq(text_of(json_array_get(readers[0].read, 0), "text"), "谢谢\n謝");
    for (size_t i = 0; i < 4; i++) {
        cr_expect(json_equal(readers[i].read, readers[0].read));
        json_decref(i > 0 ? readers[i].read : NULL);
    }
    json_decref(readers[0].read);
    buf_fini(&form);
}

/* Cut anywhere, nothing is read past the end, and what comes out is UTF-8 (jansson takes no other). */
Test(mime, every_shorter_mail_is_survived)
{
    static const char mail[] =
        REPORT_HEAD REPORT_TEXT REPORT_OF "Final-Recipient: rfc822;=?utf-8?q?=C3?=\r\nAction: failed\r\nStatus: "
                                          "5.1.1\r\nDiagnostic-Code: x; \xc3\xbc\r\n" REPORT_END;
    for (size_t bytes = 0; bytes < sizeof mail - 1; bytes++) {
        struct buf b;
        json_t *events = NULL;
        form_of(&b, mail, bytes);
        enum status st = reply_read("sendgrid", FORM_TYPE, b.data, b.used, &events, NULL);
        cr_expect(st == OK ? json_array_size(events) == 1 : st == E_INVALID);
        json_decref(events);
        buf_fini(&b);
    }
}
