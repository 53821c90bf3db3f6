/* followupd: reads its configuration and runs until it is told to stop. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "followupd/app/app.h"
#include "followupd/app/providers.h"
#include "followupd/app/webhooks.h"
#include "followupd/base/crash_point.h"
#include "followupd/base/log.h"
#include "followupd/conf/key.h"

#define EXIT_USAGE 2

static const char usage[] =
    "usage: followupd --config FILE [--check]\n"
    "       followupd --print-config | --print-man | --version | --help\n"
    "\n"
    "Sends scheduled follow-up messages: on time, once, and never after a stop.\n"
    "\n"
    "  --config FILE    the configuration; every key is in the output of --print-config\n"
    "  --check          reads the configuration, says what is wrong with it, and ends\n"
    "  --print-config   prints an example configuration with every key, its unit and its default\n"
    "  --print-man      prints the manual page of the configuration, followupd.conf(5)\n"
    "\n"
    "SIGTERM ends it when what is in flight has ended, a second SIGTERM at once; SIGHUP reloads the configuration.\n"
    "Exit status: 0 ended as asked, 1 could not start or the database refused it, 2 wrong usage or configuration.\n";

int main(int argc, char **argv)
{
    enum { OPT_CONFIG = 'c', OPT_CHECK = 256, OPT_PRINT, OPT_MAN, OPT_VERSION, OPT_HELP };
    static const struct option options[] = {
        { "config", required_argument, NULL, OPT_CONFIG },
        { "check", no_argument, NULL, OPT_CHECK },
        { "print-config", no_argument, NULL, OPT_PRINT },
        { "print-man", no_argument, NULL, OPT_MAN },
        { "version", no_argument, NULL, OPT_VERSION },
        { "help", no_argument, NULL, OPT_HELP },
        { NULL, 0, NULL, 0 },
    };
    const char *path = NULL;
    bool check = false;
    for (int option; (option = getopt_long(argc, argv, "c:", options, NULL)) != -1;) {
        switch (option) {
        case OPT_CONFIG:
            path = optarg;
            break;
        case OPT_CHECK:
            check = true;
            break;
        case OPT_PRINT:
            conf_print_example(stdout);
            return EXIT_SUCCESS;
        case OPT_MAN:
            conf_print_man(stdout);
            return EXIT_SUCCESS;
        case OPT_VERSION:
            puts("followupd " FOLLOWUPD_VERSION);
            return EXIT_SUCCESS;
        case OPT_HELP:
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        default:
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    if (path == NULL || optind < argc) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }

    struct conf *conf = NULL;
    struct err e = { "" };
    enum status st = conf_load(path, &conf, &e);
    if (st == OK)
        st = providers_check(path, conf, &e);
    if (st == OK)
        st = webhooks_check(path, conf, &e);
    if (st == OK && !check)
        st = crash_point_set(getenv("FOLLOWUPD_CRASH"), &e);
    if (st != OK)
        fprintf(stderr, "followupd: %s\n", e.text);
    else if (check)
        printf("%s is fine\n", path);
    if (st != OK || check) {
        conf_free(conf);
        return st == OK ? EXIT_SUCCESS : EXIT_USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    log_level_set((enum log_level)conf->log_level);
    return app_run(path, conf);
}
