/* followup-sandbox: builds ledger, faults, people and server on one loop, and takes them down from the source on. */
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/list.h"
#include "followupd/base/log.h"
#include "hooks.h"
#include "ledger.h"
#include "options.h"
#include "people.h"
#include "routes.h"
#include "seen.h"
#include "server.h"
#include "suppressed.h"

struct program {
    struct options options;
    uv_loop_t loop;
    uv_signal_t terminate, interrupt;
    struct ledger *ledger;
    struct faults *faults;
    struct people *people;
    struct seen *seen;
    struct suppressed *suppressed;
    struct hooks *hooks;
    struct server *server;
    struct provider provider;
    int exit_code;
};

static void on_stopped(void *context)
{
    struct program *p = context;
    people_stop(p->people);
    hooks_stop(p->hooks);
    uv_close((uv_handle_t *)&p->terminate, NULL);
    uv_close((uv_handle_t *)&p->interrupt, NULL);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct program *p = handle->data;
    log_info("stopping", kv("signal", number));
    server_stop(p->server, on_stopped, p);
}

static void on_ledger_failed(void *context)
{
    struct program *p = context;
    p->exit_code = 1;
    server_stop(p->server, on_stopped, p);
}

static enum status on_loaded(void *context, const struct message *m, int64_t seq, int64_t at_us)
{
    struct program *p = context;
    if (p->people != NULL)
        people_remember(p->people, m, seq);
    return seen_add(p->seen, m, seq, at_us);
}

static enum status build(struct program *p, struct err *e)
{
    const struct ledger_options ledger = {
        .path = p->options.ledger, .fsync = p->options.fsync, .on_loaded = on_loaded, .context = p
    };
    p->faults = faults_new(p->options.seed);
    p->seen = seen_new();
    p->suppressed = suppressed_new();
    if (p->faults == NULL || p->seen == NULL || p->suppressed == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    if (p->options.hooks.keys != NULL) {
        enum status st = hooks_new(&p->loop, &p->options.hooks, &p->hooks, e);
        if (st != OK)
            return st;
    }
    if (p->options.people.conninfo != NULL || p->hooks != NULL) {
        p->people = people_new(&p->loop, &p->options.people, p->hooks);
        if (p->people == NULL)
            return err_set(e, E_NOMEM, "out of memory");
    }
    enum status st = ledger_open(&p->loop, &ledger, &p->ledger, e);
    if (st != OK)
        return st;
    st = server_open(&p->loop, p->options.listen, provider_routes, &p->provider, &p->server, e);
    if (st != OK)
        return st;
    p->provider = (struct provider){ .ledger = p->ledger,
                                     .faults = p->faults,
                                     .people = p->people,
                                     .seen = p->seen,
                                     .suppressed = p->suppressed,
                                     .list_page_max = p->options.list_page_max,
                                     .hooks = p->hooks,
                                     .look_up_lag_ms = p->options.look_up_lag_ms,
                                     .server = p->server,
                                     .on_ledger_failed = on_ledger_failed,
                                     .context = p };
    memcpy(p->provider.credentials, p->options.credentials, sizeof p->provider.credentials);
    return OK;
}

static void watch_signals(struct program *p)
{
    static const int numbers[] = { SIGTERM, SIGINT };
    uv_signal_t *const handles[] = { &p->terminate, &p->interrupt };
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        uv_signal_init(&p->loop, handles[i]);
        handles[i]->data = p;
        uv_signal_start(handles[i], on_signal, numbers[i]);
    }
}

static void serve(struct program *p)
{
    char address[64];
    struct ledger_stats l;
    ledger_stats(p->ledger, &l);
    server_address(p->server, address, sizeof address);
    log_info("sandbox_ready", kv("address", (const char *)address), kv("ledger", p->options.ledger),
             kv("lines", l.lines));
    printf("listening %s\n", address);
    fflush(stdout);
    uv_run(&p->loop, UV_RUN_DEFAULT); /* until server_stop, and everything it closes, is through */
    log_info("stopped", kv("accepted", p->provider.stats.accepted), kv("replayed", p->provider.stats.replayed));
}

static int run(struct program *p)
{
    struct err e;
    uv_loop_init(&p->loop);
    enum status st = build(p, &e);
    if (st == OK) {
        watch_signals(p);
        serve(p);
    } else {
        fprintf(stderr, "followup-sandbox: %s\n", e.text);
        p->exit_code = 1;
    }
    server_free(p->server);
    ledger_close(p->ledger);
    people_free(p->people);
    hooks_free(p->hooks);
    seen_free(p->seen);
    suppressed_free(p->suppressed);
    faults_free(p->faults);
    uv_loop_close(&p->loop);
    return p->exit_code;
}

int main(int argc, char **argv)
{
    struct program p = { 0 };
    struct err e;
    if (options_read(argc, argv, &p.options, &e) != OK) {
        fprintf(stderr, "followup-sandbox: %s (--help tells more)\n", e.text);
        return 2;
    }
    if (p.options.help) {
        fputs(options_help, stdout);
        return 0;
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a ledger at its size limit is an error to report, no reason to die on the spot */
    if (sodium_init() < 0) {
        fprintf(stderr, "followup-sandbox: libsodium does not start\n");
        return 1;
    }
    return run(&p);
}
