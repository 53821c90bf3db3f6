#include "followupd/conf/file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/list.h"
#include "followupd/conf/key.h"

#define PROVIDER "[provider.main]\ntype = generic\nurl = http://127.0.0.1:1/send\n"

static struct err problem;

static struct conf *must_read(const char *text)
{
    struct conf *c = NULL;
    enum status st = conf_parse("a.conf", text, strlen(text), &c, &problem);
    cr_assert_eq(st, OK, "%s", problem.text);
    return c;
}

static void must_refuse(const char *text, const char *message)
{
    struct conf *c = NULL;
    enum status st = conf_parse("a.conf", text, strlen(text), &c, &problem);
    cr_assert_neq(st, OK, "accepted: %s", text);
    cr_assert_null(c);
    cr_assert_str_eq(problem.text, message);
}

Test(file, a_file_with_one_provider_gets_every_default)
{
    struct conf *c = must_read(PROVIDER);
    cr_assert_eq(c->horizon_ms, 72LL * 3600 * 1000);
    cr_assert_eq(c->sweep_ms, 5000);
    cr_assert_eq(c->in_flight_max, 512);
    cr_assert_eq(c->batch_rows, 500);
    cr_assert_eq(c->batch_wait_ms, 10);
    cr_assert_eq(c->lease_ms, 10000);
    cr_assert_eq(c->lease_margin_ms, 2000);
    cr_assert_eq(c->busy_again_ms, 50);
    cr_assert_eq(c->policy_after_ms, 24LL * 3600 * 1000);
    cr_assert(c->notify);
    cr_assert_null(c->worker);
    cr_assert_null(c->public_url);
    cr_assert_eq(c->log_level, LOG_LEVEL_INFO);
    cr_assert_str_eq(c->provider, "main");
    cr_assert_eq(c->providers_count, 1);
    cr_assert_eq(c->providers[0].rate, 100);
    cr_assert_eq(c->providers[0].timeout_ms, 10000);
    conf_free(c);
}

Test(file, values_are_read_with_their_units)
{
    struct conf *c = must_read("\xEF\xBB\xBF# comment\r\n[database]\r\n  conninfo = host=/tmp dbname=x\r\n"
                               "[engine]\nlease=500ms\nhorizon = 2h\nbatch_wait = 1s\nin_flight_max=7\nnotify=off\n"
                               "provider = b\nworker = w1\n"
                               "[provider.a]\ntype=generic\nurl=https://a.example/\n"
                               "[provider.b]\ntype=generic\nurl=http://b.example/\nrate = 2.5/s\nkey_window = 0ms\n"
                               "[log]\nlevel = debug\n");
    cr_assert_str_eq(c->conninfo, "host=/tmp dbname=x");
    cr_assert_eq(c->lease_ms, 500);
    cr_assert_eq(c->lease_margin_ms, 100, "a short lease brings a short margin");
    cr_assert_eq(c->horizon_ms, 2LL * 3600 * 1000);
    cr_assert_eq(c->batch_wait_ms, 1000);
    cr_assert_eq(c->in_flight_max, 7);
    cr_assert_not(c->notify);
    cr_assert_str_eq(c->worker, "w1");
    cr_assert_str_eq(c->provider, "b");
    cr_assert_eq(conf_provider_find(c, "b")->rate, 2.5);
    cr_assert_eq(conf_provider_find(c, "b")->key_window_ms, 0);
    cr_assert_null(conf_provider_find(c, "c"));
    cr_assert_eq(c->log_level, LOG_LEVEL_DEBUG);
    conf_free(c);
}

/* A proxy may take the path away before a request reaches us. */
Test(file, a_public_url_may_have_a_path)
{
    struct conf *c = must_read(PROVIDER "[http]\npublic_url = https://example.com:8443/mail\n");
    cr_assert_str_eq(c->public_url, "https://example.com:8443/mail");
    conf_free(c);
}

