/* event_postmark: webhook.h. */
#include "webhook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const struct webhook_settings settings = { .type = "postmark", .secrets = { "user:password" } };
    return fuzz_webhook(&settings, "application/json", data, bytes);
}
