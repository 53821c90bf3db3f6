/* webhooks: the [webhook.NAME] sections become the front's sources; secrets and keys are read from their files.
 *
 * Errors  E_INVALID, E_IO, E_LIMIT with line, section, key and file named, never a content. A file has at most
 *         WEBHOOK_FILE_BYTES_MAX bytes. */
#ifndef FOLLOWUPD_APP_WEBHOOKS_H
#define FOLLOWUPD_APP_WEBHOOKS_H

#include "followupd/conf/file.h"
#include "followupd/front/sources.h"

#define WEBHOOK_FILE_BYTES_MAX 8192

/* What can be said without reading a secret or a key. */
MUST_USE enum status webhooks_check(const char *conf_path, const struct conf *conf, struct err *e);
MUST_USE enum status webhooks_sources(const char *conf_path, const struct conf *conf, struct sources **ret,
                                      struct err *e);

#endif
