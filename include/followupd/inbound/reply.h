/* reply: the body of an inbound webhook (somebody wrote back) becomes one typed reply, or what a mail server reports
 * about a message of ours becomes typed events. Pure: bytes in, JSON out; no clock, no database, no socket.
 *
 * Providers   sendgrid (Inbound Parse, parsed or "send raw"), mailgun (a route's forward, also to a URL that ends in
 *             mime), postmark (inbound), ses (receiving rule with an SNS action). The signature has been checked before.
 * A reply     {"event_id", "kind": "replied", "occurred_at", "provider_type", "recipients": [..], "from", "from_name",
 *             "sender", "subject", "text", "full_text", "html", "text_cut", "message_id", "in_reply_to",
 *             "references": [..], "headers": [["Name", "value"], ..], "spf", "dkim", "dmarc"}
 *             Absent: not known. All values are strings but the three lists.
 *               event_id     the provider's own id; else Message-ID, a blank and the first recipient (one mail to two of
 *                            our addresses comes twice); else, or when that is long, "sha256:" and hex
 *               occurred_at  when the provider says that it came; else the mail's Date, which its sender chose
 *               recipients   of the envelope, where the provider tells them, else of To; letters as they came
 *               from         the address alone, lower case; sender: of the envelope, "" for <>
 *               text         what the person wrote: without the quoted message (the provider's cut where it makes one,
 *                            else ours, src/inbound/quote.c: when in doubt nothing is cut); never empty when full_text
 *                            is not
 *               html         only when the mail had no text: full_text was made from it then
 *               message_id, in_reply_to, references   in angle brackets; at most REPLY_REFERENCES_MAX, first and last ones
 *               headers      in the mail's order (of a whole mail Content-... last), decoded (RFC 2047), unfolded; at
 *                            most REPLY_HEADERS_MAX and REPLY_HEADERS_BYTES_MAX together, what is over is left out
 *               spf ...      "pass" or "fail"; softfail, neutral, none and gray are absent. spf speaks of the sender's
 *                            domain, dkim of a signature of whatever domain; dmarc alone of From's
 * A report    multipart/report with message/delivery-status (RFC 3464) is no reply. One event for each recipient in it:
 *             {"event_id", "kind": by Action: "bounced" (failed), "delayed", "delivered" (delivered, relayed, expanded),
 *             "occurred_at", "provider_type", "recipient", "action", "status", "smtp_code", "detail",
 *             "rfc_message_id" (of the message it is about), "recipients", "from", "spf", "dkim", "dmarc"}
 *             The last five tell SQL how far to believe it: anybody can write a report.
 * Text        UTF-8 without NUL, LF ends a line. Bytes that are none in the charset they claim become U+FFFD.
 *             Past REPLY_TEXT_BYTES_MAX text, full_text and html are cut, and "text_cut" is "true".
 * Errors      E_INVALID: the body is not what the provider sends; the text names what and where, never a content.
 *             E_LIMIT: over a bound of form.h; E_NOMEM. What is over the bounds of a mail is not read.
 * Threads     several may read at once.
 * Ownership   *ret is the caller's (json_decref), an array of at least one object; it borrows nothing.
 * Cost        O(bytes); memory at most a few times the body. Attachments are skipped, not kept. */
#ifndef FOLLOWUPD_INBOUND_REPLY_H
#define FOLLOWUPD_INBOUND_REPLY_H

#include <jansson.h>
#include <stddef.h>

#include "followupd/base/status.h"

#define REPLY_TEXT_BYTES_MAX    (64 * 1024)
#define REPLY_HEADERS_MAX       200
#define REPLY_HEADERS_BYTES_MAX (64 * 1024)
#define REPLY_REFERENCES_MAX    50
#define REPLY_RECIPIENTS_MAX    50
#define REPLY_REPORTED_MAX      50 /* recipients of one delivery report */

/* type: of the [webhook.NAME] section. content_type: the request's header, NULL when it has none. */
MUST_USE enum status reply_read(const char *type, const char *content_type, const void *body, size_t bytes,
                                json_t **ret, struct err *e);

#endif
