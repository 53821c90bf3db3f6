/* SES receiving through SNS, in the shape of the developer guide's "Contents of notifications": our own mails. */
#include <criterion/criterion.h>
#include <glib.h>
#include <string.h>

#include "reading.h"

#define PLAIN "text/plain; charset=UTF-8"

static const char raw[] =
    "Return-Path: <bob@rcpt.example>\r\nFrom: Bob <bob@rcpt.example>\r\nTo: reply+T@in.sender.example\r\n"
    "Subject: =?utf-8?q?Re:_=E4=BD=A0=E5=A5=BD?=\r\nDate: Thu, 2 Apr 2026 10:00:00 +0200\r\nMessage-ID: "
    "<r5@rcpt.example>\r\n"
    "In-Reply-To: <0100017aa-x@email.amazonses.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; "
    "charset=gb2312\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\n0LvQuw==\r\n";

/* The SNS envelope around a notification; content NULL: none. */
static json_t *read_mail(const char *content, const char *encoding)
{
    json_t *action = json_pack("{s:s}", "type", "SNS");
    if (encoding != NULL)
        json_object_set_new(action, "encoding", json_string(encoding));
    json_t *notification = json_pack(
        "{s:s, s:{s:s, s:s, s:s, s:[{s:s,s:s},{s:s,s:s}]}, s:{s:s, s:[s,s], s:{s:s}, s:{s:s}, s:{s:s}, s:o}}",
        "notificationType", "Received", "mail", "messageId", "d6iitobk75ur44p8kdnnp7g2n800", "source",
        "bob@rcpt.example", "timestamp", "2026-04-02T08:00:01.250Z", "headers", "name", "From", "value",
        "Bob <bob@rcpt.example>", "name", "Subject", "value", "Big", "receipt", "timestamp", "2026-04-02T08:00:01.250Z",
        "recipients", "reply+T@in.sender.example", "other@in.sender.example", "spfVerdict", "status", "PASS",
        "dkimVerdict", "status", "GRAY", "dmarcVerdict", "status", "FAIL", "action", action);
    cr_assert_not_null(notification);
    if (content != NULL)
        json_object_set_new(notification, "content", json_string(content));
    char *message = json_dumps(notification, 0);
    json_t *envelope = json_pack("{s:s, s:s, s:s}", "Type", "Notification", "MessageId", "sns-1", "Message", message);
    char *body = json_dumps(envelope, 0);
    json_t *reply = read_one("ses", PLAIN, body, strlen(body));
    json_decref(notification);
    json_decref(envelope);
    free(message);
    free(body);
    return reply;
}

static void expect_the_mail(json_t *r)
{
    cr_expect_str_eq(text_of(r, "event_id"), "d6iitobk75ur44p8kdnnp7g2n800");
    cr_expect_str_eq(text_of(r, "occurred_at"), "2026-04-02T08:00:01.250000Z");
    cr_expect_str_eq(list_of(r, "recipients"), "reply+T@in.sender.example other@in.sender.example");
    cr_expect_str_eq(text_of(r, "from"), "bob@rcpt.example");
    cr_expect_str_eq(text_of(r, "sender"), "bob@rcpt.example");
    cr_expect_str_eq(text_of(r, "subject"), "Re: 你好");
    cr_expect_str_eq(text_of(r, "text"), "谢谢");
    cr_expect_str_eq(text_of(r, "in_reply_to"), "<0100017aa-x@email.amazonses.com>");
    cr_expect_str_eq(text_of(r, "spf"), "pass");
    cr_expect_null(text_of(r, "dkim"), "gray is neither");
    cr_expect_str_eq(text_of(r, "dmarc"), "fail");
    json_decref(r);
}

Test(reply_ses, the_mail_is_read_as_text_and_as_base64)
{
    char *base64 = g_base64_encode((const guchar *)raw, sizeof raw - 1);
    expect_the_mail(read_mail(raw, "UTF8"));
    expect_the_mail(read_mail(raw, NULL));
    expect_the_mail(read_mail(base64, "BASE64"));
    expect_the_mail(read_mail(base64, NULL));
    g_free(base64);
}

Test(reply_ses, without_content_the_headers_make_the_reply)
{
    json_t *r = read_mail(NULL, NULL);
    cr_expect_str_eq(text_of(r, "from"), "bob@rcpt.example");
    cr_expect_str_eq(text_of(r, "subject"), "Big");
    cr_expect_null(text_of(r, "text"));
    cr_expect_null(text_of(r, "full_text"));
    json_decref(r);
}

Test(reply_ses, bad_input_is_refused_with_the_place)
{
    static const struct {
        const char *body, *why;
    } bad[] = {
        { "{\"Type\":\"Notification\"}", "ses: Message: empty" },
        { "{\"Message\":7}", "ses: Message is no string" },
        { "{\"Message\":\"[]\"}", "ses: Message: no JSON object" },
        { "{\"Message\":\"{}\"}", "ses: Message: its notificationType is not Received" },
        { "{\"Message\":\"{\\\"notificationType\\\":\\\"Bounce\\\"}\"}",
          "ses: Message: its notificationType is not Received" },
        { "{\"Message\":\"{\\\"notificationType\\\":\\\"Received\\\"}\"}", "ses: mail: no messageId" },
        { "{\"Message\":\"{\\\"notificationType\\\":\\\"Received\\\",\\\"mail\\\":{\\\"messageId\\\":\\\"x\\\"},"
          "\\\"receipt\\\":"
          "{\\\"recipients\\\":[1]}}\"}",
          "ses: receipt: recipients[0] is no string" },
        { "{\"Message\":\"{\\\"notificationType\\\":\\\"Received\\\",\\\"mail\\\":{\\\"messageId\\\":\\\"x\\\"},"
          "\\\"content\\\":\\\"\\\\n\\\"}\"}",
          "ses: the mail has no headers within its bounds" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err e;
        refused("ses", PLAIN, bad[i].body, strlen(bad[i].body), &e);
        cr_expect_str_eq(e.text, bad[i].why);
    }
}

Test(reply_ses, a_type_without_a_reader_is_refused)
{
    struct err e;
    cr_expect_eq(refused("resend", PLAIN, "{}", 2, &e), E_INVALID);
    cr_expect_str_eq(e.text, "resend: a provider whose inbound mail is not read");
}
