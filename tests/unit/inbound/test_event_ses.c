/* Amazon SES events inside an SNS envelope, in the shapes of the developer guide's "event publishing contents". */
#include <criterion/criterion.h>
#include <string.h>

#include "hook.h"

#define MAIL                                                                                                           \
    "\"mail\":{\"timestamp\":\"2026-02-22T23:41:11.000Z\",\"messageId\":\"0100018f-dev-000000\",\"source\":\"ada@"     \
    "sender.example\","                                                                                                \
    "\"destination\":[\"bob@rcpt.example\"],\"headersTruncated\":false,"                                               \
    "\"tags\":{\"fu_id\":[\"12-3456-1\"],\"ses:configuration-set\":[\"followup\"]}}"
#define COMMON                                                                                                         \
    "'event_id':'5f0325af bob@rcpt.example','provider_type':'ses','recipient':'bob@rcpt.example','fu_id':'12-3456-1'," \
    "'provider_message_id':'0100018f-dev-000000',"
#define AT  "'occurred_at':'2026-02-22T23:41:12.000000Z',"
#define AT_ "\"timestamp\":\"2026-02-22T23:41:12.000Z\""

static char *envelope(const char *message)
{
    json_t *json = json_pack("{s:s, s:s, s:s}", "Type", "Notification", "MessageId", "5f0325af", "Message", message);
    char *text = json_dumps(json, 0);
    json_decref(json);
    return text;
}

static json_t *events_of(const char *message)
{
    char *body = envelope(message);
    json_t *events = hook_events("ses", body);
    free(body);
    return events;
}

static void is_told(const char *message, const char *members)
{
    json_t *events = events_of(message);
    cr_assert_eq(json_array_size(events), 1, "%zu events", json_array_size(events));
    hook_expect(json_array_get(events, 0), members);
    json_decref(events);
}

static void has_message_id(const char *message, const char *rfc_message_id)
{
    json_t *events = events_of(message);
    cr_assert_eq(json_array_size(events), 1);
    const char *told = json_string_value(json_object_get(json_array_get(events, 0), "rfc_message_id"));
    cr_expect(rfc_message_id == NULL ? told == NULL : told != NULL && strcmp(told, rfc_message_id) == 0, "%s", told);
    json_decref(events);
}

static void is_none(const char *message)
{
    json_t *events = events_of(message);
    cr_expect_eq(json_array_size(events), 0, "%s", message);
    json_decref(events);
}

static void is_refused(const char *message, const char *words)
{
    char *body = envelope(message);
    hook_refuses("ses", body, words);
    free(body);
}

Test(event_ses, send_is_accepted)
{
    is_told("{\"eventType\":\"Send\"," MAIL ",\"send\":{}}",
            "{" COMMON "'kind':'accepted','occurred_at':'2026-02-22T23:41:11.000000Z'}");
}

Test(event_ses, the_message_id_is_made_of_the_region_of_the_identity)
{
#define MAIL_FROM(arn)                                                                                                 \
    "{\"eventType\":\"Send\",\"send\":{},\"mail\":{\"timestamp\":\"2026-02-22T23:41:11.000Z\",\"messageId\":\"0100-"   \
    "1\","                                                                                                             \
    "\"sourceArn\":\"" arn "\",\"destination\":[\"bob@rcpt.example\"]}}"
    has_message_id(MAIL_FROM("arn:aws:ses:us-east-1:123456789012:identity/sender.example"),
                   "<0100-1@email.amazonses.com>");
    has_message_id(MAIL_FROM("arn:aws:ses:eu-west-1:123456789012:identity/sender.example"),
                   "<0100-1@eu-west-1.amazonses.com>");
    has_message_id(MAIL_FROM("arn:aws-us-gov:ses:us-gov-west-1:1:identity/a"), "<0100-1@us-gov-west-1.amazonses.com>");
    has_message_id(MAIL_FROM("arn:aws:s3:::bucket"), NULL);
}

Test(event_ses, delivery_is_delivered_also_as_an_identitys_notification)
{
#define DELIVERY MAIL ",\"delivery\":{" AT_ ",\"recipients\":[\"bob@rcpt.example\"],\"smtpResponse\":\"250 2.6.0 ok\"}}"
    is_told("{\"eventType\":\"Delivery\"," DELIVERY, "{" COMMON AT "'kind':'delivered','detail':'250 2.6.0 ok'}");
    is_told("{\"notificationType\":\"Delivery\"," DELIVERY,
            "{" COMMON AT "'kind':'delivered','detail':'250 2.6.0 ok'}");
}

