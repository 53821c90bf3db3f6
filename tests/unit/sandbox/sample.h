/* sample: messages for the tests of this folder. */
#ifndef TEST_SANDBOX_SAMPLE_H
#define TEST_SANDBOX_SAMPLE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "message.h"

/* m-<id> to that address; the caller frees it with message_fini. */
static inline struct message sample(int id, const char *to)
{
    char json[1024];
    struct message m;
    struct err e;
    snprintf(json, sizeof json,
             "{\"message_id\":\"m-%d\",\"account_id\":1,\"due_ms\":-5,\"from\":\"Ann <a@example.com>\",\"to\":\"%s\","
             "\"reply_to\":null,\"subject\":\"Gr\\u00fc\\u00dfe\",\"text\":\"one\\ntwo\",\"html\":null,"
             "\"headers\":{\"X-B\":\"2\",\"X-A\":\"1\"}}",
             id, to);
    cr_assert_eq(message_parse(json, strlen(json), &m, &e), OK, "%s", e.text);
    return m;
}

#endif
