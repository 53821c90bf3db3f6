#include "followupd/base/crash_point.h"

#ifdef FOLLOWUPD_CRASH_POINTS

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "followupd/base/list.h"

static const char *const names[] = {
#define X(name) #name,
    CRASH_POINT_MAP(X)
#undef X
};

static const char *const ends[] = { "exit", "kill", "freeze" };

static struct {
    long passage; /* 0: no point is on */
    long passed;
    enum crash_point point;
    size_t end;
} on;

/* COUNT_OF(texts): none of them. */
static size_t find(const char *const *texts, size_t count, const char *text, size_t bytes)
{
    size_t i = 0;
    while (i < count && (strlen(texts[i]) != bytes || memcmp(texts[i], text, bytes) != 0))
        i++;
    return i;
}

enum status crash_point_set(const char *text, struct err *e)
{
    if (text == NULL)
        return OK;
    size_t name_bytes = strcspn(text, ":");
    size_t point = find(names, COUNT_OF(names), text, name_bytes);
    if (point == COUNT_OF(names))
        return err_set(e, E_INVALID, "FOLLOWUPD_CRASH=%.60s: no such point as crash_point.h names", text);
    char *rest = NULL;
    errno = 0;
    long passage = text[name_bytes] == ':' ? strtol(text + name_bytes + 1, &rest, 10) : 0;
    if (passage < 1 || errno != 0 || (*rest != '\0' && *rest != ':'))
        return err_set(e, E_INVALID,
                       "FOLLOWUPD_CRASH=%.60s: the form is POINT:PASSAGE[:exit|kill|freeze], PASSAGE from 1", text);
    const char *wanted = *rest == ':' ? rest + 1 : "kill";
    size_t end = find(ends, COUNT_OF(ends), wanted, strlen(wanted));
    if (end == COUNT_OF(ends))
        return err_set(e, E_INVALID, "FOLLOWUPD_CRASH=%.60s: it ends by exit, kill or freeze", text);
    on.point = (enum crash_point)point;
    on.passage = passage;
    on.end = end;
    return OK;
}

void crash_point_pass(enum crash_point point)
{
    if (on.passage == 0 || point != on.point || ++on.passed != on.passage)
        return;
    fprintf(stderr, "crash point %s, passage %ld: %s\n", names[point], on.passage, ends[on.end]);
    fflush(stderr);
    if (strcmp(ends[on.end], "exit") == 0)
        _exit(CRASH_POINT_STATUS);
    raise(strcmp(ends[on.end], "kill") == 0 ? SIGKILL : SIGSTOP);
}

#endif