Test(file, a_public_url_fits_into_a_link)
{
    char url[402] = "https://", text[1024];
    memset(url + strlen(url), 'a', sizeof url - 1 - strlen(url));
    url[400] = '\0';
    snprintf(text, sizeof text, "%s[http]\npublic_url = %s\n", PROVIDER, url);
    conf_free(must_read(text));
    snprintf(text, sizeof text, "%s[http]\npublic_url = %sa\n", PROVIDER, url);
    must_refuse(text, "a.conf:5: [http] public_url: is too long for a link in a mail (400 bytes)");
}

Test(file, a_value_is_the_rest_of_its_line)
{
    struct conf *c =
        must_read("[database]\nconninfo = host=/tmp password='a ; b # c'\n; comment\n# comment\n" PROVIDER);
    cr_assert_str_eq(c->conninfo, "host=/tmp password='a ; b # c'");
    conf_free(c);
}

Test(file, every_kind_of_mistake_names_file_line_and_key)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "\n[enginee]\n", "a.conf:2: unknown section [enginee]" },
        { "[engine]\nleaze = 3s\n", "a.conf:2: [engine] leaze: unknown key" },
        { "lease = 3s\n", "a.conf:1: lease stands before the first [section]" },
        { "[engine]\nlease = 10\n", "a.conf:2: [engine] lease: \"10\" has no unit: write 10ms, 10s, 10m or 10h" },
        { "[engine]\nlease = 10 days\n",
          "a.conf:2: [engine] lease: \"10 days\" has an unknown unit \"days\": the units are ms, s, m and h" },
        { "[engine]\nlease = ten\n",
          "a.conf:2: [engine] lease: \"ten\" is not a duration: write a whole number and a unit, like 10s" },
        { "[engine]\nlease = -1s\n",
          "a.conf:2: [engine] lease: \"-1s\" is not a duration: write a whole number and a unit, like 10s" },
        { "[engine]\nlease = 1ms\n", "a.conf:2: [engine] lease: 1ms is out of range: 200ms to 10m" },
        { "[engine]\nlease = 999999999999h\n",
          "a.conf:2: [engine] lease: 999999999999h is out of range: 200ms to 10m" },
        { "[engine]\nbatch_rows = 10s\n",
          "a.conf:2: [engine] batch_rows: \"10s\" is not a count: write a whole number without a unit" },
        { "[engine]\nbatch_rows = 1001\n", "a.conf:2: [engine] batch_rows: 1001 is out of range: 1 to 1000" },
        { "[engine]\nnotify = yes\n", "a.conf:2: [engine] notify: \"yes\" is none of off|on" },
        { "[log]\nlevel = loud\n", "a.conf:2: [log] level: \"loud\" is none of debug|info|warn|error" },
        { "[engine]\nlease = 3s\n\nlease = 4s\n", "a.conf:4: [engine] lease: is set twice, first on line 2" },
        { "[engine]\nlease = 3s\n    4s\n", "a.conf:3: is neither [section] nor key = value" },
        { "[engine]\nnonsense\n", "a.conf:2: is neither [section] nor key = value" },
        { "[provider.a]\ntype = pigeon\n",
          "a.conf:2: [provider.a] type: \"pigeon\" is none of generic|sendgrid|mailgun|postmark|ses|resend" },
        { "[provider.a]\nurl = http://a/\n", "a.conf:1: [provider.a] type: is missing" },
        { "\n[provider.a]\ntype = generic\n", "a.conf:2: [provider.a] url: is missing" },
        { "[provider.a]\ntype = generic\nurl = ftp://a/\n",
          "a.conf:3: [provider.a] url: must begin with http:// or https://" },
        { "[provider.a]\nurl =\ntype = generic\n", "a.conf:1: [provider.a] url: is missing" },
        { "[provider.a]\nrate = 10\n", "a.conf:2: [provider.a] rate: \"10\" has no unit: write 10/s" },
        { "[provider.a]\nrate = 10/m\n",
          "a.conf:2: [provider.a] rate: \"10/m\" has an unknown unit \"/m\": a rate is given in /s" },
        { "[provider.a]\nrate = 1.2.3/s\n",
          "a.conf:2: [provider.a] rate: \"1.2.3/s\" is not a rate: write a number and /s, like 100/s" },
        { "[provider.a]\nrate = 0/s\n", "a.conf:2: [provider.a] rate: 0/s is out of range: 0.01/s to 100000/s" },
        { "[provider.a b]\n",
          "a.conf:1: section [provider.a b]: a provider's name has 1 to 30 letters, digits, '-' or '_'" },
        { "[provider.]\n", "a.conf:1: section [provider.]: a provider's name has 1 to 30 letters, digits, '-' or '_'" },
        { "[provider]\n", "a.conf:1: unknown section [provider]" },
        { "[http]\npublic_url = example.com\n" PROVIDER,
          "a.conf:2: [http] public_url: must begin with http:// or https://" },
        { "[http]\npublic_url = https://example.com/\n" PROVIDER,
          "a.conf:2: [http] public_url: may not end in '/': /u/TOKEN is added to it" },
        { "[http]\npublic_url = https://example.com/mail/\n" PROVIDER,
          "a.conf:2: [http] public_url: may not end in '/': /u/TOKEN is added to it" },
        { "[http]\npublic_url = https://\n" PROVIDER,
          "a.conf:2: [http] public_url: may not end in '/': /u/TOKEN is added to it" },
        { "[http]\npublic_url = https://example.com?a=b\n" PROVIDER,
          "a.conf:2: [http] public_url: may hold no '?', no '#' and no blank: /u/TOKEN is added to it" },
        { "[http]\npublic_url = https://example.com#a\n" PROVIDER,
          "a.conf:2: [http] public_url: may hold no '?', no '#' and no blank: /u/TOKEN is added to it" },
        { "[http]\npublic_url = https://example.com /mail\n" PROVIDER,
          "a.conf:2: [http] public_url: may hold no '?', no '#' and no blank: /u/TOKEN is added to it" },
        { "[http]\npublic_url = https://gr\xc3\xbc\xc3\x9f"
          "e.example\n" PROVIDER,
          "a.conf:2: [http] public_url: may hold only ASCII, and no '<', '>', '\"' or '\\': it is part of a link "
          "(other "
          "letters: xn--... and %XX)" },
        { "[http]\npublic_url = \"https://example.com\"\n" PROVIDER,
          "a.conf:2: [http] public_url: must begin with http:// or https://" },
        { "[http]\npublic_url = https://example.com\"\n" PROVIDER,
          "a.conf:2: [http] public_url: may hold only ASCII, and no '<', '>', '\"' or '\\': it is part of a link "
          "(other "
          "letters: xn--... and %XX)" },
        { PROVIDER "[webhook.a]\ntype = resend\nclassifier_url = ftp://a/\n",
          "a.conf:6: [webhook.a] classifier_url: must begin with http:// or https://" },
        { "", "a.conf: there is no [provider.NAME] section: nothing could be sent" },
        { "[engine]\nprovider = other\n" PROVIDER,
          "a.conf:2: [engine] provider: there is no section [provider.other]" },
        { PROVIDER "[provider.b]\ntype = generic\nurl = http://b/\n",
          "a.conf: [engine] provider: is missing: name one of the 2 providers" },
        { "[engine]\nlease = 1s\nlease_margin = 600ms\n" PROVIDER,
          "a.conf:3: [engine] lease_margin: may be at most half of lease (1000 ms)" },
        { "[engine]\nsettle_after = 5s\n" PROVIDER,
          "a.conf:3: [provider.main] timeout: must be shorter than [engine] settle_after (5000 ms)" },
        { "[database]\nreconnect_min = 1m\n" PROVIDER,
          "a.conf:2: [database] reconnect_min: is longer than reconnect_max" },
        { "[database]\n\nreconnect_max = 50ms\n" PROVIDER,
          "a.conf:3: [database] reconnect_min: is longer than reconnect_max" },
        { "[engine]\nlease = 3s ; short\n",
          "a.conf:2: [engine] lease: \"3s ; short\" has an unknown unit \"s ; short\": the units are ms, s, m and h" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        must_refuse(cases[i].text, cases[i].message);
}

