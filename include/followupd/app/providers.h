/* providers: the [provider.NAME] sections become the registry; keys are read from their files.
 *
 * Errors  E_INVALID, E_IO, E_LIMIT with configuration, provider and key named, and the line where a file that it names cannot
 *         be read. A key is at most PROVIDER_KEY_BYTES_MAX bytes; the line end after it is not part of it. */
#ifndef FOLLOWUPD_APP_PROVIDERS_H
#define FOLLOWUPD_APP_PROVIDERS_H

#include "followupd/conf/file.h"
#include "followupd/provider/registry.h"

#define PROVIDER_KEY_BYTES_MAX 4096

/* What can be said without reading a key. */
MUST_USE enum status providers_check(const char *conf_path, const struct conf *conf, struct err *e);
MUST_USE enum status providers_open(const char *conf_path, const struct conf *conf, struct registry **ret,
                                    struct err *e);

#endif
