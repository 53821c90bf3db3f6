#include "ledger.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sample.h"

static char folder[64], path[96];
static uv_loop_t loop;
static struct ledger *ledger;
static int loaded;

static enum status count_loaded(void *context, const struct message *m, int64_t seq, int64_t at_us)
{
    (void)context;
    (void)m;
    (void)at_us;
    cr_assert_eq(seq, ++loaded);
    return OK;
}

static enum status try_open(struct err *e)
{
    const struct ledger_options options = { .path = path, .fsync = true, .on_loaded = count_loaded };
    loaded = 0;
    return ledger_open(&loop, &options, &ledger, e);
}

static void reopen(void)
{
    struct err e;
    ledger_close(ledger);
    ledger = NULL;
    cr_assert_eq(try_open(&e), OK, "%s", e.text);
}

static void setup(void)
{
    cr_assert(sodium_init() >= 0);
    strcpy(folder, "/tmp/unit_sandbox.XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/ledger.jsonl", folder);
    uv_loop_init(&loop);
    reopen();
}

static void teardown(void)
{
    ledger_close(ledger);
    ledger = NULL;
    cr_expect_eq(uv_loop_close(&loop), 0, "something is left on the loop");
    unlink(path);
    rmdir(folder);
}

TestSuite(ledger, .init = setup, .fini = teardown);

struct caller {
    struct ledger_entry entry;
    int written;
    off_t file_bytes; /* when it was told */
};

static off_t file_bytes(void)
{
    struct stat s;
    cr_assert_eq(stat(path, &s), 0);
    return s.st_size;
}

static void on_written(struct ledger_entry *entry, enum status st)
{
    struct caller *c = container_of(entry, struct caller, entry);
    cr_assert_eq(st, OK);
    c->written++;
    c->file_bytes = file_bytes();
}

static enum ledger_verdict accept_message(struct caller *c, int id, const char *key)
{
    struct message m = sample(id, "b@example.org");
    *c = (struct caller){ .entry.on_written = on_written };
    enum ledger_verdict verdict = ledger_accept(ledger, &m, key, &c->entry);
    message_fini(&m);
    return verdict;
}

static void accept_whole(int id, const char *key)
{
    struct caller c;
    cr_assert_eq(accept_message(&c, id, key), LEDGER_ACCEPTED);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_assert_eq(c.written, 1);
    ledger_release(&c.entry);
}

