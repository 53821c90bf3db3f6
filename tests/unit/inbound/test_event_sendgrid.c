/* SendGrid's event webhook, in the shapes of docs.sendgrid.com "Event webhook reference". */
#include <criterion/criterion.h>
#include <stdio.h>

#include "hook.h"

#define ONE(members)                                                                                                   \
    "[{\"email\":\"bob@rcpt.example\",\"timestamp\":1771803600,\"smtp-id\":\"<fu-12-3456-1@sender.example>\","         \
    "\"sg_event_id\":\"ZHJvcC0xMDk5\",\"sg_message_id\":\"14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0\","      \
    "\"category\":[\"followup\"],\"fu_id\":\"12-3456-1\"," members "}]\r\n"
#define COMMON                                                                                                         \
    "'event_id':'ZHJvcC0xMDk5','provider_type':'sendgrid','recipient':'bob@rcpt.example','fu_id':'12-3456-1',"         \
    "'occurred_at':'2026-02-22T23:40:00.000000Z','rfc_message_id':'<fu-12-3456-1@sender.example>',"                    \
    "'provider_message_id':'14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0',"

static void is_told(const char *body, const char *members)
{
    json_t *event = hook_event("sendgrid", body);
    hook_expect(event, members);
    json_decref(event);
}

Test(event_sendgrid, processed_is_accepted)
{
    is_told(ONE("\"event\":\"processed\""), "{" COMMON "'kind':'accepted'}");
}

Test(event_sendgrid, delivered_brings_the_answer_of_the_other_server)
{
    is_told(ONE("\"event\":\"delivered\",\"response\":\"250 2.0.0 OK\",\"tls\":1,\"ip\":\"168.1.1.1\""),
            "{" COMMON "'kind':'delivered','detail':'250 2.0.0 OK','ip':'168.1.1.1'}");
}

Test(event_sendgrid, deferred_is_delayed)
{
    is_told(ONE("\"event\":\"deferred\",\"response\":\"452 4.2.2 over quota\",\"attempt\":\"5\""),
            "{" COMMON "'kind':'delayed','detail':'452 4.2.2 over quota'}");
}

Test(event_sendgrid, bounce_keeps_the_providers_words)
{
    is_told(ONE("\"event\":\"bounce\",\"type\":\"blocked\",\"status\":\"5.7.1\",\"reason\":\"550 5.7.1 spam\","
                "\"bounce_classification\":\"Reputation\""),
            "{" COMMON "'kind':'bounced','type':'blocked','status':'5.7.1','reason':'550 5.7.1 spam',"
            "'detail':'550 5.7.1 spam','classification':'Reputation'}");
}

Test(event_sendgrid, asynchronous_bounce_has_no_message_id_and_perhaps_no_status)
{
    is_told(
        "[{\"email\":\"bob@rcpt.example\",\"timestamp\":1771803600,\"event\":\"bounce\",\"sg_event_id\":\"e1\","
        "\"category\":\"followup\",\"status\":null,\"type\":\"bounce\",\"fu_id\":\"12-3456-1\"}]",
        "{'event_id':'e1','kind':'bounced','provider_type':'sendgrid','recipient':'bob@rcpt.example','type':'bounce',"
        "'occurred_at':'2026-02-22T23:40:00.000000Z','fu_id':'12-3456-1'}");
}

Test(event_sendgrid, dropped_was_never_tried)
{
    is_told(ONE("\"event\":\"dropped\",\"reason\":\"Bounced Address\",\"status\":\"5.0.0\""),
            "{" COMMON "'kind':'failed','reason':'Bounced Address','detail':'Bounced Address','status':'5.0.0'}");
}

Test(event_sendgrid, spamreport_is_a_complaint)
{
    is_told(ONE("\"event\":\"spamreport\""), "{" COMMON "'kind':'complained'}");
}

Test(event_sendgrid, both_unsubscribes_are_one_and_resubscribe_is_none)
{
    is_told(ONE("\"event\":\"unsubscribe\""), "{" COMMON "'kind':'unsubscribed'}");
    is_told(ONE("\"event\":\"group_unsubscribe\",\"asm_group_id\":10"), "{" COMMON "'kind':'unsubscribed'}");
    json_t *none = hook_events("sendgrid", ONE("\"event\":\"group_resubscribe\",\"asm_group_id\":10"));
    cr_expect_eq(json_array_size(none), 0);
    json_decref(none);
}

