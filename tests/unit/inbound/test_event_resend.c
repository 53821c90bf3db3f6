/* Resend's webhooks, in the shapes of resend.com/docs "Event types". hook.c gives the header svix-id: msg_1. */
#include <criterion/criterion.h>
#include <string.h>

#include "hook.h"

#define ONE(type, members)                                                                                             \
    "{\"type\":\"" type "\",\"created_at\":\"2026-02-22T23:41:12.126Z\",\"data\":{\"email_id\":\"56761188-7520\","     \
    "\"created_at\":\"2026-02-22T23:41:11.894Z\",\"from\":\"Ada <ada@sender.example>\",\"to\":[\"bob@rcpt.example\"]," \
    "\"subject\":\"Your enquiry\",\"tags\":{\"fu_id\":\"12-3456-1\"}" members "}}"
#define COMMON                                                                                                         \
    "'event_id':'msg_1','provider_type':'resend','recipient':'bob@rcpt.example','fu_id':'12-3456-1',"                  \
    "'occurred_at':'2026-02-22T23:41:12.126000Z','provider_message_id':'56761188-7520',"

static void is_told(const char *body, const char *members)
{
    json_t *event = hook_event("resend", body);
    hook_expect(event, members);
    json_decref(event);
}

Test(event_resend, what_the_mail_went_through_is_told_in_our_words)
{
    is_told(ONE("email.sent", ""), "{" COMMON "'kind':'accepted'}");
    is_told(ONE("email.delivered", ""), "{" COMMON "'kind':'delivered'}");
    is_told(ONE("email.delivery_delayed", ""), "{" COMMON "'kind':'delayed'}");
    is_told(ONE("email.complained", ""), "{" COMMON "'kind':'complained'}");
}

Test(event_resend, bounce_keeps_both_types)
{
    is_told(
        ONE("email.bounced", ",\"bounce\":{\"type\":\"Permanent\",\"subType\":\"General\",\"message\":\"rejected\"}"),
        "{" COMMON "'kind':'bounced','type':'Permanent','subtype':'General','detail':'rejected'}");
}

Test(event_resend, failed_and_suppressed_were_never_sent)
{
    is_told(ONE("email.failed", ",\"failed\":{\"reason\":\"reached_daily_quota\"}"),
            "{" COMMON "'kind':'failed','reason':'reached_daily_quota','detail':'reached_daily_quota'}");
    is_told(
        ONE("email.suppressed", ",\"suppressed\":{\"type\":\"OnAccountSuppressionList\",\"message\":\"on the list\"}"),
        "{" COMMON "'kind':'failed','type':'OnAccountSuppressionList','detail':'on the list'}");
}

Test(event_resend, opens_and_clicks_name_the_program)
{
    is_told(ONE("email.opened", ""), "{" COMMON "'kind':'opened'}");
    is_told(ONE("email.clicked", ",\"click\":{\"ipAddress\":\"192.0.2.1\",\"link\":\"https://a.example/\","
                                 "\"timestamp\":\"2026-02-22T23:41:12.126Z\",\"userAgent\":\"Mozilla/5.0\"}"),
            "{" COMMON "'kind':'clicked','user_agent':'Mozilla/5.0','ip':'192.0.2.1','url':'https://a.example/'}");
}

Test(event_resend, tags_may_be_a_list_as_they_were_sent)
{
    is_told("{\"type\":\"email.sent\",\"data\":{\"tags\":[{\"name\":\"a\",\"value\":\"b\"},{\"name\":\"fu_id\","
            "\"value\":\"12-3456-1\"}]}}",
            "{'event_id':'msg_1','provider_type':'resend','fu_id':'12-3456-1','kind':'accepted'}");
}

Test(event_resend, several_recipients_are_none_because_it_does_not_say_which)
{
    is_told("{\"type\":\"email.sent\",\"data\":{\"to\":[\"a@rcpt.example\",\"b@rcpt.example\"]}}",
            "{'event_id':'msg_1','provider_type':'resend','kind':'accepted'}");
}

