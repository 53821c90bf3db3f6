/* Postmark's webhooks, in the shapes of postmarkapp.com/developer/webhooks. */
#include <criterion/criterion.h>

#include "hook.h"

#define ID "883953f4-6105-42a2-a16a-77a8eac79483"
#define ONE(record, members)                                                                                           \
    "{\"RecordType\":\"" record                                                                                        \
    "\",\"MessageStream\":\"outbound\",\"ServerID\":23,\"Tag\":\"followup\",\"MessageID\":\"" ID "\","                 \
    "\"Metadata\":{\"fu_id\":\"12-3456-1\"}," members "}"
#define BOUNCE(type)                                                                                                   \
    ONE("Bounce", "\"ID\":4323372036854775807,\"Type\":\"" type                                                        \
                  "\",\"TypeCode\":1,\"Name\":\"n\",\"Description\":\"In words.\","                                    \
                  "\"Details\":\"550 5.1.1 user "                                                                      \
                  "unknown\",\"Email\":\"bob@rcpt.example\",\"BouncedAt\":\"2026-02-22T23:41:12Z\","                   \
                  "\"DumpAvailable\":true,\"Inactive\":true,\"CanActivate\":true,\"Subject\":\"Your enquiry\"")
#define COMMON                                                                                                         \
    "'provider_type':'postmark','recipient':'bob@rcpt.example','fu_id':'12-3456-1','provider_message_id':'" ID "',"    \
    "'occurred_at':'2026-02-22T23:41:12.000000Z',"

static void is_told(const char *body, const char *members)
{
    json_t *event = hook_event("postmark", body);
    hook_expect(event, members);
    json_decref(event);
}

Test(event_postmark, delivery_is_delivered)
{
    is_told(ONE("Delivery", "\"Recipient\":\"bob@rcpt.example\",\"DeliveredAt\":\"2026-02-22T18:41:12-05:00\","
                            "\"Details\":\"250 OK\""),
            "{" COMMON "'event_id':'Delivery " ID " bob@rcpt.example 2026-02-22T18:41:12-05:00','kind':'delivered',"
            "'detail':'250 OK'}");
}

Test(event_postmark, bounces_that_go_on_are_delayed)
{
#define BOUNCED "'event_id':'Bounce 4323372036854775807','detail':'550 5.1.1 user unknown',"
    is_told(BOUNCE("Transient"), "{" COMMON BOUNCED "'kind':'delayed','type':'Transient'}");
    is_told(BOUNCE("DnsError"), "{" COMMON BOUNCED "'kind':'delayed','type':'DnsError'}");
}

Test(event_postmark, other_bounces_are_bounced_with_their_type)
{
    is_told(BOUNCE("HardBounce"), "{" COMMON BOUNCED "'kind':'bounced','type':'HardBounce'}");
    is_told(BOUNCE("AutoResponder"), "{" COMMON BOUNCED "'kind':'bounced','type':'AutoResponder'}");
    is_told(BOUNCE("Unsubscribe"), "{" COMMON BOUNCED "'kind':'bounced','type':'Unsubscribe'}");
}

Test(event_postmark, without_details_the_description_is_told)
{
    is_told(
        "{\"RecordType\":\"Bounce\",\"ID\":7,\"Type\":\"SoftBounce\",\"Details\":\"\",\"Description\":\"In words.\"}",
        "{'event_id':'Bounce 7','kind':'bounced','type':'SoftBounce','provider_type':'postmark','detail':'In words.'}");
}

Test(event_postmark, spam_complaint_is_a_complaint)
{
    is_told(ONE("SpamComplaint",
                "\"ID\":42,\"Type\":\"SpamComplaint\",\"TypeCode\":100001,\"Email\":\"bob@rcpt.example\","
                "\"BouncedAt\":\"2026-02-22T23:41:12.0000000Z\",\"Details\":\"\""),
            "{" COMMON "'event_id':'SpamComplaint 42','kind':'complained','type':'SpamComplaint'}");
}

#define CHANGED(members)                                                                                               \
    ONE("SubscriptionChange",                                                                                          \
        "\"Recipient\":\"bob@rcpt.example\",\"ChangedAt\":\"2026-02-22T23:41:12Z\",\"Origin\":\"Recipient\"," members)
#define CHANGE "'event_id':'SubscriptionChange " ID " bob@rcpt.example 2026-02-22T23:41:12Z',"

