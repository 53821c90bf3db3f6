/* look_up: the questions about what was accepted, in the providers' shapes.
 *
 *     GET  /messages/outbound?metadata_fu_id=..   Postmark
 *     GET  /v3/<domain>/events?message-id=..      Mailgun
 *     POST /v1/analytics/logs                     Mailgun, one filter by message-id
 *     GET  /emails/<id>                           Resend
 *
 * Handlers of routes whose context is a struct provider; the API is the route's data. */
#ifndef SANDBOX_LOOK_UP_H
#define SANDBOX_LOOK_UP_H

struct exchange;

void look_up_postmark(void *context, struct exchange *x);
void look_up_mailgun_events(void *context, struct exchange *x);
void look_up_mailgun_logs(void *context, struct exchange *x);
void look_up_resend(void *context, struct exchange *x);

#endif
