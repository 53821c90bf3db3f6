#include "followupd/provider/registry.h"

#include <criterion/criterion.h>

static const struct provider_config good = {
    .name = "a",
    .type = "generic",
    .url = "http://127.0.0.1:1/",
    .concurrency_max = 4,
    .timeout_ms = 100,
};

Test(registry, a_provider_is_found_by_its_name_and_copied)
{
    char name[] = "a";
    struct provider_config c[] = { good, good };
    struct registry *r = NULL;
    c[0].name = name;
    c[1].name = "b";
    cr_assert_eq(registry_new(c, 2, &r, NULL), OK);
    name[0] = 'x';
    cr_assert_eq(registry_count(r), 2);
    cr_assert_eq(registry_find(r, "a"), 0);
    cr_assert_eq(registry_find(r, "b"), 1);
    cr_assert_eq(registry_find(r, "c"), -1);
    cr_assert_eq(registry_at(r, 1)->type, &provider_generic);
    registry_free(r);
}

Test(registry, other_limits_and_keys_are_taken_over)
{
    struct provider_config old = good, changed = good;
    struct registry *r = NULL, *fresh = NULL;
    old.key = "old";
    changed.key = "new";
    changed.rate_per_s = 7;
    changed.concurrency_max = 2;
    cr_assert_eq(registry_new(&old, 1, &r, NULL), OK);
    cr_assert_eq(registry_new(&changed, 1, &fresh, NULL), OK);
    const struct provider *p = registry_at(r, 0);
    registry_adopt(r, fresh);
    registry_free(fresh);
    cr_assert_str_eq(p->config.key, "new");
    cr_assert_eq(p->config.rate_per_s, 7);
    cr_assert_eq(p->config.concurrency_max, 2);
    registry_free(r);
}

static void refused(struct provider_config c, const char *says)
{
    struct registry *r = NULL;
    struct err e = { "" };
    cr_expect_eq(registry_new(&c, 1, &r, &e), E_INVALID, "%s", says);
    cr_expect_str_eq(e.text, says);
    cr_expect_null(r);
}

Test(registry, what_is_wrong_is_named)
{
    struct provider_config c = good;
    c.type = "pigeon";
    refused(c, "provider a: type is 'pigeon', known are: generic, sendgrid, mailgun, postmark, ses, resend");
    c = good;
    c.url = "ftp://x";
    refused(c, "provider a: url must begin with http:// or https://");
    c = good;
    c.key = "a\r\nX: y";
    refused(c, "provider a: a control character in its key_file");
    c = good;
    c.rate_per_s = -1;
    refused(c, "provider a: rate must not be negative");
    c = good;
    c.concurrency_max = 0;
    refused(c, "provider a: concurrency_max must be at least 1");
    c = good;
    c.timeout_ms = 0;
    refused(c, "provider a: timeout must be at least 1 ms");
}

Test(registry, a_name_twice_is_refused)
{
    struct provider_config c[] = { good, good };
    struct registry *r = NULL;
    struct err e;
    cr_assert_eq(registry_new(c, 2, &r, &e), E_INVALID);
    cr_assert_str_eq(e.text, "provider a: configured twice");
}
