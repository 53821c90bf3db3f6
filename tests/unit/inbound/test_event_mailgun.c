/* Mailgun's webhooks, in the shapes of documentation.mailgun.com "Event types" and of its clients' tests. */
#include <criterion/criterion.h>

#include "hook.h"

#define ONE(event, members)                                                                                            \
    "{\"signature\":{\"timestamp\":\"1771803672\",\"token\":\"t\",\"signature\":\"s\"},\"event-data\":{\"event\":"     \
    "\"" event "\",\"id\":\"DACSsAdVSeGpLid7TN03WA\",\"timestamp\":1771803671.329574,\"log-level\":\"info\","          \
    "\"recipient\":\"bob@rcpt.example\",\"recipient-domain\":\"rcpt.example\",\"tags\":[\"followup\"],"                \
    "\"user-variables\":{\"fu_id\":\"12-3456-1\"},\"message\":{\"headers\":{\"message-id\":\"fu-12-3456-1@sender."     \
    "example\","                                                                                                       \
    "\"from\":\"Ada "                                                                                                  \
    "<ada@sender.example>\"},\"attachments\":[],\"size\":512},\"flags\":{\"is-test-mode\":false}" members "}}"
#define COMMON                                                                                                         \
    "'event_id':'DACSsAdVSeGpLid7TN03WA 2026-02-22','provider_type':'mailgun','recipient':'bob@rcpt.example',"         \
    "'fu_id':'12-3456-1','occurred_at':'2026-02-22T23:41:11.329574Z',"                                                 \
    "'rfc_message_id':'fu-12-3456-1@sender.example','provider_message_id':'fu-12-3456-1@sender.example',"
#define STATUS(members) ",\"delivery-status\":{" members "}"

static void is_told(const char *body, const char *members)
{
    json_t *event = hook_event("mailgun", body);
    hook_expect(event, members);
    json_decref(event);
}

Test(event_mailgun, accepted_and_delivered_are_themselves)
{
    is_told(ONE("accepted", ""), "{" COMMON "'kind':'accepted'}");
    is_told(ONE("delivered", STATUS("\"code\":250,\"message\":\"OK\",\"description\":\"\",\"tls\":true")),
            "{" COMMON "'kind':'delivered','smtp_code':'250','detail':'OK'}");
}

Test(event_mailgun, failed_for_a_time_is_delayed)
{
    is_told(ONE("failed", ",\"severity\":\"temporary\",\"reason\":\"generic\"" STATUS(
                              "\"code\":452,\"enhanced-code\":\"4.2.2\",\"message\":\"\",\"description\":\"full\","
                              "\"retry-seconds\":600")),
            "{" COMMON "'kind':'delayed','severity':'temporary','reason':'generic','smtp_code':'452','status':'4.2.2',"
            "'detail':'full'}");
}

Test(event_mailgun, failed_for_good_is_bounced)
{
    is_told(ONE("failed",
                ",\"severity\":\"permanent\",\"reason\":\"bounce\"" STATUS(
                    "\"code\":550,\"enhanced-code\":\"5.1.1\",\"bounce-type\":\"hard\",\"message\":\"no such user\"")),
            "{" COMMON "'kind':'bounced','severity':'permanent','reason':'bounce','smtp_code':'550','status':'5.1.1',"
            "'type':'hard','detail':'no such user'}");
}

Test(event_mailgun, given_up_after_the_last_try_is_bounced_though_it_is_said_to_be_temporary)
{
    is_told(ONE("failed", ",\"severity\":\"temporary\",\"reason\":\"old\"" STATUS("\"code\":602")),
            "{" COMMON "'kind':'bounced','severity':'temporary','reason':'old','smtp_code':'602'}");
}

Test(event_mailgun, suppressed_and_rejected_were_never_tried)
{
    is_told(ONE("failed", ",\"severity\":\"permanent\",\"reason\":\"suppress-bounce\"" STATUS("\"code\":605")),
            "{" COMMON "'kind':'failed','severity':'permanent','reason':'suppress-bounce','smtp_code':'605'}");
    is_told(ONE("rejected", ",\"reject\":{\"reason\":\"Sandbox\",\"description\":\"not allowed\"}"),
            "{" COMMON "'kind':'failed','reason':'Sandbox','detail':'not allowed'}");
}

Test(event_mailgun, complained_and_unsubscribed_are_themselves)
{
    is_told(ONE("complained", ""), "{" COMMON "'kind':'complained'}");
    is_told(ONE("unsubscribed", ",\"ip\":\"192.0.2.1\""), "{" COMMON "'kind':'unsubscribed','ip':'192.0.2.1'}");
}

Test(event_mailgun, opens_and_clicks_name_the_program_and_a_bot_says_so)
{
    is_told(ONE("opened", ",\"ip\":\"192.0.2.1\",\"client-info\":{\"user-agent\":\"Mozilla/5.0\",\"bot\":\"apple\"}"),
            "{" COMMON "'kind':'opened','user_agent':'Mozilla/5.0','ip':'192.0.2.1','machine':'true'}");
    is_told(
        ONE("clicked",
            ",\"ip\":\"192.0.2.1\",\"url\":\"https://a.example/\",\"client-info\":{\"user-agent\":\"M\",\"bot\":\"\"}"),
        "{" COMMON "'kind':'clicked','user_agent':'M','ip':'192.0.2.1','url':'https://a.example/'}");
}

Test(event_mailgun, an_event_of_another_type_is_none)
{
    json_t *none = hook_events("mailgun", ONE("stored", ""));
    cr_expect_eq(json_array_size(none), 0);
    json_decref(none);
}

Test(event_mailgun, a_value_of_a_wrong_type_is_refused_by_its_name)
{
    hook_refuses("mailgun", "[]", "mailgun: no JSON object");
    hook_refuses("mailgun", "{}", "mailgun: event-data is missing");
    hook_refuses("mailgun", "{\"event-data\":1}", "mailgun: event-data is no object");
    hook_refuses("mailgun", "{\"event-data\":{}}", "mailgun: event-data.event is missing");
    hook_refuses("mailgun", "{\"event-data\":{\"event\":\"opened\"}}", "mailgun: event-data.id is missing");
    hook_refuses("mailgun", "{\"event-data\":{\"event\":\"opened\",\"id\":\"a\"}}",
                 "mailgun: event-data.timestamp is missing");
    hook_refuses("mailgun", "{\"event-data\":{\"event\":\"opened\",\"id\":\"a\",\"timestamp\":1e300}}",
                 "mailgun: event-data.timestamp is no number of seconds");
    hook_refuses("mailgun", ONE("failed", ",\"severity\":1"), "mailgun: event-data.severity is no string");
    hook_refuses("mailgun", ONE("failed", STATUS("\"code\":1.5")),
                 "mailgun: event-data.delivery-status.code is no string");
    hook_refuses("mailgun", ONE("failed", ",\"delivery-status\":[]"),
                 "mailgun: event-data.delivery-status is no object");
}
