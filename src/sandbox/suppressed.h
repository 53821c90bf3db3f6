/* suppressed: whom the stand-in providers suppress, and the lists that tell it.
 *
 *     GET /v3/suppression/bounces, spam_reports, unsubscribes   SendGrid
 *     GET /v3/<domain>/bounces, complaints, unsubscribes        Mailgun
 *     GET /message-streams/<stream>/suppressions/dump           Postmark
 *     GET /v2/email/suppression/addresses                       SES
 *
 * Filled by POST /acts alone, an entry each time, in their order.
 * Bound      SUPPRESSED_MAX entries. Cost: a page reads all entries. Handlers as in look_up.h. */
#ifndef SANDBOX_SUPPRESSED_H
#define SANDBOX_SUPPRESSED_H

#include <stdbool.h>
#include <stdint.h>

#include "api.h"
#include "people.h"

#define SUPPRESSED_MAX 100000
#define LIST_PAGE_MAX  10000

struct exchange;
struct suppressed;

struct suppressed *suppressed_new(void);                            /* NULL: out of memory */
void suppressed_free(struct suppressed *s);                         /* NULL is fine */
bool suppressed_lists(const struct api *api, enum people_act what); /* has that provider a list of these? */
/* Texts are copied; text: what the lead's server said to a bounce, NULL: words of ours. E_INVALID: the provider has no
 * such list. E_LIMIT, E_NOMEM. */
MUST_USE enum status suppressed_add(struct suppressed *s, const struct api *api, enum people_act what,
                                    const char *address, const char *text, int64_t at_us, struct err *e);

void suppressed_sendgrid(void *context, struct exchange *x);
void suppressed_mailgun(void *context, struct exchange *x);
void suppressed_postmark(void *context, struct exchange *x);
void suppressed_ses(void *context, struct exchange *x);

#endif