static void append(const char *text)
{
    int fd = open(path, O_WRONLY | O_APPEND);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static uint64_t lines(void)
{
    struct ledger_stats s;
    ledger_stats(ledger, &s);
    return s.lines;
}

Test(ledger, a_line_is_in_the_file_when_its_caller_is_told)
{
    struct caller c;
    cr_assert_eq(accept_message(&c, 1, "k"), LEDGER_ACCEPTED);
    cr_expect_eq(c.written, 0, "never inside the call");
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect_eq(c.written, 1);
    cr_expect_gt(c.file_bytes, 0);
    ledger_release(&c.entry);
}

Test(ledger, lines_that_wait_share_one_commit)
{
    struct caller c[50];
    struct ledger_stats s;
    for (int i = 0; i < 50; i++)
        cr_assert_eq(accept_message(&c[i], i + 1, NULL), LEDGER_ACCEPTED);
    uv_run(&loop, UV_RUN_DEFAULT);
    ledger_stats(ledger, &s);
    cr_expect_eq(s.commits, 2, "the first alone, then all that came meanwhile: %llu", (unsigned long long)s.commits);
    for (int i = 0; i < 50; i++) {
        cr_expect_eq(c[i].written, 1);
        cr_expect_eq(c[i].entry.seq, i + 1);
    }
}

Test(ledger, a_key_is_in_use_until_it_is_released)
{
    struct caller first, second;
    cr_assert_eq(accept_message(&first, 1, "k"), LEDGER_ACCEPTED);
    cr_expect_eq(accept_message(&second, 1, "k"), LEDGER_KEY_IN_USE);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect_eq(accept_message(&second, 1, "k"), LEDGER_KEY_IN_USE);
    ledger_release(&first.entry);
    cr_expect_eq(accept_message(&second, 1, "k"), LEDGER_REPLAYED);
    cr_expect_eq(second.entry.seq, 1);
    cr_expect_eq(lines(), 1);
}

Test(ledger, a_key_with_another_message_is_refused_even_in_use)
{
    struct caller first, second;
    cr_assert_eq(accept_message(&first, 1, "k"), LEDGER_ACCEPTED);
    cr_expect_eq(accept_message(&second, 2, "k"), LEDGER_KEY_REUSED);
    uv_run(&loop, UV_RUN_DEFAULT);
    ledger_release(&first.entry);
    cr_expect_eq(accept_message(&second, 2, "k"), LEDGER_KEY_REUSED);
    cr_expect_eq(lines(), 1);
}

Test(ledger, without_a_key_every_message_is_new)
{
    accept_whole(1, NULL);
    accept_whole(1, NULL);
    cr_expect_eq(lines(), 2);
}

Test(ledger, keys_and_numbers_survive_a_restart)
{
    struct caller c;
    accept_whole(1, "k1");
    accept_whole(2, NULL);
    accept_whole(3, "k3 \"quoted\\\"");
    reopen();
    cr_expect_eq(loaded, 3);
    cr_expect_eq(accept_message(&c, 1, "k1"), LEDGER_REPLAYED);
    cr_expect_eq(c.entry.seq, 1);
    cr_expect_eq(accept_message(&c, 3, "k3 \"quoted\\\""), LEDGER_REPLAYED);
    cr_expect_eq(accept_message(&c, 4, "k1"), LEDGER_KEY_REUSED);
    cr_assert_eq(accept_message(&c, 4, "k4"), LEDGER_ACCEPTED);
    cr_expect_eq(c.entry.seq, 4);
    uv_run(&loop, UV_RUN_DEFAULT);
}

Test(ledger, a_torn_last_line_is_cut_off)
{
    struct caller c;
    accept_whole(1, "k1");
    off_t whole = file_bytes();
    append("{\"seq\":2,\"at_us\":1,\"mess");
    reopen();
    cr_expect_eq(file_bytes(), whole);
    cr_expect_eq(lines(), 1);
    cr_assert_eq(accept_message(&c, 2, "k2"), LEDGER_ACCEPTED);
    uv_run(&loop, UV_RUN_DEFAULT);
    ledger_release(&c.entry);
    reopen();
    cr_expect_eq(loaded, 2);
}

static void does_not_open(const char *error)
{
    struct err e;
    ledger_close(ledger);
    ledger = NULL;
    cr_assert_eq(try_open(&e), E_INVALID);
    cr_expect_not_null(strstr(e.text, error), "%s", e.text);
    cr_expect_not_null(strstr(e.text, path), "%s", e.text);
}

Test(ledger, a_broken_line_inside_names_its_number)
{
    accept_whole(1, NULL);
    append("nonsense\n");
    does_not_open("line 2: is no JSON object");
}

Test(ledger, a_gap_in_the_numbers_is_found)
{
    accept_whole(1, NULL);
    append("{\"seq\":3,\"at_us\":1}\n");
    does_not_open("line 2: seq: 3 stands where 2 should");
}

Test(ledger, two_programs_cannot_share_one_file)
{
    struct ledger *mine = ledger;
    struct err e;
    cr_expect_eq(try_open(&e), E_BUSY);
    ledger = mine;
}

Test(ledger, a_hundred_thousand_keys_are_found_again)
{
    struct caller *c = calloc(100000, sizeof *c);
    char key[32];
    for (int i = 0; i < 100000; i++) {
        snprintf(key, sizeof key, "fu/1/%d/1", i);
        cr_assert_eq(accept_message(&c[i], i + 1, key), LEDGER_ACCEPTED);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    for (int i = 0; i < 100000; i += 997) {
        struct caller again;
        snprintf(key, sizeof key, "fu/1/%d/1", i);
        ledger_release(&c[i].entry);
        cr_assert_eq(accept_message(&again, i + 1, key), LEDGER_REPLAYED);
        cr_assert_eq(again.entry.seq, i + 1);
    }
    free(c);
}
