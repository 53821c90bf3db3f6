/* SendGrid Inbound Parse, in the shape of docs.sendgrid.com "Setting up the Inbound Parse Webhook": our own mails. */
#include <criterion/criterion.h>

#include "reading.h"

static const char headers[] =
    "Received: by mx0047p1mdw1.sendgrid.net with SMTP id 6WCVv7KAWn Thu, 02 Apr 2026 08:00:05 +0000\n"
    "From: =?iso-8859-1?Q?J=FCrgen_Gro=DF?= <Juergen.Gross@Rcpt.Example>\n"
    "To: Ada <reply+T0k3n@in.sender.example>\n"
    "Subject: =?utf-8?B?UmU6IElocmUgQW5mcmFnZSDigJMgVGVybWlu?=\n"
    "Date: Thu, 2 Apr 2026 10:00:00 +0200\n"
    "Message-ID: <r1@rcpt.example>\n"
    "In-Reply-To: <fu-1-3@sender.example>\n"
    "References: <fu-1-1@sender.example>\n <fu-1-3@sender.example>\n"
    "Content-Type: multipart/alternative; boundary=abc\n";

static json_t *read_form(struct buf *b)
{
    json_t *reply = read_one("sendgrid", FORM_TYPE, b->data, b->used);
    buf_fini(b);
    return reply;
}

Test(reply_sendgrid, a_mail_in_pieces_becomes_one_reply_each_field_in_its_own_charset)
{
    struct buf b;
    form_begin(&b);
    form_field(&b, "headers", headers);
    form_field(&b, "dkim", "{@rcpt.example : pass}");
    form_field(&b, "to", "Ada <reply+T0k3n@in.sender.example>");
    form_field(&b, "from", "wrong <wrong@wrong.example>");
    form_field(
        &b, "text",
        "Ja, Dienstag pa\xdft. Grü\x80\r\n\r\nAm Do., 2. Apr. 2026 um 09:00 schrieb Ada <ada@sender.example>:\r\n"
        "> M\xf6gen Sie?\r\n> Abmelden: https://u.sender.example/x\r\n");
    form_field(&b, "html", "<p>never read</p>");
    form_field(&b, "envelope", "{\"to\":[\"reply+T0k3n@in.sender.example\"],\"from\":\"juergen@rcpt.example\"}");
    form_field(&b, "charsets", "{\"to\":\"UTF-8\",\"subject\":\"UTF-8\",\"from\":\"UTF-8\",\"text\":\"iso-8859-1\"}");
    form_field(&b, "SPF", "pass");
    form_field(&b, "attachments", "1");
    form_file(&b, "attachment1", "image/png", "\x89PNG\r\n--xYzZ\r\nnot the boundary");
    form_end(&b);
    json_t *r = read_form(&b);
    cr_expect_str_eq(text_of(r, "kind"), "replied");
    cr_expect_str_eq(text_of(r, "provider_type"), "sendgrid");
    cr_expect_str_eq(text_of(r, "event_id"), "<r1@rcpt.example> reply+T0k3n@in.sender.example");
    cr_expect_str_eq(text_of(r, "from"), "juergen.gross@rcpt.example");
    cr_expect_str_eq(text_of(r, "from_name"), "Jürgen Groß");
    cr_expect_str_eq(text_of(r, "sender"), "juergen@rcpt.example");
    cr_expect_str_eq(list_of(r, "recipients"), "reply+T0k3n@in.sender.example");
    cr_expect_str_eq(text_of(r, "subject"), "Re: Ihre Anfrage – Termin");
    cr_expect_str_eq(text_of(r, "text"), "Ja, Dienstag paßt. GrÃ¼€");
    cr_expect_str_eq(text_of(r, "full_text"),
                     "Ja, Dienstag paßt. GrÃ¼€\n\nAm Do., 2. Apr. 2026 um 09:00 schrieb Ada <ada@sender.example>:\n"
                     "> Mögen Sie?\n> Abmelden: https://u.sender.example/x\n");
    cr_expect_null(text_of(r, "html"));
    cr_expect_null(text_of(r, "text_cut"));
    cr_expect_str_eq(text_of(r, "message_id"), "<r1@rcpt.example>");
    cr_expect_str_eq(text_of(r, "in_reply_to"), "<fu-1-3@sender.example>");
    cr_expect_str_eq(list_of(r, "references"), "<fu-1-1@sender.example> <fu-1-3@sender.example>");
    cr_expect_str_eq(text_of(r, "occurred_at"), "2026-04-02T08:00:00.000000Z");
    cr_expect_str_eq(text_of(r, "spf"), "pass");
    cr_expect_str_eq(text_of(r, "dkim"), "pass");
    cr_expect_null(text_of(r, "dmarc"));
    cr_expect_eq(json_array_size(json_object_get(r, "headers")), 9);
    cr_expect_str_eq(header_of(r, "References"), "<fu-1-1@sender.example> <fu-1-3@sender.example>");
    json_decref(r);
}

Test(reply_sendgrid, a_raw_mail_is_read_as_mime)
{
    struct buf b;
    form_begin(&b);
    form_field(&b, "envelope", "{\"to\":[\"reply+T@in.sender.example\"],\"from\":\"\"}");
    form_field(&b, "SPF", "softfail");
    form_field(&b, "dkim", "{@a.example : fail, @b.example : fail}");
    form_field(&b, "email",
               "From: Bob <bob@rcpt.example>\r\nTo: x@y.example\r\nSubject: Re: Hi\r\nMessage-ID: <r2@rcpt.example>\r\n"
               "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
               "Content-Transfer-Encoding: quoted-printable\r\n\r\nYes =E2=80=93 pl=\r\nease.\r\n");
    form_end(&b);
    json_t *r = read_form(&b);
    cr_expect_str_eq(text_of(r, "text"), "Yes – please.");
    cr_expect_str_eq(text_of(r, "from"), "bob@rcpt.example");
    cr_expect_str_eq(text_of(r, "sender"), "");
    cr_expect_str_eq(list_of(r, "recipients"), "reply+T@in.sender.example");
    cr_expect_null(text_of(r, "spf"), "softfail is neither");
    cr_expect_str_eq(text_of(r, "dkim"), "fail");
    json_decref(r);
}
