/* What a shell offers next: verbs, options and their words, from the table of verbs. */
#include <stdio.h>
#include <string.h>

#include "ctl.h"

static const struct ctl_option *find(const struct ctl_option *options, size_t count, const char *name)
{
    for (size_t i = 0; i < count && options[i].name != NULL; i++)
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

static void offer(const char *text, size_t bytes, const char *typed)
{
    if (bytes >= strlen(typed) && strncmp(text, typed, strlen(typed)) == 0)
        printf("%.*s\n", (int)bytes, text);
}

static bool is_used(const char *name, int words_count, char **words)
{
    for (int i = 0; i < words_count; i++)
        if (strncmp(words[i], "--", 2) == 0 && strcmp(words[i] + 2, name) == 0)
            return true;
    return false;
}

/* Each option once: given twice it is refused. */
static void offer_options(const struct ctl_option *options, size_t count, int words_count, char **words,
                          const char *typed)
{
    for (size_t i = 0; i < count && options[i].name != NULL; i++) {
        char text[64];
        snprintf(text, sizeof text, "--%s", options[i].name);
        if (!is_used(options[i].name, words_count, words))
            offer(text, strlen(text), typed);
    }
}

/* "sent|not_sent" are words to choose from; FILE is for the shell; of anything else nothing is known. */
static void offer_value(const char *shown, const char *typed)
{
    if (strncmp(shown, "FILE", 4) == 0)
        puts(COMPLETE_FILES);
    else if (strchr(shown, '|') != NULL)
        for (const char *word = shown; *word != '\0'; word += strspn(word, "|")) {
            offer(word, strcspn(word, "|"), typed);
            word += strcspn(word, "|");
        }
}

/* The first word of each verb once, or the second ones of a group. */
static void offer_verbs(const char *group, const char *typed)
{
    const struct ctl_verb *verb, *before;
    for (size_t i = 0; (verb = ctl_verb_at(i)) != NULL; i++) {
        size_t first = strcspn(verb->name, " ");
        bool in_group = group != NULL && strlen(group) == first && strncmp(verb->name, group, first) == 0;
        if (in_group && verb->name[first] == ' ')
            offer(verb->name + first + 1, strlen(verb->name + first + 1), typed);
        if (group != NULL)
            continue;
        bool again = false;
        for (size_t k = 0; k < i && !again; k++) {
            before = ctl_verb_at(k);
            again = strcspn(before->name, " ") == first && strncmp(before->name, verb->name, first) == 0;
        }
        if (!again)
            offer(verb->name, first, typed);
    }
}

/* The nth of the words that the help shows: "ID sent|not_sent". The last one stands for those after it. */
static void offer_word(const struct ctl_verb *verb, size_t nth, const char *typed)
{
    char shown[64] = "";
    const char *at = verb->words;
    for (size_t i = 0; *at != '\0' && i <= nth; i++) {
        at += strspn(at, " [");
        snprintf(shown, sizeof shown, "%.*s", (int)strcspn(at, " ]"), at);
        at += strcspn(at, " ]");
        at += strspn(at, " ]");
    }
    if (nth < verb->words_max)
        offer_value(shown, typed);
}

void complete_print(const struct ctl_option *globals, size_t globals_count, int words_count, char **words)
{
    const struct ctl_verb *verb = NULL;
    const struct ctl_option *option = NULL; /* whose value comes next */
    const char *group = NULL, *typed = words_count > 0 ? words[words_count - 1] : "";
    size_t words_given = 0;
    for (int i = 0; i + 1 < words_count; i++) {
        const char *word = words[i];
        if (strcmp(word, "=") == 0)
            continue; /* bash reads --option=value as three words */
        if (option != NULL) {
            option = NULL;
        } else if (strncmp(word, "--", 2) == 0) {
            option = find(globals, globals_count, word + 2);
            if (option == NULL && verb != NULL)
                option = find(verb->options, CTL_OPTIONS_MAX, word + 2);
            if (option != NULL && option->value == NULL)
                option = NULL;
        } else if (verb != NULL) {
            words_given++;
        } else {
            verb = ctl_verb_find(group != NULL ? group : word, group != NULL ? word : NULL);
            group = word;
        }
    }
    if (strcmp(typed, "=") == 0)
        typed = "";
    if (option != NULL) {
        offer_value(option->value, typed);
    } else if (typed[0] == '-') {
        offer_options(globals, globals_count, words_count - 1, words, typed);
        if (verb != NULL)
            offer_options(verb->options, CTL_OPTIONS_MAX, words_count - 1, words, typed);
    } else if (verb == NULL) {
        offer_verbs(group, typed);
    } else {
        offer_word(verb, words_given, typed);
    }
}