Test(event_ses, delivery_delay_is_delayed)
{
    is_told("{\"eventType\":\"DeliveryDelay\"," MAIL ",\"deliveryDelay\":{" AT_ ",\"delayType\":\"MailboxFull\","
            "\"delayedRecipients\":[{\"emailAddress\":\"bob@rcpt.example\",\"status\":\"4.2.2\",\"diagnosticCode\":"
            "\"full\"}]}}",
            "{" COMMON AT "'kind':'delayed','type':'MailboxFull','status':'4.2.2','detail':'full'}");
}

#define BOUNCE(type, subtype, recipients)                                                                              \
    "{\"eventType\":\"Bounce\"," MAIL ",\"bounce\":{\"bounceType\":\"" type "\",\"bounceSubType\":\"" subtype          \
    "\"," AT_ ",\"feedbackId\":\"f\",\"bouncedRecipients\":[" recipients "]}}"
#define BOB                                                                                                            \
    "{\"emailAddress\":\"bob@rcpt.example\",\"action\":\"failed\",\"status\":\"5.1.1\",\"diagnosticCode\":\"smtp; "    \
    "550 5.1.1 unknown\"}"

Test(event_ses, bounce_keeps_both_types_and_what_is_said_of_the_recipient)
{
    is_told(BOUNCE("Permanent", "NoEmail", BOB),
            "{" COMMON AT "'kind':'bounced','type':'Permanent','subtype':'NoEmail','action':'failed','status':'5.1.1',"
            "'detail':'smtp; 550 5.1.1 unknown'}");
}

Test(event_ses, bounce_of_a_suppressed_address_was_never_tried)
{
    is_told(BOUNCE("Permanent", "OnAccountSuppressionList", "{\"emailAddress\":\"bob@rcpt.example\"}"),
            "{" COMMON AT "'kind':'failed','type':'Permanent','subtype':'OnAccountSuppressionList'}");
    is_told(BOUNCE("Permanent", "Suppressed", "{\"emailAddress\":\"bob@rcpt.example\"}"),
            "{" COMMON AT "'kind':'failed','type':'Permanent','subtype':'Suppressed'}");
}

Test(event_ses, each_recipient_has_an_event_of_its_own)
{
    json_t *events = events_of(BOUNCE("Transient", "General", BOB ",{\"emailAddress\":\"eve@rcpt.example\"}"));
    cr_assert_eq(json_array_size(events), 2);
    cr_expect_str_eq(json_string_value(json_object_get(json_array_get(events, 1), "event_id")),
                     "5f0325af eve@rcpt.example");
    cr_expect_str_eq(json_string_value(json_object_get(json_array_get(events, 1), "recipient")), "eve@rcpt.example");
    cr_expect_null(json_object_get(json_array_get(events, 1), "status"));
    json_decref(events);
}

Test(event_ses, reject_and_a_rendering_failure_were_never_sent)
{
    is_told(
        "{\"eventType\":\"Reject\"," MAIL ",\"reject\":{\"reason\":\"Bad content\"}}",
        "{" COMMON
        "'kind':'failed','reason':'Bad content','detail':'Bad content','occurred_at':'2026-02-22T23:41:11.000000Z'}");
    is_told("{\"eventType\":\"Rendering Failure\"," MAIL
            ",\"failure\":{\"errorMessage\":\"no name\",\"templateName\":\"t\"}}",
            "{" COMMON "'kind':'failed','detail':'no name','occurred_at':'2026-02-22T23:41:11.000000Z'}");
}

Test(event_ses, complaint_keeps_what_kind_it_is)
{
    is_told("{\"eventType\":\"Complaint\"," MAIL
            ",\"complaint\":{\"complainedRecipients\":[{\"emailAddress\":\"bob@rcpt.example\"}]," AT_
            ",\"feedbackId\":\"f\",\"complaintSubType\":null,\"complaintFeedbackType\":\"not-spam\",\"userAgent\":"
            "\"AnyMail\"}}",
            "{" COMMON AT "'kind':'complained','type':'not-spam','user_agent':'AnyMail'}");
    is_told("{\"eventType\":\"Complaint\"," MAIL
            ",\"complaint\":{\"complainedRecipients\":[{\"emailAddress\":\"bob@rcpt.example\"}]," AT_
            ",\"complaintSubType\":\"OnAccountSuppressionList\"}}",
            "{" COMMON AT "'kind':'complained','subtype':'OnAccountSuppressionList'}");
}