Test(file, a_seventeenth_provider_and_an_endless_line_are_refused)
{
    char text[4000] = "";
    for (int i = 0; i < 17; i++)
        sprintf(text + strlen(text), "[provider.p%d]\ntype=generic\nurl=http://a/\n", i);
    must_refuse(text, "a.conf:49: section [provider.p16]: there may be at most 16 providers");
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    must_refuse(text, "a.conf:1: the line is longer than 1200 bytes");
}

/* inih passes over more than blanks, and over a byte order mark of its own: whatever it takes for a section, we know. */
Test(file, a_section_behind_something_invisible_is_one_or_is_refused)
{
    struct conf *c = must_read("\v\f \r" PROVIDER);
    cr_assert_eq(c->providers_count, 1);
    conf_free(c);
    must_refuse("\xEF\xBB\xBF\xEF\xBB\xBF" PROVIDER,
                "a.conf:2: section [provider.main]: something stands before it on its line");
}

Test(file, a_nul_byte_is_refused)
{
    static const char text[] = "[engine]\nworker = a\0b\n";
    struct conf *c = NULL;
    cr_assert_eq(conf_parse("a.conf", text, sizeof text - 1, &c, &problem), E_INVALID);
    cr_assert_str_eq(problem.text, "a.conf:2: the line holds a NUL byte");
}

