/* routes: what the stand-in provider answers.
 *
 *     POST /send      a message -> 200 {"id":"sb-<seq>"} once its ledger line is on disk
 *                     400 {"error":"<field>: ..."} · 409 key used with another body, or {"error":"key in use"} ·
 *                     413 · 415 not application/json · 503 the ledger is behind · 507 the ledger is full
 *     POST /v3/mail/send, /v3/<domain>/messages, /email, /v2/email/outbound-emails, /emails: the same through the API
 *                     of SendGrid, Mailgun, Postmark, SES and Resend, each with its credential, shapes and words (api.h);
 *                     look-ups: look_up.h; suppression lists: suppressed.h
 *     PUT /faults     a list of rules (fault.h) replaces the ones before -> 200 {"rules":<count>}
 *     POST /acts      {"recipient","act","text"}: what a lead does now (people_act_now) -> 200 {"done":true} · 400 · 404
 *                     "told":false: only the provider's suppression list says so, of "api" for an address without mail
 *     GET /SimpleNotificationService-sandbox.pem   the certificate of SNS (keys.h)
 *     GET /stats      counters
 *     GET /healthz    200 {"status":"ok"}
 *
 * A request that is sound meets the faults first; one that a fault refuses never reaches the ledger and does not hold
 * its key. The others go on to the ledger, replays too: their answer can be late, cut or garbage once more. */
#ifndef SANDBOX_ROUTES_H
#define SANDBOX_ROUTES_H

#include <stdint.h>

#include "api.h"
#include "fault.h"
#include "server.h"

struct ledger;
struct hooks;
struct people;
struct seen;
struct suppressed;

struct provider {
    struct ledger *ledger; /* borrowed, as all here */
    struct faults *faults;
    struct seen *seen;
    struct suppressed *suppressed;
    struct hooks *hooks;                     /* NULL: no webhooks are sent */
    const char *credentials[API_NAMES];      /* NULL: nobody is let in */
    int64_t list_page_max;                   /* entries of a suppression list in one answer */
    int64_t look_up_lag_ms;                  /* look-ups know what was accepted so long ago */
    struct people *people;                   /* NULL: nobody plays the leads */
    const struct server *server;             /* for its counters */
    void (*on_ledger_failed)(void *context); /* runs once a request */
    void *context;
    struct {
        uint64_t accepted, replayed, refused, key_reused, key_in_use, turned_away, unauthorized;
        uint64_t faults[FAULT_ACTIONS];
    } stats;
};

/* Has the request that API's credentials? false: it is answered. */
bool provider_lets_in(struct provider *p, struct exchange *x, const struct api *api);

extern const struct server_route provider_routes[]; /* their context is a struct provider */

#endif
