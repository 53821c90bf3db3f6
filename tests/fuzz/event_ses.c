/* event_ses: webhook.h. */
#include "webhook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const struct webhook_settings settings = { .type = "ses",
                                                      .topic_arn = "arn:aws:sns:us-east-1:123456789012:followup-events",
                                                      .fresh_ms = -1 };
    return fuzz_webhook(&settings, "text/plain; charset=UTF-8", data, bytes);
}