Test(event_sendgrid, opens_and_clicks_name_the_program_and_a_machines_open_says_so)
{
    is_told(ONE("\"event\":\"open\",\"useragent\":\"Mozilla/5.0\",\"ip\":\"192.0.2.1\",\"sg_machine_open\":true"),
            "{" COMMON "'kind':'opened','user_agent':'Mozilla/5.0','ip':'192.0.2.1','machine':'true'}");
    is_told(ONE("\"event\":\"open\",\"useragent\":\"Mozilla/5.0\",\"ip\":\"192.0.2.1\",\"sg_machine_open\":false"),
            "{" COMMON "'kind':'opened','user_agent':'Mozilla/5.0','ip':'192.0.2.1'}");
    is_told(ONE("\"event\":\"click\",\"useragent\":\"Mozilla/5.0\",\"ip\":\"192.0.2.1\",\"url\":\"https://a.example/\","
                "\"url_offset\":{\"index\":0,\"type\":\"html\"}"),
            "{" COMMON "'kind':'clicked','user_agent':'Mozilla/5.0','ip':'192.0.2.1','url':'https://a.example/'}");
}

Test(event_sendgrid, several_events_come_in_order_and_unknown_ones_are_passed_over)
{
    json_t *events =
        hook_events("sendgrid", "[{\"event\":\"processed\",\"sg_event_id\":\"a\"},{\"event\":\"new thing\"},"
                                "{\"event\":\"delivered\",\"sg_event_id\":\"b\"}]");
    cr_assert_eq(json_array_size(events), 2);
    hook_expect(json_array_get(events, 0), "{'event_id':'a','kind':'accepted','provider_type':'sendgrid'}");
    hook_expect(json_array_get(events, 1), "{'event_id':'b','kind':'delivered','provider_type':'sendgrid'}");
    json_decref(events);
}

Test(event_sendgrid, a_value_of_a_wrong_type_is_refused_by_its_name)
{
    hook_refuses("sendgrid", "{}", "sendgrid: no JSON array");
    hook_refuses("sendgrid", "[1]", "sendgrid: [0] is no object");
    hook_refuses("sendgrid", "[{}]", "sendgrid: [0].event is missing");
    hook_refuses("sendgrid", "[{\"event\":5}]", "sendgrid: [0].event is no string");
    hook_refuses("sendgrid", "[{\"event\":\"open\",\"sg_event_id\":\"\"}]", "sendgrid: [0].sg_event_id is missing");
    hook_refuses("sendgrid", "[{\"event\":\"x\"},{\"event\":\"open\",\"sg_event_id\":\"a\",\"timestamp\":\"1\"}]",
                 "sendgrid: [1].timestamp is no number of seconds");
    hook_refuses("sendgrid", "[{\"event\":\"open\",\"sg_event_id\":\"a\",\"timestamp\":-1}]",
                 "[0].timestamp is no number");
    hook_refuses("sendgrid", "[{\"event\":\"open\",\"sg_event_id\":\"a\",\"email\":[]}]",
                 "sendgrid: [0].email is no string");
    hook_refuses("sendgrid", "[{\"event\":\"open\",\"sg_event_id\":\"a\",\"sg_machine_open\":\"yes\"}]",
                 "sendgrid: [0].sg_machine_open is neither true nor false");
}

Test(event_sendgrid, more_events_than_the_limit_are_refused)
{
    char *body = NULL;
    size_t bytes;
    FILE *file = open_memstream(&body, &bytes);
    for (int i = 0; i <= WEBHOOK_EVENTS_MAX; i++)
        fprintf(file, "%c{\"event\":\"open\",\"sg_event_id\":\"%d\"}", i == 0 ? '[' : ',', i);
    fprintf(file, "]");
    fclose(file);
    hook_refuses("sendgrid", body, "sendgrid: more than 5000 events");
    free(body);
}
