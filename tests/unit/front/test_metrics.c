#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/front/metrics.h"

static struct histogram empty, filled;
static struct figures figures;
static struct buf out;

static void prepare(void)
{
    buf_init(&out, METRICS_BYTES_MAX);
    figures = (struct figures){ .lateness = &empty,
                                .claim = &empty,
                                .send = &filled,
                                .record = &empty,
                                .inbox = &empty,
                                .turn = &empty,
                                .notify_age_s = NAN };
    figures.outcomes[OUTCOME_SENT] = 12345678901.0;
    figures.wheel_bytes = 10485760;
    figures.lease_left_s = 0.25;
    figures.providers[0] = (struct provider_figures){ .name = "main", .breaker = { 0, 1, 0 }, .window = 32 };
    figures.providers[1] = (struct provider_figures){ .name = "other", .breaker = { 1, 0, 0 }, .in_flight = 3 };
    figures.provider_count = 2;
    histogram_add(&filled, 63);
    histogram_add(&filled, 64);
    histogram_add(&filled, 95);
    histogram_add(&filled, 96);
    histogram_add(&filled, 1000000);
    histogram_add(&filled, INT64_C(3600) * 1000000);
}

static void tidy(void)
{
    buf_fini(&out);
}

TestSuite(metrics, .init = prepare, .fini = tidy);

static void has(const char *line)
{
    cr_assert(strstr(out.data, line) != NULL, "no \"%s\" in\n%s", line, out.data);
}

static unsigned times(const char *text)
{
    unsigned count = 0;
    for (const char *at = out.data; (at = strstr(at, text)) != NULL; at += strlen(text))
        count++;
    return count;
}

Test(metrics, a_sample_has_its_name_labels_and_value)
{
    cr_assert_eq(metrics_text(&figures, &out), OK);
    has("\n# TYPE followupd_messages_total counter\nfollowupd_messages_total{outcome=\"sent\"} 12345678901\n");
    has("\nfollowupd_wheel_bytes 10485760\n");
    has("\nfollowupd_lease_remaining_seconds 0.25\n");
    has("\nfollowupd_provider_breaker{provider=\"main\",state=\"open\"} 1\n");
    has("\nfollowupd_provider_in_flight{provider=\"other\"} 3\n");
}

Test(metrics, every_family_is_described_once)
{
    cr_assert_eq(metrics_text(&figures, &out), OK);
    cr_assert_eq(times("# TYPE followupd_messages_total "), 1);
    cr_assert_eq(times("# TYPE followupd_provider_breaker "), 1);
    cr_assert_eq(times("# HELP "), times("# TYPE "));
}

Test(metrics, what_is_not_known_is_left_out)
{
    cr_assert_eq(metrics_text(&figures, &out), OK);
    has("# TYPE followupd_notify_age_seconds gauge\n# HELP");
    cr_assert_eq(times("nan"), 0);
}

/* 64 us is not below the first bound, 96 us not below the second. */
Test(metrics, buckets_are_cumulative_and_exact)
{
    cr_assert_eq(metrics_text(&figures, &out), OK);
    has("\nfollowupd_send_seconds_bucket{le=\"6.4e-05\"} 1\n");
    has("\nfollowupd_send_seconds_bucket{le=\"9.6e-05\"} 3\n");
    has("\nfollowupd_send_seconds_bucket{le=\"0.000128\"} 4\n");
    has("\nfollowupd_send_seconds_bucket{le=\"0.786432\"} 4\n");
    has("\nfollowupd_send_seconds_bucket{le=\"1.048576\"} 5\n");
    has("\nfollowupd_send_seconds_bucket{le=\"67.108864\"} 5\n");
    has("\nfollowupd_send_seconds_bucket{le=\"+Inf\"} 6\nfollowupd_send_seconds_sum 3601.000318\n"
        "followupd_send_seconds_count 6\n");
}

Test(metrics, text_that_does_not_fit_is_an_error)
{
    buf_fini(&out);
    buf_init(&out, 1000);
    cr_assert_eq(metrics_text(&figures, &out), E_LIMIT);
    buf_clear(&out);
    cr_assert_eq(metrics_json(&figures, &out), E_LIMIT);
}

Test(metrics, json_holds_the_same)
{
    cr_assert_eq(metrics_json(&figures, &out), OK);
    has("\"messages_total\":{\"sent\":12345678901,\"retry\":0,\"rejected\":0,\"in_doubt\":0},");
    has("\"wheel_bytes\":10485760,");
    has("\"notify_age_seconds\":null,");
    has("\"send_seconds\":{\"count\":6,\"p50\":0.000103,\"p99\":3600}");
    has("\"providers\":[{\"provider\":\"main\",\"provider_breaker\":{\"closed\":0,\"open\":1,\"half_open\":0},");
    cr_assert_eq(out.data[out.used - 1], '}');
}