Test(event_postmark, a_change_of_subscription_is_what_its_reason_says)
{
    is_told(CHANGED("\"SuppressSending\":true,\"SuppressionReason\":\"ManualSuppression\""),
            "{" COMMON CHANGE "'kind':'unsubscribed','reason':'ManualSuppression'}");
    is_told(CHANGED("\"SuppressSending\":true,\"SuppressionReason\":\"HardBounce\""),
            "{" COMMON CHANGE "'kind':'bounced','type':'HardBounce','reason':'HardBounce'}");
    is_told(CHANGED("\"SuppressSending\":true,\"SuppressionReason\":\"SpamComplaint\""),
            "{" COMMON CHANGE "'kind':'complained','reason':'SpamComplaint'}");
}

Test(event_postmark, subscribing_again_is_no_event)
{
    json_t *none = hook_events("postmark", CHANGED("\"SuppressSending\":false,\"SuppressionReason\":null"));
    cr_expect_eq(json_array_size(none), 0);
    json_decref(none);
}

Test(event_postmark, opens_and_clicks_have_a_composed_id)
{
#define SEEN                                                                                                           \
    "\"Recipient\":\"bob@rcpt.example\",\"ReceivedAt\":\"2026-02-22T23:41:12Z\",\"UserAgent\":\"Mozilla/5.0\","        \
    "\"Platform\":\"Desktop\",\"Geo\":{\"IP\":\"192.0.2.1\",\"City\":\"\"}"
    is_told(ONE("Open", "\"FirstOpen\":true," SEEN),
            "{" COMMON "'event_id':'Open " ID " bob@rcpt.example 2026-02-22T23:41:12Z','kind':'opened',"
            "'user_agent':'Mozilla/5.0','ip':'192.0.2.1'}");
    is_told(ONE("Click", "\"ClickLocation\":\"HTML\",\"OriginalLink\":\"https://a.example/\"," SEEN),
            "{" COMMON "'event_id':'Click " ID
            " bob@rcpt.example 2026-02-22T23:41:12Z https://a.example/','kind':'clicked',"
            "'user_agent':'Mozilla/5.0','ip':'192.0.2.1','url':'https://a.example/'}");
}

Test(event_postmark, a_mail_that_came_in_and_unknown_records_are_none)
{
    static const char *const bodies[] = { "{\"FromFull\":{},\"MessageID\":\"" ID "\"}",
                                          "{\"RecordType\":\"SmtpApiError\"}" };
    for (size_t i = 0; i < 2; i++) {
        json_t *none = hook_events("postmark", bodies[i]);
        cr_expect_eq(json_array_size(none), 0);
        json_decref(none);
    }
}

Test(event_postmark, a_value_of_a_wrong_type_is_refused_by_its_name)
{
    hook_refuses("postmark", "[]", "postmark: no JSON object");
    hook_refuses("postmark", "{\"RecordType\":1}", "postmark: RecordType is no string");
    hook_refuses("postmark", "{\"RecordType\":\"Bounce\",\"Type\":\"HardBounce\"}", "postmark: ID is no integer");
    hook_refuses("postmark", "{\"RecordType\":\"Bounce\",\"Type\":\"HardBounce\",\"ID\":1e30}",
                 "postmark: ID is no integer");
    hook_refuses("postmark", "{\"RecordType\":\"Bounce\",\"ID\":1}", "postmark: Type is missing");
    hook_refuses("postmark", "{\"RecordType\":\"Bounce\",\"ID\":1,\"Type\":\"x\",\"BouncedAt\":\"soon\"}",
                 "postmark: BouncedAt is no time in ISO 8601");
    hook_refuses("postmark", "{\"RecordType\":\"Open\",\"MessageID\":\"a\"}", "postmark: Recipient is missing");
    hook_refuses("postmark", "{\"RecordType\":\"SubscriptionChange\",\"SuppressSending\":1}",
                 "postmark: SuppressSending is neither true nor false");
    hook_refuses("postmark", ONE("Open", "\"Recipient\":\"b\",\"ReceivedAt\":\"2026-02-22T23:41:12Z\",\"Geo\":[]"),
                 "postmark: Geo is no object");
    hook_refuses("postmark",
                 "{\"RecordType\":\"Delivery\",\"MessageID\":\"a\",\"Recipient\":\"b\",\"DeliveredAt\":"
                 "\"2026-02-22T23:41:12Z\",\"Metadata\":{\"fu_id\":1}}",
                 "postmark: Metadata.fu_id is no string");
}
