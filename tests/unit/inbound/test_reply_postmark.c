/* Postmark inbound, in the shape of postmarkapp.com "Parse an email": our own mails. */
#include <criterion/criterion.h>
#include <string.h>

#include "reading.h"

#define JSON "application/json"

static const char mail[] =
    "{\"FromName\":\"Bob\",\"MessageStream\":\"inbound\",\"From\":\"Bob@Rcpt.Example\",\"FromFull\":{\"Email\":\"Bob@"
    "Rcpt.Example\","
    "\"Name\":\"B\\u00f6b \\ud83d\\ude00\",\"MailboxHash\":\"\"},\"To\":\"\\\"Ada\\\" "
    "<hash+T0k3n@inbound.postmarkapp.com>\","
    "\"ToFull\":[{\"Email\":\"hash+T0k3n@inbound.postmarkapp.com\",\"Name\":\"Ada\",\"MailboxHash\":\"T0k3n\"}],\"Cc\":"
    "\"\",\"CcFull\":[],"
    "\"OriginalRecipient\":\"hash+T0k3n@inbound.postmarkapp.com\",\"Subject\":\"Re: "
    "Hi\",\"MessageID\":\"73e6d360-66eb-11e1-8e72-a8904824019b\","
    "\"ReplyTo\":\"\",\"MailboxHash\":\"T0k3n\",\"Date\":\"Thu, 2 Apr 2026 10:00:00 +0200\",\"TextBody\":\"Call "
    "me\\r\\n\\r\\n> Hi\\r\\n> there\","
    "\"HtmlBody\":\"<p>Call me</p>\",\"StrippedTextReply\":\"Call me\",\"Tag\":\"\",\"Headers\":["
    "{\"Name\":\"Return-Path\",\"Value\":\"<bob@rcpt.example>\"},{\"Name\":\"Received-SPF\",\"Value\":\"Pass (sender "
    "SPF authorized) identity=mailfrom\"},"
    "{\"Name\":\"X-Spam-Tests\",\"Value\":\"DKIM_SIGNED,DKIM_VALID,DKIM_VALID_AU,SPF_PASS\"},"
    "{\"Name\":\"Message-ID\",\"Value\":\"<r3@rcpt.example>\"},{\"Name\":\"References\",\"Value\":\"<fu-1-1@sender."
    "example> <fu-1-3@sender.example>\"},"
    "{\"Name\":\"In-Reply-To\",\"Value\":\"<fu-1-3@sender.example>\"},{\"Name\":\"Auto-Submitted\",\"Value\":\"no\"}],"
    "\"Attachments\":[{\"Name\":\"x.png\",\"Content\":\"iVBORw0KGgo=\",\"ContentType\":\"image/"
    "png\",\"ContentLength\":8}]}";

Test(reply_postmark, a_mail_becomes_one_reply)
{
    json_t *r = read_one("postmark", JSON, mail, sizeof mail - 1);
    cr_expect_str_eq(text_of(r, "event_id"), "73e6d360-66eb-11e1-8e72-a8904824019b");
    cr_expect_str_eq(text_of(r, "from"), "bob@rcpt.example");
    cr_expect_str_eq(text_of(r, "from_name"), "Böb 😀");
    cr_expect_str_eq(text_of(r, "sender"), "bob@rcpt.example");
    cr_expect_str_eq(list_of(r, "recipients"), "hash+T0k3n@inbound.postmarkapp.com");
    cr_expect_str_eq(text_of(r, "subject"), "Re: Hi");
    cr_expect_str_eq(text_of(r, "occurred_at"), "2026-04-02T08:00:00.000000Z");
    cr_expect_str_eq(text_of(r, "text"), "Call me");
    cr_expect_str_eq(text_of(r, "full_text"), "Call me\n\n> Hi\n> there");
    cr_expect_null(text_of(r, "html"));
    cr_expect_str_eq(text_of(r, "message_id"), "<r3@rcpt.example>");
    cr_expect_str_eq(text_of(r, "in_reply_to"), "<fu-1-3@sender.example>");
    cr_expect_str_eq(list_of(r, "references"), "<fu-1-1@sender.example> <fu-1-3@sender.example>");
    cr_expect_str_eq(text_of(r, "spf"), "pass");
    cr_expect_str_eq(text_of(r, "dkim"), "pass");
    cr_expect_str_eq(header_of(r, "Auto-Submitted"), "no");
    cr_expect_str_eq(header_of(r, "Date"), "Thu, 2 Apr 2026 10:00:00 +0200");
    json_decref(r);
}

Test(reply_postmark, an_attached_delivery_status_is_a_report)
{
    static const char body[] =
        "{\"MessageID\":\"u-1\",\"From\":\"mailer-daemon@mx.example\",\"TextBody\":\"Sorry\",\"Headers\":[{\"Name\":"
        "\"Content-Type\","
        "\"Value\":\"multipart/report; report-type=delivery-status; "
        "boundary=x\"}],\"Attachments\":[{\"Name\":\"d\",\"ContentType\":"
        "\"message/delivery-status\",\"Content\":"
        "\"RmluYWwtUmVjaXBpZW50OiByZmM4MjI7IGJvYkByY3B0LmV4YW1wbGUKQWN0aW9uOiBmYWlsZWQKU3RhdHVzOiA1LjEuMQo=\"}]}";
    json_t *r = read_one("postmark", JSON, body, sizeof body - 1);
    cr_expect_str_eq(text_of(r, "kind"), "bounced");
    cr_expect_str_eq(text_of(r, "event_id"), "u-1 bob@rcpt.example");
    cr_expect_str_eq(text_of(r, "status"), "5.1.1");
    json_decref(r);
}

Test(reply_postmark, bad_input_is_refused_with_the_place)
{
    static const struct {
        const char *body, *why;
        size_t bytes;
    } bad[] = {
        { "", "postmark: empty", 0 },
        { "[]", "postmark: no JSON object", 2 },
        { "{\"MessageID\":\"x\"", "postmark: no JSON that we take, at byte 16", 16 },
        { "{}", "postmark: no MessageID", 2 },
        { "{\"MessageID\":7}", "postmark: MessageID is no string", 15 },
        { "{\"MessageID\":\"x\",\"MessageID\":\"y\"}", "postmark: no JSON that we take, at byte 28", 33 },
        { "{\"MessageID\":\"x\\u0000\"}", "postmark: no JSON that we take, at byte 22", 23 },
        { "{\"MessageID\":\"\xff\"}", "postmark: no JSON that we take, at byte 13", 17 },
        { "{\"MessageID\":\"x\",\"Headers\":{}}", "postmark: Headers is no array", 30 },
        { "{\"MessageID\":\"x\",\"Headers\":[{\"Name\":\"a\"}]}",
          "postmark: Headers[0] has no Name and Value that are strings", 42 },
        { "{\"MessageID\":\"x\",\"TextBody\":[]}", "postmark: TextBody is no string", 31 },
        { "{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}", "postmark: JSON deeper than 32",
          70 },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err e;
        cr_expect_eq(refused("postmark", JSON, bad[i].body, bad[i].bytes, &e), E_INVALID);
        cr_expect_eq(strncmp(e.text, bad[i].why, strcspn(bad[i].why, "0123456789")), 0, "%s: %s", bad[i].why, e.text);
    }
}

/* Cut anywhere, it is refused: nothing of a truncated body is taken for a mail. */
Test(reply_postmark, every_shorter_body_is_refused)
{
    struct err e;
    for (size_t bytes = 0; bytes < sizeof mail - 1; bytes += 7)
        refused("postmark", JSON, mail, bytes, &e);
}
