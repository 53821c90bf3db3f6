/* key: every key of followupd.conf, one table row each. The reader checks with it, followupd.conf.example is printed
 * from it, and nothing else knows a key's name. Adding a key is a row in src/conf/key.c and a field in conf/file.h.
 *
 * Values  durations are milliseconds, rates are a double a second, files are a path, enums are the index in `words`.
 * Sections  a name that ends in '.' ("provider.", "webhook.") stands for every [provider.NAME].
 * Cost  look-ups walk the table: they happen at start and at reload only. */
#ifndef FOLLOWUPD_CONF_KEY_H
#define FOLLOWUPD_CONF_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "followupd/base/status.h"

#define CONF_VALUE_BYTES_MAX 1000 /* the longest text a key may hold */

enum conf_kind {
    CONF_DURATION, /* 250ms, 10s, 5m, 72h -> int64_t milliseconds */
    CONF_COUNT,    /* 512 -> int64_t */
    CONF_RATE,     /* 200/s -> double, a second */
    CONF_TEXT,     /* as written -> char *, owned */
    CONF_FILE,     /* a path; relative: to $CREDENTIALS_DIRECTORY when that is set, else as written -> char *, owned */
    CONF_BOOLEAN,  /* on, off -> bool */
    CONF_ENUM,     /* one of `words` -> int, its index */
};

struct conf_key {
    const char *section, *name;
    enum conf_kind kind;
    const char *fallback;  /* the default as a person writes it; NULL: none, stays empty or must be given */
    const char *min, *max; /* of durations, counts and rates, as a person writes them; inclusive */
    const char *words;     /* of an enum: a|b|c */
    const char *example;   /* what the example file shows where there is no default */
    bool required;         /* in each of its sections */
    bool shown;            /* the example sets it, although not every file has to */
    bool reloadable;       /* a reload may change it; else only a restart */
    const char *sentence;
    size_t offset; /* in struct conf, or in the struct of its section */
};

extern const struct conf_key conf_keys[];
extern const size_t conf_keys_count;

/* The row of [section] name, or NULL; section as it stands in the file ("provider.main"). */
const struct conf_key *conf_key_find(const char *section, const char *name);
bool conf_section_known(const char *section);
bool conf_section_is_provider(const char *section);
bool conf_section_is_webhook(const char *section);

union conf_value {
    int64_t integer; /* durations in ms, counts, booleans, enums */
    double rate;
};
/* Reads the text of any kind but text and file, and holds it against the range. The error says what is wrong with
 * the value and what would be right; the caller adds where. */
MUST_USE enum status conf_value_read(const struct conf_key *key, const char *text, union conf_value *ret,
                                     struct err *e);

/* followupd.conf.example: every key with its sentence, unit, range and default, in the order of the table. */
void conf_print_example(FILE *out);
/* docs/man/followupd.conf.5, the same for man(1). */
void conf_print_man(FILE *out);
/* "duration (ms, s, m, h), 100ms to 5m, must be given", in pieces. */
void conf_key_print_kind(const struct conf_key *key, FILE *out, void (*put)(FILE *out, const char *text));

#endif
