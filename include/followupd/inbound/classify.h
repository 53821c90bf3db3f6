/* classify: what an HTTP service of the operator's (classifier_url) is asked about a reply, and what its answer does. Pure:
 * the front sends the question with a time limit and brings the answer, or none; then the rules in SQL decide alone.
 *
 * Question  POST {"subject": "...", "text": "..."}: what the person wrote, no address, nothing of the account.
 * Answer    200 {"outcome": "hot_lead"}: an outcome as reply rules have it, or null: it does not know. It becomes
 *           "classified" of the reply; whether it is an outcome, and what stands above it, SQL decides.
 * Cost      O(bytes) of the reply. */
#ifndef FOLLOWUPD_INBOUND_CLASSIFY_H
#define FOLLOWUPD_INBOUND_CLASSIFY_H

#include <jansson.h>
#include <stddef.h>

#include "followupd/base/status.h"

#define CLASSIFY_OUTCOME_BYTES_MAX 64

/* events: of reply_read. *ret: the body to POST as application/json, owned (free). E_NOT_FOUND: there is nothing to ask (a
 * delivery report, a mail without text); E_NOMEM. */
MUST_USE enum status classify_question(const json_t *events, char **ret);

/* Adds the outcome to the reply. E_NOT_FOUND: the service does not know. E_INVALID: the answer is none, with why, never with
 * its content; E_NOMEM. events is changed on success alone. */
MUST_USE enum status classify_answer(json_t *events, int http_status, const void *answer, size_t bytes, struct err *e);

#endif