Test(event_resend, a_mail_that_came_in_and_unknown_types_are_none)
{
    static const char *const bodies[] = { ONE("email.received", ""), ONE("contact.created", ""),
                                          "{\"test\": 2432232314}" };
    for (size_t i = 0; i < 3; i++) {
        json_t *none = hook_events("resend", bodies[i]);
        cr_expect_eq(json_array_size(none), 0);
        json_decref(none);
    }
}

Test(event_resend, a_value_of_a_wrong_type_is_refused_by_its_name)
{
    hook_refuses("resend", "[]", "resend: no JSON object");
    hook_refuses("resend", "{\"type\":1}", "resend: type is no string");
    hook_refuses("resend", "{\"type\":\"email.sent\",\"data\":[]}", "resend: data is no object");
    hook_refuses("resend", "{\"type\":\"email.sent\",\"data\":{\"to\":\"bob\"}}", "resend: data.to is no array");
    hook_refuses("resend", "{\"type\":\"email.sent\",\"data\":{\"tags\":1}}", "resend: data.tags is no object");
    hook_refuses("resend", "{\"type\":\"email.sent\",\"data\":{\"email_id\":1}}", "resend: data.email_id is no string");
    hook_refuses("resend", "{\"type\":\"email.bounced\",\"data\":{\"bounce\":{\"type\":1}}}",
                 "resend: bounce.type is no string");
    hook_refuses("resend", "{\"type\":\"email.sent\",\"created_at\":\"now\"}",
                 "resend: created_at is no time in ISO 8601");
}

#define LEFT_32  "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
#define RIGHT_32 "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"

/* What every provider's JSON is held to. */
Test(event_json, what_is_not_strict_json_is_refused)
{
    char deep[200];
    snprintf(deep, sizeof deep, "{\"type\":\"new\",\"x\":%.*s%.*s}", 32, LEFT_32, 32, RIGHT_32);
    hook_refuses("resend", deep, "resend: JSON deeper than 32");
    snprintf(deep, sizeof deep, "{\"type\":\"new\",\"x\":%.*s%.*s}", 31, LEFT_32, 31, RIGHT_32);
    json_decref(hook_events("resend", deep));
    hook_refuses("resend", "", "resend: empty");
    hook_refuses("resend", "{\"type\":\"a\",\"type\":\"email.sent\"}", "resend: no JSON that we take");
    hook_refuses("resend", "{\"type\":\"email\\u0000sent\"}", "resend: no JSON that we take");
    hook_refuses("resend", "{\"type\":\"\xc3\x28\"}", "resend: no JSON that we take");
    hook_refuses("resend", "{\"type\":\"\\ud800\"}", "resend: no JSON that we take");
    hook_refuses("resend", "{\"type\":\"a\"} {}", "resend: no JSON that we take");
    hook_refuses("resend", "{'type':'a'}", "resend: no JSON that we take");
}

Test(event_json, long_values_are_cut_at_the_end_of_a_character_and_long_ids_are_hashed)
{
    char body[4000], reason[1600] = "", id[701];
    while (strlen(reason) < 1500)
        strcat(reason, "€");
    memset(id, 'x', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    snprintf(body, sizeof body, "[{\"event\":\"bounce\",\"sg_event_id\":\"%s\",\"reason\":\"%s\"}]", id, reason);
    json_t *event = hook_event("sendgrid", body);
    cr_expect_eq(json_string_length(json_object_get(event, "reason")), 1023);
    cr_expect_eq(json_string_length(json_object_get(event, "detail")), 510);
    /* printf 'x%.0s' $(seq 700) | sha256sum */
    cr_expect_str_eq(json_string_value(json_object_get(event, "event_id")),
                     "sha256:12f6b82c283303ae5e6a08094c81feeecb75a2ddce8e30582151da9efb97d3c9");
    json_decref(event);
}
