#include "fault.h"

#include "sample.h"

static struct faults *rules(const char *json)
{
    struct err e;
    struct faults *f = faults_new(7);
    cr_assert_not_null(f);
    cr_assert_eq(faults_replace(f, json, strlen(json), &e), OK, "%s", e.text);
    return f;
}

static enum fault_action pick(struct faults *f, const char *to)
{
    struct message m = sample(1, to);
    enum fault_action action = faults_pick(f, &m).action;
    message_fini(&m);
    return action;
}

static void refused(const char *json, const char *error)
{
    struct err e;
    struct faults *f = rules("[{\"action\":\"cut\"}]");
    cr_assert_eq(faults_replace(f, json, strlen(json), &e), E_INVALID, "%s", json);
    cr_expect_not_null(strstr(e.text, error), "%s instead of %s", e.text, error);
    cr_expect_eq(pick(f, "a@b"), FAULT_CUT, "the rules before must stay");
    faults_free(f);
}

Test(fault, without_rules_nothing_goes_wrong)
{
    struct faults *f = faults_new(1);
    cr_expect_eq(pick(f, "a@b"), FAULT_NONE);
    faults_free(f);
}

Test(fault, count_is_used_up)
{
    struct faults *f = rules("[{\"action\":\"503\",\"count\":2},{\"action\":\"429\",\"count\":1}]");
    cr_expect_eq(pick(f, "a@b"), FAULT_503);
    cr_expect_eq(pick(f, "a@b"), FAULT_503);
    cr_expect_eq(pick(f, "a@b"), FAULT_429);
    cr_expect_eq(pick(f, "a@b"), FAULT_NONE);
    faults_free(f);
}

Test(fault, recipient_meets_its_own_rule_only)
{
    struct faults *f = rules("[{\"action\":\"silent\",\"recipient\":\"Bad@x.example\"}]");
    cr_expect_eq(pick(f, "bad@x.example"), FAULT_SILENT);
    cr_expect_eq(pick(f, "good@x.example"), FAULT_NONE);
    faults_free(f);
}

Test(fault, another_recipient_uses_up_no_count)
{
    struct faults *f = rules("[{\"action\":\"500\",\"recipient\":\"bad@x.example\",\"count\":1}]");
    cr_expect_eq(pick(f, "good@x.example"), FAULT_NONE);
    cr_expect_eq(pick(f, "bad@x.example"), FAULT_500);
    faults_free(f);
}

Test(fault, rate_is_met_and_repeats_with_the_seed)
{
    const char *json = "[{\"action\":\"late\",\"ms\":5,\"rate\":0.25}]";
    enum fault_action first[4000];
    int late = 0;
    struct err e;
    struct faults *f = rules(json);
    struct message m = sample(1, "a@b");
    for (int i = 0; i < 4000; i++) {
        first[i] = faults_pick(f, &m).action;
        late += first[i] == FAULT_LATE;
    }
    cr_expect(late > 850 && late < 1150, "%d of 4000", late);
    cr_assert_eq(faults_replace(f, json, strlen(json), &e), OK); /* the dice start anew */
    for (int i = 0; i < 4000; i++)
        cr_assert_eq(faults_pick(f, &m).action, first[i]);
    message_fini(&m);
    faults_free(f);
}

Test(fault, rate_zero_never_and_rate_one_always)
{
    struct faults *f = rules("[{\"action\":\"500\",\"rate\":0},{\"action\":\"400\",\"rate\":1}]");
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(pick(f, "a@b"), FAULT_400);
    faults_free(f);
}

Test(fault, a_rule_carries_delay_and_retry_after)
{
    struct faults *f = rules("[{\"action\":\"503\",\"ms\":20,\"retry_after_s\":3}]");
    struct message m = sample(1, "a@b");
    struct fault fault = faults_pick(f, &m);
    cr_expect_eq(fault.delay_ms, 20);
    cr_expect_eq(fault.retry_after_s, 3);
    message_fini(&m);
    faults_free(f);
}

Test(fault, a_bad_list_names_rule_and_field_and_changes_nothing)
{
    refused("{}", "must be a JSON list");
    refused("[{\"action\":\"503\"},{\"action\":\"explode\"}]", "rule 2: action: must be one of");
    refused("[{\"action\":\"none\"}]", "rule 1: action: must be one of");
    refused("[{\"rate\":0.5}]", "rule 1: action: is missing");
    refused("[{\"action\":\"503\",\"rate\":1.5}]", "rule 1: rate: must be");
    refused("[{\"action\":\"503\",\"count\":0}]", "rule 1: count: must be");
    refused("[{\"action\":\"late\"}]", "rule 1: ms: late needs it");
    refused("[{\"action\":\"500\",\"retry_after_s\":1}]", "rule 1: retry_after_s: belongs to");
    refused("[{\"action\":\"503\",\"when\":1}]", "rule 1: when: is no field");
    refused("[", "no JSON");
}