Test(file, key_files_lie_in_the_credentials_folder_when_there_is_one)
{
    unsetenv("CREDENTIALS_DIRECTORY");
    struct conf *c = must_read(PROVIDER "key_file = key\n");
    cr_assert_str_eq(c->providers[0].key_file, "key");
    conf_free(c);
    setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x", 1);
    c = must_read(PROVIDER "key_file = key\n");
    cr_assert_str_eq(c->providers[0].key_file, "/run/credentials/x/key");
    conf_free(c);
    c = must_read(PROVIDER "key_file = /etc/key\nsession_token_file = token\n");
    cr_assert_str_eq(c->providers[0].key_file, "/etc/key");
    cr_assert_eq(c->providers[0].key_file_line, 4);
    cr_assert_eq(c->providers[0].session_token_file_line, 5);
    conf_free(c);
}

Test(file, a_file_that_is_not_there_is_named)
{
    struct conf *c = NULL;
    cr_assert_eq(conf_load("/nowhere/followupd.conf", &c, &problem), E_IO);
    cr_assert_str_eq(problem.text, "/nowhere/followupd.conf: No such file or directory");
}

Test(file, a_reload_takes_only_what_is_reloadable)
{
    struct conf *old = must_read(PROVIDER), *fresh = must_read("[log]\nlevel = debug\n" PROVIDER
                                                               "rate = 7/s\nconcurrency_max = 3\nkey_file = /k/new\n");
    cr_assert_eq(conf_may_reload(old, fresh, &problem), OK, "%s", problem.text);
    conf_adopt(old, fresh);
    conf_free(fresh);
    cr_assert_eq(old->log_level, 0, "debug");
    cr_assert_eq(old->providers[0].rate, 7);
    cr_assert_eq(old->providers[0].concurrency_max, 3);
    cr_assert_str_eq(old->providers[0].key_file, "/k/new");
    cr_assert_eq(conf_may_reload(old, old, &problem), OK);
    fresh = must_read("[engine]\nlease = 5s\n" PROVIDER);
    cr_assert_eq(conf_may_reload(old, fresh, &problem), E_INVALID);
    cr_assert_str_eq(problem.text, "[engine] lease changed: that takes a restart");
    conf_free(fresh);
    fresh = must_read(PROVIDER "timeout = 3s\n");
    cr_assert_eq(conf_may_reload(old, fresh, &problem), E_INVALID);
    cr_assert_str_eq(problem.text, "[provider.main] timeout changed: that takes a restart");
    conf_free(fresh);
    conf_free(old);
}