#define TOPICS(all, status)                                                                                            \
    "{\"unsubscribeAll\":" all ",\"topicSubscriptionStatus\":[{\"topicName\":\"t\",\"subscriptionStatus\":\"" status   \
    "\"}]}"
#define SUBSCRIPTION(fresh, old)                                                                                       \
    "{\"eventType\":\"Subscription\"," MAIL ",\"subscription\":{\"contactList\":\"c\"," AT_                            \
    ",\"source\":\"UnsubscribeHeader\","                                                                               \
    "\"newTopicPreferences\":" fresh ",\"oldTopicPreferences\":" old "}}"

Test(event_ses, leaving_a_list_or_a_topic_is_an_unsubscribe_and_nothing_else_is)
{
    is_told(SUBSCRIPTION(TOPICS("true", "OptOut"), TOPICS("false", "OptOut")), "{" COMMON AT "'kind':'unsubscribed'}");
    is_told(SUBSCRIPTION(TOPICS("false", "OptOut"), TOPICS("false", "OptIn")), "{" COMMON AT "'kind':'unsubscribed'}");
    is_none(SUBSCRIPTION(TOPICS("false", "OptIn"), TOPICS("true", "OptOut")));
    is_none(SUBSCRIPTION(TOPICS("false", "OptOut"), TOPICS("false", "OptOut")));
}

Test(event_ses, opens_and_clicks_are_known_by_the_envelope)
{
#define SEEN                                                                                                           \
    "'event_id':'5f0325af','provider_type':'ses','recipient':'bob@rcpt.example','fu_id':'12-3456-1',"                  \
    "'provider_message_id':'0100018f-dev-000000'," AT "'user_agent':'Mozilla/5.0','ip':'192.0.2.1',"
    is_told("{\"eventType\":\"Open\"," MAIL ",\"open\":{\"ipAddress\":\"192.0.2.1\",\"userAgent\":\"Mozilla/5.0\"," AT_
            "}}",
            "{" SEEN "'kind':'opened'}");
    is_told("{\"eventType\":\"Click\"," MAIL
            ",\"click\":{\"ipAddress\":\"192.0.2.1\",\"userAgent\":\"Mozilla/5.0\"," AT_
            ",\"link\":\"https://a.example/\",\"linkTags\":null}}",
            "{" SEEN "'kind':'clicked','url':'https://a.example/'}");
}

Test(event_ses, what_is_no_event_is_none)
{
    is_none("Successfully validated SNS topic for Amazon SES event publishing.");
    is_none("{\"eventType\":\"Something New\"," MAIL "}");
    is_none("{\"notificationType\":\"Received\"," MAIL ",\"content\":\"...\"}");
    json_t *none = hook_events("ses", "{\"Type\":\"SubscriptionConfirmation\",\"MessageId\":\"a\",\"Message\":\"{\"}");
    cr_expect_eq(json_array_size(none), 0);
    json_decref(none);
}

Test(event_ses, a_value_of_a_wrong_type_is_refused_by_its_name)
{
    hook_refuses("ses", "[]", "ses: no JSON object");
    hook_refuses("ses", "{\"Type\":1}", "ses: Type is no string");
    hook_refuses("ses", "{\"Type\":\"Notification\",\"MessageId\":\"a\"}", "ses: Message is missing");
    is_refused("{", "ses: Message: no JSON that we take");
    is_refused("{\"eventType\":[]}", "ses: Message.eventType is no string");
    is_refused("{\"eventType\":\"Send\",\"mail\":3}", "ses: Message.mail is no object");
    is_refused("{\"eventType\":\"Send\",\"mail\":{\"destination\":\"bob\"}}", "ses: mail.destination is no array");
    is_refused("{\"eventType\":\"Send\",\"mail\":{\"destination\":[1]}}",
               "ses: send.destination: an item is no recipient");
    is_refused(BOUNCE("Permanent", "General", "{}"), "ses: bouncedRecipients.emailAddress is missing");
    is_refused("{\"eventType\":\"Send\",\"mail\":{\"timestamp\":\"soon\"}}",
               "ses: mail.timestamp is no time in ISO 8601");
    is_refused("{\"eventType\":\"Send\",\"mail\":{\"tags\":{\"fu_id\":\"1\"}}}", "ses: mail.tags.fu_id is no array");
}
