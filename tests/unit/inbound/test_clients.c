/* What mail programs make of an answer, from the HTML that they send to what the person wrote: our own mails, in the
 * structure of each program. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "reading.h"

static void expect_text(const char *charset, const char *html, const char *text)
{
    struct buf b;
    char charsets[100];
    snprintf(charsets, sizeof charsets, "{\"html\":\"%s\"}", charset);
    form_begin(&b);
    form_field(&b, "headers", "From: bob@rcpt.example\nSubject: Re: Hi\n");
    form_field(&b, "html", html);
    form_field(&b, "charsets", charsets);
    form_end(&b);
    json_t *r = read_one("sendgrid", FORM_TYPE, b.data, b.used);
    cr_expect_str_eq(text_of(r, "text"), text, "%s", text_of(r, "text"));
    cr_expect(strstr(text_of(r, "full_text"), "sender.example") != NULL, "the quotation is in full_text");
    cr_expect_str_eq(text_of(r, "html") != NULL ? "html" : "", "html");
    json_decref(r);
    buf_fini(&b);
}

Test(clients, outlook_for_windows)
{
    expect_text(
        "us-ascii",
        "<html xmlns:v=\"urn:schemas-microsoft-com:vml\" xmlns:o=\"urn:schemas-microsoft-com:office:office\"><head>"
        "<meta http-equiv=Content-Type content=\"text/html; charset=us-ascii\"><style><!-- /* Font Definitions */ "
        "@font-face {font-family:Calibri;} p.MsoNormal {margin:0cm;} --></style><!--[if gte mso "
        "9]><xml><o:shapedefaults "
        "v:ext=\"edit\" spidmax=\"1026\" /></xml><![endif]--></head><body lang=DE link=\"#0563C1\"><div "
        "class=WordSection1>"
        "<p class=MsoNormal>Guten Tag,<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>bitte "
        "rufen Sie "
        "mich am Dienstag an.<o:p></o:p></p><p class=MsoNormal>Gr&uuml;&szlig;e, J&ouml;rg<o:p></o:p></p><p "
        "class=MsoNormal>"
        "<o:p>&nbsp;</o:p></p><div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'>"
        "<p class=MsoNormal><b>Von:</b> Ada &lt;ada@sender.example&gt; <br><b>Gesendet:</b> Donnerstag, 2. April 2026 "
        "10:00<br>"
        "<b>An:</b> J&ouml;rg &lt;joerg@rcpt.example&gt;<br><b>Betreff:</b> Ihre Anfrage<o:p></o:p></p></div></div>"
        "<p class=MsoNormal>Hallo<o:p></o:p></p><p class=MsoNormal><a "
        "href=\"https://u.sender.example/x\">Abmelden</a></p></div></body></html>",
        "Guten Tag,\n\nbitte rufen Sie mich am Dienstag an.\n\nGrüße, Jörg");
}

Test(clients, outlook_on_the_web)
{
    expect_text("utf-8",
                "<html><head><style type=\"text/css\" style=\"display:none;\"> P {margin-top:0;margin-bottom:0;} "
                "</style></head><body dir=\"ltr\">"
                "<div class=\"elementToProof\" style=\"font-size: 12pt;\">Stop sending me these.</div><div "
                "id=\"appendonsend\"></div>"
                "<hr style=\"display:inline-block;width:98%\" tabindex=\"-1\"><div id=\"divRplyFwdMsg\" "
                "dir=\"ltr\"><font face=\"Calibri\"><b>From:</b> "
                "Ada &lt;ada@sender.example&gt;<br><b>Sent:</b> Thursday, April 2, 2026 10:00 AM<br><b>To:</b> "
                "Bob<br><b>Subject:</b> Hi</font>"
                "<div>&nbsp;</div></div><div>We love you. Unsubscribe here.</div></body></html>",
                "Stop sending me these.");
}

Test(clients, gmail)
{
    expect_text("utf-8",
                "<div dir=\"ltr\">Oui, avec plaisir&nbsp;!<div><br></div><div>Zoé</div></div><br><div "
                "class=\"gmail_quote gmail_quote_container\">"
                "<div dir=\"ltr\" class=\"gmail_attr\">Le&nbsp;jeu. 2 avr. 2026 à&nbsp;10:00, Ada &lt;<a "
                "href=\"mailto:ada@sender.example\">"
                "ada@sender.example</a>&gt; a écrit&nbsp;:<br></div><blockquote class=\"gmail_quote\" "
                "style=\"margin:0px 0px 0px 0.8ex\"><div>Bonjour"
                "<br><br>Se désabonner</div></blockquote></div>",
                "Oui, avec plaisir !\n\nZoé");
}

Test(clients, apple_mail)
{
    expect_text("utf-8",
                "<html><head></head><body dir=\"auto\">Sí, el martes<br id=\"lineBreakAtBeginningOfSignature\"><div "
                "dir=\"ltr\">Enviado desde mi "
                "iPhone</div><div dir=\"ltr\"><br><blockquote type=\"cite\">El 2 abr 2026, a las 10:00, Ada "
                "&lt;ada@sender.example&gt; escribió:<br>"
                "<br></blockquote></div><blockquote type=\"cite\"><div "
                "dir=\"ltr\">Hola<br>¿Hablamos?</div></blockquote></body></html>",
                "Sí, el martes\nEnviado desde mi iPhone");
}

Test(clients, yahoo)
{
    expect_text("iso-8859-1",
                "<html><body><div class=\"ydp1yahoo-style-wrap\"><div dir=\"ltr\">No thanks, we bought "
                "elsewhere.</div><div><br></div></div>"
                "<div id=\"yahoo_quoted_1\" class=\"yahoo_quoted\"><div>\n<div>On Thursday, April 2, 2026 at 10:00:00 "
                "AM GMT+2, Ada "
                "&lt;ada@sender.example&gt; wrote:</div><div><br></div><div>Hi "
                "caf\xe9<br>Unsubscribe</div></div></div></body></html>",
                "No thanks, we bought elsewhere.");
}

Test(clients, thunderbird_with_answers_between)
{
    expect_text("koi8-r",
                "<html><body><div class=\"moz-cite-prefix\">02.04.2026 10:00, Ada &lt;ada@sender.example&gt; "
                "\xd0\xc9\xdb\xc5\xd4:<br></div>"
                "<blockquote type=\"cite\"><p>\xf7\xc1\xcd \xd5\xc4\xcf\xc2\xce\xcf?</p></blockquote><p>\xe4\xc1</p>"
                "<blockquote type=\"cite\"><p>\xf3\xcb\xcf\xcc\xd8\xcb\xcf "
                "\xd7\xc1\xd3?</p></blockquote><p>\xf0\xd1\xd4\xd8</p></body></html>",
                "Да\n\n\nПять");
}

Test(clients, outlook_in_chinese)
{
    expect_text("gb2312",
                "<html><body><div>\xd0\xbb\xd0\xbb\xa3\xac\xc7\xeb\xb8\xf8\xce\xd2\xb4\xf2\xb5\xe7\xbb\xb0</"
                "div><hr><div><b>\xb7\xa2\xbc\xfe\xc8\xcb:</b> Ada "
                "&lt;ada@sender.example&gt;<br><b>\xb7\xa2\xcb\xcd\xca\xb1\xbc\xe4:</b> 2026-04-02 "
                "10:00<br><b>\xca\xd5\xbc\xfe\xc8\xcb:</b> Bob<br>"
                "<b>\xd6\xf7\xcc\xe2:</b> Hi<br></div><div>Hi</div></body></html>",
                "谢谢，请给我打电话");
}
