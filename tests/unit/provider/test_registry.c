#include "followupd/provider/registry.h"

#include <criterion/criterion.h>

#include "followupd/base/list.h"

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
    c.domain = "mg.example";
    refused(c, "provider a: domain has no meaning for type generic");
    c = (struct provider_config){ .name = "a", .type = "sendgrid", .concurrency_max = 1, .timeout_ms = 1 };
    refused(c, "provider a: key_file is missing: type sendgrid needs it");
    c.key = "k";
    c.region = "mars";
    refused(c, "provider a: region is 'mars', known are: global, eu");
    c.type = "mailgun";
    refused(c, "provider a: domain is missing: type mailgun needs it");
    c.domain = "mg.example/../x";
    refused(c, "provider a: domain has only letters, digits, '.', '_' and '-'");
    c.domain = "mg.example";
    refused(c, "provider a: region is 'mars', known are: us, eu");
    c = (struct provider_config){ .name = "a", .type = "ses", .key = "k", .concurrency_max = 1, .timeout_ms = 1 };
    refused(c, "provider a: region is missing: type ses needs it");
    c.region = "eu-west-1";
    refused(c, "provider a: access_key is missing: type ses needs it");
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

Test(registry, each_type_knows_where_it_is)
{
    static const struct {
        struct provider_config config;
        const char *place;
    } rows[] = {
        { { .type = "sendgrid" }, "https://api.sendgrid.com/v3/mail/send" },
        { { .type = "sendgrid", .region = "eu" }, "https://api.eu.sendgrid.com/v3/mail/send" },
        { { .type = "mailgun", .domain = "mg.example" }, "https://api.mailgun.net/v3/mg.example/messages" },
        { { .type = "mailgun", .domain = "mg.example", .region = "eu" },
          "https://api.eu.mailgun.net/v3/mg.example/messages" },
        { { .type = "postmark" }, "https://api.postmarkapp.com/email" },
        { { .type = "ses", .region = "eu-west-1", .access_key = "AKID" },
          "https://email.eu-west-1.amazonaws.com/v2/email/outbound-emails" },
        { { .type = "resend" }, "https://api.resend.com/emails" },
        { { .type = "resend", .url = "http://127.0.0.1:9/x/" }, "http://127.0.0.1:9/x/emails" },
        { { .type = "generic", .url = "http://127.0.0.1:9/x/" }, "http://127.0.0.1:9/x/" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct provider_config c = rows[i].config;
        struct registry *r = NULL;
        struct err e = { "" };
        c.name = "a";
        c.key = "k";
        c.concurrency_max = 1;
        c.timeout_ms = 1;
        cr_assert_eq(registry_new(&c, 1, &r, &e), OK, "%s", e.text);
        cr_expect_str_eq(registry_at(r, 0)->send_url, rows[i].place);
        registry_free(r);
    }
}

Test(registry, credentials_are_taken_over_together)
{
    struct provider_config old = { .name = "a",
                                   .type = "ses",
                                   .region = "eu-west-1",
                                   .concurrency_max = 1,
                                   .timeout_ms = 1,
                                   .key = "k1",
                                   .access_key = "A1",
                                   .session_token = "t1" },
                           changed = old;
    struct registry *r = NULL, *fresh = NULL;
    changed.key = "k2";
    changed.access_key = "A2";
    changed.session_token = NULL;
    cr_assert_eq(registry_new(&old, 1, &r, NULL), OK);
    cr_assert_eq(registry_new(&changed, 1, &fresh, NULL), OK);
    registry_adopt(r, fresh);
    registry_free(fresh);
    const struct provider_config *c = &registry_at(r, 0)->config;
    cr_expect_str_eq(c->key, "k2");
    cr_expect_str_eq(c->access_key, "A2");
    cr_expect_null(c->session_token);
    registry_free(r);
}

Test(registry, a_name_twice_is_refused)
{
    struct provider_config c[] = { good, good };
    struct registry *r = NULL;
    struct err e;
    cr_assert_eq(registry_new(c, 2, &r, &e), E_INVALID);
    cr_assert_str_eq(e.text, "provider a: configured twice");
}
