/* event_sendgrid: webhook.h. */
#include "webhook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const struct webhook_settings settings = {
        .type = "sendgrid",
        .public_keys = { "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/"
                         "7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==" }
    };
    return fuzz_webhook(&settings, "application/json", data, bytes);
}
