/* event_mailgun: webhook.h. */
#include "webhook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const struct webhook_settings settings = { .type = "mailgun", .secrets = { "key" } };
    return fuzz_webhook(&settings, "application/json", data, bytes);
}
