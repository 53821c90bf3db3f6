#include "fault.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/list.h"
#include "message.h"

struct rule {
    struct fault fault;
    double rate;
    int64_t left;          /* -1: no end */
    const char *recipient; /* NULL: everybody; borrowed from the document */
};

struct faults {
    uint64_t seed, dice;
    json_t *document; /* owned; holds the recipients' texts */
    struct rule *rules;
    size_t rules_count;
};

static const struct {
    const char *label;
    int http_status;
} actions[FAULT_ACTIONS] = {
#define X(name, label, http) [name] = { label, http },
    FAULT_MAP(X)
#undef X
};

const char *fault_label(enum fault_action action)
{
    return actions[action].label;
}

int fault_http_status(enum fault_action action)
{
    return actions[action].http_status;
}

struct faults *faults_new(uint64_t seed)
{
    struct faults *f = calloc(1, sizeof *f);
    if (f != NULL)
        f->seed = f->dice = seed;
    return f;
}

void faults_free(struct faults *f)
{
    if (f == NULL)
        return;
    json_decref(f->document);
    free(f->rules);
    free(f);
}

size_t faults_count(const struct faults *f)
{
    return f->rules_count;
}

/* splitmix64 as a number from 0 to just under 1 */
static double throw_dice(struct faults *f)
{
    uint64_t z = f->dice += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

struct fault faults_pick(struct faults *f, const struct message *m)
{
    for (size_t i = 0; i < f->rules_count; i++) {
        struct rule *r = &f->rules[i];
        if (r->left == 0 || (r->recipient != NULL && !message_goes_to(m, r->recipient)))
            continue;
        if (r->rate < 1 && throw_dice(f) >= r->rate)
            continue;
        if (r->left > 0)
            r->left--;
        return r->fault;
    }
    return (struct fault){ .action = FAULT_NONE, .retry_after_s = -1 };
}

/* ---- reading a list ---- */

static enum status read_action(json_t *value, struct rule *r, struct err *e)
{
    const char *label = json_string_value(value);
    for (int i = FAULT_NONE + 1; label != NULL && i < FAULT_ACTIONS; i++) {
        if (strcmp(actions[i].label, label) == 0) {
            r->fault.action = (enum fault_action)i;
            return OK;
        }
    }
    return err_set(
        e, E_INVALID,
        "action: must be one of late, 429, 503, 500, 400, 401, inactive, suspended, quota, silent, garbage, cut, "
        "cut_before");
}

static enum status read_whole(const char *name, json_t *value, int64_t least, int64_t most, int64_t *ret, struct err *e)
{
    json_int_t v = json_integer_value(value);
    if (!json_is_integer(value) || v < least || v > most)
        return err_set(e, E_INVALID, "%s: must be a whole number from %lld to %lld", name, (long long)least,
                       (long long)most);
    *ret = v;
    return OK;
}

static enum status read_field(const char *name, json_t *value, struct rule *r, struct err *e)
{
    if (strcmp(name, "action") == 0)
        return read_action(value, r, e);
    if (strcmp(name, "ms") == 0)
        return read_whole(name, value, 0, FAULT_DELAY_MS_MAX, &r->fault.delay_ms, e);
    if (strcmp(name, "retry_after_s") == 0)
        return read_whole(name, value, 0, FAULT_RETRY_S_MAX, &r->fault.retry_after_s, e);
    if (strcmp(name, "count") == 0)
        return read_whole(name, value, 1, INT32_MAX, &r->left, e);
    if (strcmp(name, "rate") == 0) {
        r->rate = json_number_value(value);
        if (!json_is_number(value) || !(r->rate >= 0 && r->rate <= 1))
            return err_set(e, E_INVALID, "rate: must be a number from 0 to 1");
        return OK;
    }
    if (strcmp(name, "recipient") == 0) {
        r->recipient = json_string_value(value);
        if (r->recipient == NULL || strchr(r->recipient, '@') == NULL)
            return err_set(e, E_INVALID, "recipient: must be an address");
        return OK;
    }
    return err_set(e, E_INVALID, "%.60s: is no field of a rule", name);
}

static enum status read_rule(json_t *object, struct rule *ret, struct err *e)
{
    struct rule r = { .fault.retry_after_s = -1, .rate = 1, .left = -1 };
    const char *name;
    json_t *value;
    if (!json_is_object(object))
        return err_set(e, E_INVALID, "must be an object");
    json_object_foreach (object, name, value) {
        enum status st = read_field(name, value, &r, e);
        if (st != OK)
            return st;
    }
    if (r.fault.action == FAULT_NONE)
        return err_set(e, E_INVALID, "action: is missing");
    if (r.fault.action == FAULT_LATE && r.fault.delay_ms == 0)
        return err_set(e, E_INVALID, "ms: late needs it, from 1");
    if (r.fault.action == FAULT_SILENT && r.fault.delay_ms != 0)
        return err_set(e, E_INVALID, "ms: means nothing for silent");
    if (r.fault.retry_after_s >= 0 && r.fault.action != FAULT_429 && r.fault.action != FAULT_503 &&
        r.fault.action != FAULT_QUOTA)
        return err_set(e, E_INVALID, "retry_after_s: belongs to 429, 503 and quota only");
    *ret = r;
    return OK;
}

static enum status read_list(json_t *document, struct rule **ret, struct err *e)
{
    size_t count = json_array_size(document);
    if (!json_is_array(document))
        return err_set(e, E_INVALID, "body: must be a JSON list of rules");
    if (count > FAULT_RULES_MAX)
        return err_set(e, E_LIMIT, "body: %zu rules, at most %d are allowed", count, FAULT_RULES_MAX);
    struct rule *rules = calloc(count + 1, sizeof *rules);
    if (rules == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    for (size_t i = 0; i < count; i++) {
        enum status st = read_rule(json_array_get(document, i), &rules[i], e);
        if (st != OK) {
            free(rules);
            return err_prefix(e, st, "rule %zu", i + 1);
        }
    }
    *ret = rules;
    return OK;
}

enum status faults_replace(struct faults *f, const char *json, size_t bytes, struct err *e)
{
    json_error_t error;
    struct rule *rules = NULL;
    json_t *document = json_loadb(json, bytes, JSON_REJECT_DUPLICATES, &error);
    if (document == NULL)
        return err_set(e, E_INVALID, "body: no JSON: line %d, column %d: %s", error.line, error.column, error.text);
    enum status st = read_list(document, &rules, e);
    if (st != OK) {
        json_decref(document);
        return st;
    }
    json_decref(f->document);
    free(f->rules);
    f->document = document;
    f->rules = rules;
    f->rules_count = json_array_size(document);
    f->dice = f->seed;
    return OK;
}
