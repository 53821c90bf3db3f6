#include "followupd/inbound/quote.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct buf out;

static const char *own(const char *text)
{
    buf_fini(&out);
    buf_init(&out, 20000);
    cr_assert_eq(quote_remove(text, strlen(text), &out), OK);
    return out.data != NULL ? out.data : "";
}

static void finish(void)
{
    buf_fini(&out);
}

TestSuite(quote, .fini = finish);

Test(quote, attributions_of_many_languages_go_with_what_they_quote)
{
    static const char *const attributions[] = {
        "On Thu, Apr 2, 2026 at 10:00 AM Ada <ada@sender.example> wrote:",
        "On Thu, Apr 2, 2026 at 10:00 AM Ada Lovelace Sales Assistant\n<ada@sender.example> wrote:",
        "On 02/04/2026 10:00, Ada wrote:",
        "Am 02.04.2026 um 10:00 schrieb Ada:",
        "Am Do., 2. Apr. 2026 um 10:00 Uhr schrieb Ada <ada@sender.example>:",
        "Am Do., 2. Apr. 2026 um 10:00 Uhr schrieb Ada <\nada@sender.example>:",
        "Le jeu. 2 avr. 2026 à 10:00, Ada <ada@sender.example> a écrit :",
        "El jue, 2 abr 2026 a las 10:00, Ada (<ada@sender.example>) escribió:",
        "Em qui., 2 de abr. de 2026 às 10:00, Ada <ada@sender.example> escreveu:",
        "Il giorno gio 2 apr 2026 alle ore 10:00 Ada <ada@sender.example> ha scritto:",
        "Op do 2 apr 2026 om 10:00 schreef Ada <ada@sender.example>:",
        "Den tors 2 apr. 2026 kl 10:00 skrev Ada <ada@sender.example>:",
        "czw., 2 kwi 2026 o 10:00 Ada <ada@sender.example> napisał(a):",
        "W dniu 2.04.2026 o 10:00, Ada napisała:",
        "чт, 2 апр. 2026 г. в 10:00, Ada <ada@sender.example>:",
        "2026年4月2日(木) 10:00 Ada <ada@sender.example>:",
        "Ada <ada@sender.example> 于2026年4月2日周四 10:00写道：",
    };
    for (size_t i = 0; i < sizeof attributions / sizeof attributions[0]; i++) {
        char text[1000];
        snprintf(text, sizeof text,
                 "Yes, please.\n\n%s\n\n> How about a call?\n> To unsubscribe, click here\n>\n> Ada\n",
                 attributions[i]);
        cr_expect_str_eq(own(text), "Yes, please.", "%s", attributions[i]);
    }
}

Test(quote, an_attribution_with_date_and_address_needs_no_marks)
{
    cr_expect_str_eq(own("Sounds good\n\nOn Thu, Apr 2, 2026 at 10:00 AM Ada <ada@sender.example> wrote:\n\n"
                         "How about a call?\nTo unsubscribe, click here\n"),
                     "Sounds good");
}

Test(quote, outlook_blocks_and_separators_end_what_was_written)
{
    static const char *const rests[] = {
        "-----Original Message-----\nFrom: Ada\nHi",
        "-----Ursprüngliche Nachricht-----\nVon: Ada\nHi",
        "-------- Original Message --------\nHi",
        "________________________________\nFrom: Ada <ada@sender.example>\nSent: Thursday, April 2, 2026 10:00 AM\n"
        "To: Bob <bob@rcpt.example>\nSubject: Hi\n\nHow about a call?",
        "From: Ada <ada@sender.example>\nDate: Thursday, 2 April 2026 at 10:00\nTo: Bob\nSubject: Hi\n\nA call?",
        "*From:* Ada <ada@sender.example>\n*Sent:* Thursday\n*To:* Bob\n*Subject:* Hi\n\nA call?",
        "Von: Ada <ada@sender.example>\nGesendet: Donnerstag, 2. April 2026 10:00\nAn: Bob\nBetreff: Hi\n\nHallo",
        "De : Ada <ada@sender.example>\nEnvoyé : jeudi 2 avril 2026 10:00\nÀ : Bob\nObjet : Hi\n\nBonjour",
        "De: Ada <ada@sender.example>\nEnviado: jueves, 2 de abril de 2026 10:00\nPara: Bob\nAsunto: Hi\n\nHola",
        "发件人: Ada <ada@sender.example>\n发送时间: 2026年4月2日 10:00\n收件人: Bob\n主题: Hi\n\n你好",
        "差出人: Ada <ada@sender.example>\n送信日時: 2026年4月2日 10:00\n宛先: Bob\n件名: Hi\n\nこんにちは",
        "Begin forwarded message:\n\nFrom: Ada\nHi",
        "---------- Forwarded message ---------\nFrom: Ada\nHi",
    };
    for (size_t i = 0; i < sizeof rests / sizeof rests[0]; i++) {
        char text[1000];
        snprintf(text, sizeof text, "Bitte rufen Sie an.\n\nBob\n\n%s\n", rests[i]);
        cr_expect_str_eq(own(text), "Bitte rufen Sie an.\n\nBob", "%s", rests[i]);
    }
}

Test(quote, answers_between_and_below_the_quotation_are_kept)
{
    cr_expect_str_eq(
        own("On Thu, 2 Apr 2026 at 10:00, Ada <ada@sender.example> wrote:\n> Would Tuesday suit?\n\nYes.\n\n"
            "> And how many are you?\n\nFive of us.\n\nBob\n"),
        "Yes.\n\n\nFive of us.\n\nBob");
}

Test(quote, what_is_in_doubt_is_kept)
{
    static const char *const kept[] = {
        "> 100 units would be fine\nThanks",
        "On Monday my colleague wrote:\nwe do not need it",
        "From: Berlin\nTo: Munich\nDate: 3 May\n\nThat is our route.",
        "From: now on, please call me.\nSubject: none",
        "--\nBob\n-- \nSales",
        "A -----Original Message----- is not here",
        "He wrote: hello",
        "2026-04-02 10:00 is fine:\nsee you",
        "Stop",
    };
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        cr_expect_str_eq(own(kept[i]), kept[i]);
}

Test(quote, a_message_that_is_all_quotation_is_kept_whole)
{
    cr_expect_str_eq(own("> Hi\n> there\n"), "> Hi\n> there");
    cr_expect_str_eq(own("\n-----Original Message-----\nHi\n"), "-----Original Message-----\nHi");
    cr_expect_str_eq(own(""), "");
    cr_expect_str_eq(own("\n \n"), "");
}
