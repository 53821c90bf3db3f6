/* Mailgun routes: forward() in pieces, urlencoded and multipart, and whole. */
#include <criterion/criterion.h>
#include <string.h>

#include "reading.h"

#define URLENCODED "application/x-www-form-urlencoded"

static json_t *read_form(struct buf *b)
{
    json_t *reply = read_one("mailgun", FORM_TYPE, b->data, b->used);
    buf_fini(b);
    return reply;
}

/* The body of "valid route post (inbound, form encoded)" among the signed webhooks of tests/data. */
Test(reply_mailgun, an_urlencoded_mail_becomes_one_reply)
{
    static const char body[] =
        "recipient=reply%2Bt0k3n%40in.sender.example&sender=bob%40rcpt.example&from=Bob+%3Cbob%40rcpt.example%3E&"
        "subject=Re%3A+Your+enquiry&body-plain=Yes+please%0D%0A%0D%0A%3E+quoted&stripped-text=Yes+please&"
        "message-headers=%5B%5B%22In-Reply-To%22%2C%22%3Cfu-1001.3%40sender.example%3E%22%5D%2C%5B%22Message-Id%22%2C"
        "%22%3Cr1%40rcpt.example%3E%22%5D%5D&timestamp=1771803672&token="
        "e1cd6c0048f9944d3261cfa43a2d066deb35b008def0fa2f7d"
        "&signature=40a104c0a7b515a1f294ad04a5f55f8e1fbc4d41a3b12a30193b1acc4661d17f";
    json_t *r = read_one("mailgun", URLENCODED, body, sizeof body - 1);
    cr_expect_str_eq(text_of(r, "event_id"), "<r1@rcpt.example> reply+t0k3n@in.sender.example");
    cr_expect_str_eq(text_of(r, "occurred_at"), "2026-02-22T23:41:12.000000Z");
    cr_expect_str_eq(list_of(r, "recipients"), "reply+t0k3n@in.sender.example");
    cr_expect_str_eq(text_of(r, "from"), "bob@rcpt.example");
    cr_expect_str_eq(text_of(r, "from_name"), "Bob");
    cr_expect_str_eq(text_of(r, "sender"), "bob@rcpt.example");
    cr_expect_str_eq(text_of(r, "subject"), "Re: Your enquiry");
    cr_expect_str_eq(text_of(r, "text"), "Yes please");
    cr_expect_str_eq(text_of(r, "full_text"), "Yes please\n\n> quoted");
    cr_expect_str_eq(text_of(r, "in_reply_to"), "<fu-1001.3@sender.example>");
    cr_expect_null(text_of(r, "spf"));
    json_decref(r);
}

Test(reply_mailgun, a_multipart_mail_without_text_is_read_from_its_html)
{
    struct buf b;
    form_begin(&b);
    form_field(&b, "recipient", "reply+T@in.sender.example");
    form_field(&b, "body-html",
               "<div>Merci, &agrave; bient&ocirc;t</div><div class=gmail_quote>Le jeu. 2 avr. 2026 &agrave; 10:00, Ada "
               "&lt;ada@sender.example&gt; a "
               "&eacute;crit&nbsp;:<blockquote>Bonjour<br>D&eacute;sinscription</blockquote></div>");
    form_field(&b, "stripped-text", "");
    form_field(&b, "message-headers",
               "[[\"X-Mailgun-Spf\",\"Pass\"],[\"X-Mailgun-Dkim-Check-Result\",\"Fail\"],[\"X-Mailgun-Spf\",\"Fail\"],"
               "[\"From\",\"=?utf-8?q?Zo=C3=AB?= <zoe@rcpt.example>\"],[\"Subject\",\"=?utf-8?q?Oui?=\"],"
               "[\"Message-Id\",\"<r9@rcpt.example>\"]]");
    form_file(&b, "attachment-1", "application/pdf", "%PDF");
    form_end(&b);
    json_t *r = read_form(&b);
    cr_expect_str_eq(text_of(r, "text"), "Merci, à bientôt");
    cr_expect(strstr(text_of(r, "full_text"), "> Désinscription") != NULL);
    cr_expect(strstr(text_of(r, "html"), "gmail_quote") != NULL);
    cr_expect_str_eq(text_of(r, "from_name"), "Zoë");
    cr_expect_str_eq(text_of(r, "subject"), "Oui");
    cr_expect_str_eq(text_of(r, "spf"), "pass", "the first is the provider's, a second the sender's");
    cr_expect_str_eq(text_of(r, "dkim"), "fail");
    json_decref(r);
}

Test(reply_mailgun, a_whole_mail_is_read_as_mime)
{
    struct buf b;
    form_begin(&b);
    form_field(&b, "recipient", "reply+T@in.sender.example");
    form_field(&b, "sender", "bounces@rcpt.example");
    form_field(&b, "timestamp", "1771803672");
    form_field(&b, "body-mime",
               "X-Mailgun-Spf: SoftFail\r\nX-Mailgun-Dkim-Check-Result: Pass\r\nFrom: bob@rcpt.example\r\nSubject: "
               "x\r\n\r\nHello\r\n");
    form_end(&b);
    json_t *r = read_form(&b);
    cr_expect_str_eq(text_of(r, "text"), "Hello");
    cr_expect_str_eq(text_of(r, "sender"), "bounces@rcpt.example");
    cr_expect_null(text_of(r, "spf"));
    cr_expect_str_eq(text_of(r, "dkim"), "pass");
    cr_expect_eq(strncmp(text_of(r, "event_id"), "sha256:", 7), 0, "neither provider nor mail has an id");
    json_decref(r);
}

Test(reply_mailgun, bad_input_is_refused_with_the_place)
{
    struct err e;
    refused("mailgun", URLENCODED, "recipient=a%40b.example", 23, &e);
    cr_expect_str_eq(e.text, "mailgun: neither body-mime nor message-headers among the fields");
    refused("mailgun", URLENCODED, "message-headers=[[1,2]]", 23, &e);
    cr_expect_str_eq(e.text, "mailgun: message-headers[0] is no pair of strings");
    refused("mailgun", URLENCODED, "message-headers={}", 18, &e);
    cr_expect_str_eq(e.text, "mailgun: message-headers: no JSON array");
    refused("mailgun", "text/plain", "x", 1, &e);
    cr_expect_str_eq(e.text, "mailgun: form: the content type is neither urlencoded nor form-data");
}
