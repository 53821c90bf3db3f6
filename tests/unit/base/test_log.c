#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "followupd/base/log.h"
#include "followupd/base/utf8.h"

/* Runs `write_it` with standard error in a pipe; what it wrote, at most 64 KiB. */
static char captured[65536];

static const char *capture(void (*write_it)(void))
{
    int ends[2], before = dup(STDERR_FILENO);
    cr_assert_eq(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    write_it();
    dup2(before, STDERR_FILENO);
    close(before);
    size_t used = 0;
    ssize_t n;
    while ((n = read(ends[0], captured + used, sizeof captured - 1 - used)) > 0)
        used += (size_t)n;
    close(ends[0]);
    captured[used] = '\0';
    return captured;
}

static void all_types(void)
{
    unsetenv("JOURNAL_STREAM");
    const char *none = NULL;
    log_info("message_sent", kv("message", (int64_t)-17), kv("count", 18446744073709551615ull), kv("ms", 1.5),
             kv("ok", (_Bool)1), kv("provider", "generic"), kv("none", none), kv("empty", ""));
}

Test(log, a_line_is_time_level_event_and_pairs)
{
    const char *line = capture(all_types);
    cr_assert_eq(strlen(line) > 28 && line[10] == 'T' && line[26] == 'Z' && line[27] == ' ', 1, "%s", line);
    cr_assert_str_eq(line + 28, "info message_sent message=-17 count=18446744073709551615 ms=1.500 ok=1 "
                                "provider=generic none=- empty=\"\"\n");
}

static void evil(void)
{
    setenv("JOURNAL_STREAM", "1:2", 1);
    log_warn("x", kv("a", "two words"), kv("b", "l1\nl2\r\t\x7f\x01"), kv("c", "q\"b\\s"), kv("d", "k=v"),
             kv("e", "Zoë"));
}

Test(log, untrusted_text_is_quoted_and_cannot_begin_a_line)
{
    cr_assert_str_eq(capture(evil), "<4>x a=\"two words\" b=\"l1\\x0al2\\x0d\\x09\\x7f\\x01\" c=\"q\\\"b\\\\s\" "
                                    "d=\"k=v\" e=Zoë\n");
}

static void over_long(void)
{
    static char text[10000];
    setenv("JOURNAL_STREAM", "1:2", 1);
    memset(text, 'x', sizeof text - 1);
    log_error("e", kv("a", text), kv("b", 1));
    memset(text, '\n', sizeof text - 1);
    log_error("e", kv("a", text), kv("b", text), kv("c", text), kv("d", text), kv("e", text), kv("f", text));
}

Test(log, values_are_cut_at_256_bytes_and_lines_at_4096)
{
    const char *lines = capture(over_long);
    const char *end = strchr(lines, '\n');
    cr_assert_not_null(end);
    cr_assert_eq(end - lines, (long)(strlen("<3>e a=") + 256 + strlen(" b=1")));
    cr_assert_eq(strlen(end + 1), 4096);
    cr_assert_eq(strchr(end + 1, '\n'), end + 4096, "one newline, the last byte");
}

static void over_long_characters(void)
{
    static char text[300];
    setenv("JOURNAL_STREAM", "1:2", 1);
    memset(text, 'x', 255);
    strcpy(text + 255, "ää");
    log_error("e", kv("a", text), kv("b", 1));
}

Test(log, a_value_is_cut_at_the_end_of_a_character)
{
    cr_assert_str_eq(capture(over_long_characters) + strlen("<3>e a=") + 255, " b=1\n");
}

static void over_long_line_of_characters(void)
{
    static char text[257];
    setenv("JOURNAL_STREAM", "1:2", 1);
    for (int i = 0; i < 256; i += 2)
        memcpy(text + i, "ä", 2);
    for (int i = 0; i < 2; i++) /* at an even byte, at an odd one */
        log_error(i == 0 ? "e" : "ee", kv("a", text), kv("b", text), kv("c", text), kv("d", text), kv("e", text),
                  kv("f", text), kv("g", text), kv("h", text), kv("i", text), kv("j", text), kv("k", text),
                  kv("l", text), kv("m", text), kv("n", text), kv("o", text), kv("p", text));
}

Test(log, a_line_is_cut_at_the_end_of_a_character)
{
    const char *lines = capture(over_long_line_of_characters);
    cr_assert(utf8_valid(lines, strlen(lines)));
    cr_assert_gt(strlen(lines), 2 * 4094);
}

static void at_levels(void)
{
    setenv("JOURNAL_STREAM", "1:2", 1);
    log_debug("no");
    log_level_set(LOG_LEVEL_DEBUG);
    log_debug("d");
    log_level_set(LOG_LEVEL_ERROR);
    log_warn("no");
    log_error("e");
}

Test(log, lines_below_the_level_are_dropped)
{
    cr_assert_str_eq(capture(at_levels), "<7>d\n<3>e\n");
}

Test(log, levels_are_read_by_name)
{
    enum log_level level = LOG_LEVEL_INFO;
    cr_assert_eq(log_level_parse("warn", &level), 0);
    cr_assert_eq(level, LOG_LEVEL_WARN);
    cr_assert_eq(log_level_parse("WARN", &level), -1);
    cr_assert_eq(log_level_parse("", &level), -1);
    cr_assert_eq(level, LOG_LEVEL_WARN);
}
