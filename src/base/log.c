#include "followupd/base/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "followupd/base/clock.h"
#include "followupd/base/list.h"
#include "followupd/base/utf8.h"

#define LINE_BYTES_MAX  4096
#define VALUE_BYTES_MAX 256

static enum log_level lowest = LOG_LEVEL_INFO;

static const struct {
    const char *name, *journal;
} levels[] = {
    [LOG_LEVEL_DEBUG] = { "debug", "<7>" },
    [LOG_LEVEL_INFO] = { "info", "<6>" },
    [LOG_LEVEL_WARN] = { "warn", "<4>" },
    [LOG_LEVEL_ERROR] = { "error", "<3>" },
};

void log_level_set(enum log_level level)
{
    lowest = level;
}

int log_level_parse(const char *text, enum log_level *ret)
{
    for (size_t i = 0; i < COUNT_OF(levels); i++) {
        if (strcmp(text, levels[i].name) == 0) {
            *ret = (enum log_level)i;
            return 0;
        }
    }
    return -1;
}

struct line {
    /* The last one is the newline's; until then it tells whether a character ends before it. */
    char bytes[LINE_BYTES_MAX];
    size_t used;
};

static void put(struct line *l, char c)
{
    if (l->used < sizeof l->bytes)
        l->bytes[l->used++] = c;
}

static void put_text(struct line *l, const char *text)
{
    for (; *text != '\0'; text++)
        put(l, *text);
}

static bool is_plain(const char *text)
{
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f)
            return false;
    }
    return true;
}

static void put_value_text(struct line *l, const char *text)
{
    if (text == NULL) {
        put_text(l, "-");
        return;
    }
    bool plain = is_plain(text);
    size_t bytes = utf8_cut(text, strlen(text), VALUE_BYTES_MAX);
    if (!plain)
        put(l, '"');
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        char escape[8];
        if (c < ' ' || c == 0x7f) {
            snprintf(escape, sizeof escape, "\\x%02x", c);
            put_text(l, escape);
            continue;
        }
        if (c == '"' || c == '\\')
            put(l, '\\');
        put(l, (char)c);
    }
    if (!plain)
        put(l, '"');
}

static void put_pair(struct line *l, const struct kv *p)
{
    char number[40] = "";
    put(l, ' ');
    put_text(l, p->name);
    put(l, '=');
    switch (p->type) {
    case KV_I64:
        snprintf(number, sizeof number, "%lld", (long long)p->value.i64);
        break;
    case KV_U64:
        snprintf(number, sizeof number, "%llu", (unsigned long long)p->value.u64);
        break;
    case KV_F64:
        snprintf(number, sizeof number, "%.3f", p->value.f64);
        break;
    case KV_TEXT:
        put_value_text(l, p->value.text);
        return;
    case KV_END:
        return;
    }
    put_text(l, number);
}

void log_write(enum log_level level, const char *event, const struct kv *pairs)
{
    if (level < lowest)
        return;
    struct line l = { .used = 0 };
    if (getenv("JOURNAL_STREAM") != NULL) {
        put_text(&l, levels[level].journal);
    } else {
        char now[WALL_TEXT_BYTES];
        wall_text(wall_now(), now, sizeof now);
        put_text(&l, now);
        put(&l, ' ');
        put_text(&l, levels[level].name);
        put(&l, ' ');
    }
    put_text(&l, event);
    for (const struct kv *p = pairs; p->type != KV_END; p++)
        put_pair(&l, p);
    l.used = utf8_cut(l.bytes, l.used, sizeof l.bytes - 1);
    l.bytes[l.used++] = '\n';
    /* One write a line, so that two processes on one pipe do not mix theirs. A lost line is no reason to stop. */
    ssize_t written = write(STDERR_FILENO, l.bytes, l.used);
    (void)written;
}
