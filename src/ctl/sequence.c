/* Sequences: in and out as JSON documents. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "followupd/base/list.h"

#define DOCUMENT_BYTES_MAX (8u << 20)

static enum ctl_exit sequence_import(struct ctl *c)
{
    struct err e = { "" };
    struct once_rows *rows = NULL;
    json_error_t where;
    FILE *file = fopen(c->words[0], "re");
    if (file == NULL)
        return ctl_usage(c, "%s: %s", c->words[0], strerror(errno));
    json_t *document = json_loadf(file, JSON_REJECT_DUPLICATES, &where);
    long bytes = ftell(file);
    fclose(file);
    if (document == NULL || bytes > (long)DOCUMENT_BYTES_MAX) {
        json_decref(document);
        return document == NULL ? ctl_usage(c, "%s:%d: %s", c->words[0], where.line, where.text)
                                : ctl_usage(c, "%s: is larger than %u bytes", c->words[0], DOCUMENT_BYTES_MAX);
    }
    char *text = json_dumps(document, JSON_COMPACT);
    json_decref(document);
    const struct command_argument arguments[] = { { "document", text } };
    enum status st = ctl_command(c, "sequence import", arguments, COUNT_OF(arguments), &rows, &e);
    free(text);
    if (st != OK)
        return ctl_fail(err_prefix(&e, st, "%s", c->words[0]), &e);
    if (c->json)
        output_json(json_loads(once_value(rows, 0, 0), 0, NULL));
    else
        printf("sequence %s version %s: %s steps%s\n", once_value(rows, 0, 1), once_value(rows, 0, 2),
               once_value(rows, 0, 3), once_bool(rows, 0, 4) ? "" : ", as it was: no new version");
    once_rows_free(rows);
    return CTL_OK;
}

static void steps_print(const json_t *steps)
{
    size_t index;
    const json_t *step;
    json_array_foreach (steps, index, step) {
        const char *unit = json_string_value(json_object_get(step, "unit"));
        putchar('\n');
        output_text(json_string_value(json_object_get(step, "key")));
        printf("  (%s, after %s%s)\n  ", json_string_value(json_object_get(step, "kind")),
               json_string_value(json_object_get(step, "delay")),
               unit != NULL && strcmp(unit, "business_days") == 0 ? " of business days" : "");
        output_text(json_string_value(json_object_get(step, "subject")));
        putchar('\n');
        const char *line = json_string_value(json_object_get(step, "body_text"));
        while (line != NULL && *line != '\0') {
            size_t bytes = strcspn(line, "\n");
            char *one = strndup(line, bytes);
            fputs("  | ", stdout);
            output_text(one != NULL ? one : "(out of memory)");
            putchar('\n');
            free(one);
            line += bytes + (line[bytes] == '\n');
        }
    }
}

static enum ctl_exit sequence_show(struct ctl *c)
{
    struct err e = { "" };
    char id[24];
    struct once_rows *rows = NULL;
    const char *named[] = { c->account, c->words[0] };
    enum status st = ctl_value(c, "SELECT followup.find_named($1::bigint, 'sequence', $2)", named, COUNT_OF(named), id,
                               sizeof id, &e);
    const struct command_argument arguments[] = { { "sequence", id } };
    if (st == OK)
        st = ctl_command(c, "sequence show", arguments, COUNT_OF(arguments), &rows, &e);
    if (st != OK)
        return ctl_fail(st, &e);
    json_t *document =
        json_loads(once_value(rows, 0, 1) != NULL ? once_value(rows, 0, 1) : "null", JSON_DECODE_ANY, NULL);
    once_rows_free(rows);
    if (c->json) {
        output_json(document);
        return CTL_OK;
    }
    printf("%s, version %lld\n", c->words[0], (long long)json_integer_value(json_object_get(document, "version")));
    steps_print(json_object_get(document, "steps"));
    json_decref(document);
    return CTL_OK;
}

static enum ctl_exit sequence_list(struct ctl *c)
{
    struct err e = { "" };
    struct once_rows *rows = NULL;
    const char *values[] = { c->account };
    enum status st = ctl_query(c,
                               "SELECT s.id, s.name, s.status_set, v.version, s.paused_at, "
                               "(SELECT count(*) FROM followup.step AS t WHERE t.account_id = s.account_id "
                               "AND t.sequence_id = s.id AND t.version = v.version) AS steps "
                               "FROM followup.sequence AS s CROSS JOIN LATERAL (SELECT max(w.version) AS version "
                               "FROM followup.sequence_version AS w WHERE w.account_id = s.account_id "
                               "AND w.sequence_id = s.id) AS v WHERE s.account_id = $1::bigint ORDER BY s.name",
                               values, COUNT_OF(values), &rows, &e);
    if (st != OK)
        return ctl_fail(st, &e);
    output_rows(c, rows, "There is no sequence yet: followupctl sequence import FILE.json");
    once_rows_free(rows);
    return CTL_OK;
}

const struct ctl_verb sequence_verbs[] = {
    { "sequence import",
      "FILE.json",
      1,
      1,
      false,
      { { NULL } },
      "a sequence, or a new version of it",
      "The file holds {\"name\", \"steps\": [{\"key\", \"kind\": \"sequence\" or \"follow_up\", \"delay\": \"2 "
      "days\",\n"
      "\"unit\": \"elapsed\" or \"business_days\", \"subject\", \"body_text\", \"body_html\"}]}; "
      "docs/examples/sequence.json is\n"
      "one. A delay counts from the step before. Steps of kind follow_up are what skip goes to. Tags: {{first_name}},\n"
      "{{first_name|there}}, lead's fields, assistant.name, rep.name, unsubscribe_link, postal_address.\n"
      "The same name again is a new version; conversations under way keep theirs.\n",
      sequence_import },
    { "sequence list", "", 0, 0, false, { { NULL } }, "the account's sequences", "", sequence_list },
    { "sequence show",
      "NAME",
      1,
      1,
      false,
      { { NULL } },
      "a sequence's newest version",
      "With --json: a document that sequence import reads.\n",
      sequence_show },
    { NULL },
};
