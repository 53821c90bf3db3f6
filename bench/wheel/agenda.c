/* What a pending message costs the daemon: wheel and index together, as src/sched/agenda.c keeps them. CPU time, and the
 * longest single call, since each of them is made inside a turn of the daemon's loop. See README.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "followupd/sched/agenda.h"

#define T0_MS     INT64_C(1800000000000)
#define HORIZON   (72 * 3600 * 1000LL) /* ms */
#define ACCOUNTS  200
#define ROWS      500  /* that the store hands over at once */
#define SLICE     1024 /* LOADER_SLICE */
#define READY_MAX 1024

static uint64_t state = 1;
static uint64_t below(uint64_t n)
{
    state += 0x9E3779B97F4A7C15ull;
    uint64_t z = state;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return (uint64_t)(((__uint128_t)(z ^ z >> 31) * n) >> 64);
}

static double cpu_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec * 1e-3;
}

static double status_mib(const char *name)
{
    char line[256];
    long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0)
            kib = strtol(line + strlen(name) + 1, NULL, 10);
    }
    if (f != NULL)
        fclose(f);
    return (double)kib / 1024;
}

static void resident(uint32_t n, double before_mib)
{
    double now_mib = status_mib("VmRSS");
    printf("  resident %.1f MiB, %.1f bytes a message; peak %.1f MiB\n", now_mib, (now_mib - before_mib) * 1048576 / n,
           status_mib("VmHWM"));
}
static void forget_peak(void)
{
    FILE *f = fopen("/proc/self/clear_refs", "w");
    if (f == NULL)
        return;
    fputs("5", f);
    fclose(f);
}

/* Half of the messages are of account 0, which step 5 drops. */
static struct message_ref ref_of(uint32_t i)
{
    return (struct message_ref){ i % 2 == 0 ? 1000 : 1001 + i % ACCOUNTS, (int64_t)i * 3 + 17 };
}
static struct wall at(int64_t ms)
{
    return (struct wall){ ms * 1000 };
}
static struct wall some_due(void)
{
    return at(T0_MS + 1000 + (int64_t)below(HORIZON));
}

static double longest_us;
static void took(double since)
{
    double us = cpu_us() - since;
    longest_us = us > longest_us ? us : longest_us;
}
static void report(const char *what, double since, size_t count)
{
    printf("%-30s %8.0f ns each", what, (cpu_us() - since) * 1e3 / (double)count);
    if (longest_us > 0)
        printf("; longest call %.1f us", longest_us);
    printf("\n");
    fflush(stdout);
    longest_us = 0;
}
static void must(enum status st)
{
    if (st != OK) {
        fprintf(stderr, "status %d\n", st);
        exit(1);
    }
}

/* As the loader does it; meanwhile `changes` messages are set again or cancelled. */
static void load(struct agenda *a, uint32_t n, uint32_t changes, const char *what)
{
    double begin = cpu_us();
    must(agenda_load_begin(a, true, at(T0_MS)));
    for (uint32_t i = 0; i < n;) {
        struct due_message rows[ROWS];
        uint32_t count = 0;
        for (; count < ROWS && i < n; count++, i++)
            rows[count] = (struct due_message){ ref_of(i), some_due() };
        double t = cpu_us();
        for (uint32_t k = 0; k < count; k++) {
            agenda_load_ahead(a, rows + k, count - k);
            must(agenda_load_row(a, &rows[k]));
        }
        took(t);
    }
    report(what, begin, n);
    if (changes > 0) {
        for (uint32_t i = 0; i < changes; i++) {
            struct message_ref ref = ref_of((uint32_t)below(n));
            if (i % 4 == 0)
                agenda_cancel(a, ref);
            else
                must(agenda_set(a, ref, some_due()));
        }
        begin = cpu_us();
        for (bool more = true; more;) {
            double t = cpu_us();
            more = agenda_load_replay(a, SLICE);
            took(t);
        }
        report("  replay of changes", begin, changes);
    }
    begin = cpu_us();
    must(agenda_load_finish(a));
    took(begin);
    report("  swap, old book freed", begin, 1);
}

static void change(struct agenda *a, uint32_t n)
{
    uint32_t count = n / 4;
    double begin = cpu_us();
    for (uint32_t i = 0; i < count; i++)
        must(agenda_set(a, ref_of((uint32_t)below(n)), some_due()));
    report("set, moves one that is there", begin, count);
    begin = cpu_us();
    for (uint32_t i = 0; i < count; i++)
        agenda_cancel(a, ref_of(n - 1 - i));
    report("cancel", begin, count);
    begin = cpu_us();
    for (uint32_t i = 0; i < count; i++)
        must(agenda_set(a, ref_of(n - 1 - i), some_due()));
    report("set, a new one", begin, count);
}

static void drop(struct agenda *a)
{
    uint32_t from = 0;
    size_t before = agenda_count(a);
    double begin = cpu_us();
    for (bool more = true; more;) {
        double t = cpu_us();
        more = agenda_drop_account(a, 1000, &from, SLICE);
        took(t);
    }
    report("drop an account of the half", begin, before - agenda_count(a));
}

static void run_out(struct agenda *a)
{
    struct due_message taken[READY_MAX];
    size_t fired = 0, count, all = agenda_count(a);
    double begin = cpu_us();
    while (agenda_count(a) > 0) {
        int64_t next_ms = agenda_next_ms(a);
        while (agenda_advance(a, at(next_ms), 512) && !agenda_full(a))
            ;
        const struct due_message *ready = agenda_ready(a, &count);
        memcpy(taken, ready, count * sizeof *taken);
        agenda_take(a, taken, count);
        fired += count;
        agenda_idle(a, 1024);
    }
    report("advance until all were taken", begin, fired);
    if (fired != all)
        printf("WRONG: %zu came due of %zu\n", fired, all);
}

int main(int argc, char **argv)
{
    uint32_t n = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 1000000;
    struct agenda_config config = { READY_MAX, 262144 };
    double none = status_mib("VmRSS");
    struct agenda *a = agenda_new(&config, at(T0_MS));
    if (a == NULL)
        return 1;
    printf("%u messages, %.1f MiB before\n", n, none);
    load(a, n, 0, "first load");
    resident(n, none);
    forget_peak();
    load(a, n, n / 5 < 262144 ? n / 5 : 262144, "load anew beside the old book");
    resident(n, none);
    change(a, n);
    resident(n, none);
    drop(a);
    run_out(a);
    agenda_free(a);
    return 0;
}
