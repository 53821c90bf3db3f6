/* event_resend: webhook.h. */
#include "webhook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const struct webhook_settings settings = { .type = "resend", .secrets = { "whsec_c2VjcmV0" } };
    return fuzz_webhook(&settings, "application/json", data, bytes);
}
