/* followupctl(1), printed from the table of verbs. */
#include <ctype.h>
#include <stdio.h>

#include "ctl.h"
#include "followupd/base/roff.h"

static void print_options(const struct ctl_option *options, size_t count)
{
    for (size_t i = 0; i < count && options[i].name != NULL; i++) {
        fputs(".TP\n\\fB\\-\\-", stdout);
        roff_code(stdout, options[i].name);
        fputs("\\fR", stdout);
        if (options[i].value != NULL) {
            fputs(" \\fI", stdout);
            roff_code(stdout, options[i].value);
            fputs("\\fR", stdout);
        }
        putchar('\n');
        roff_prose(stdout, options[i].sentence);
        putchar('\n');
    }
}

static void print_verb(const struct ctl_verb *verb)
{
    fputs(".SS ", stdout);
    roff_code(stdout, verb->name);
    if (verb->words[0] != '\0') {
        fputs(" \\fI", stdout);
        roff_code(stdout, verb->words);
        fputs("\\fR", stdout);
    }
    putchar('\n');
    putchar(toupper((unsigned char)verb->sentence[0]));
    roff_prose(stdout, verb->sentence + 1);
    fputs(".\n", stdout);
    if (verb->help[0] != '\0') {
        fputs(".PP\n", stdout);
        roff_help(stdout, verb->help);
    }
    print_options(verb->options, CTL_OPTIONS_MAX);
}

void man_print(const struct ctl_option *globals, size_t globals_count)
{
    roff_title(stdout, "followupctl", "1", "followupctl --print-man");
    fputs(
        ".SH NAME\nfollowupctl \\- the operator\\(aqs command line of followupd\n"
        ".SH SYNOPSIS\n.B followupctl\n.I VERB\n.RI [ WORDS ]\n.RB [ \\-\\-options ]\n"
        ".SH DESCRIPTION\n"
        "Works on followupd\\(aqs database. Every verb is one call of one SQL function, so what it may do and what it "
        "refuses is\n"
        "decided there; the daemon learns of a change by itself, within milliseconds, and need not run.\n"
        ".PP\n"
        "Answers are for people, or with\n.B \\-\\-json\nfor programs. Times are read and shown in the zone of the "
        "account.\n"
        ".SH OPTIONS\nOf every verb; they may stand before it too.\n",
        stdout);
    print_options(globals, globals_count);
    fputs(".SH VERBS\n", stdout);
    const struct ctl_verb *verb;
    for (size_t i = 0; (verb = ctl_verb_at(i)) != NULL; i++)
        print_verb(verb);
    fputs(".SH EXIT STATUS\n.TP\n.B 0\ndone\n.TP\n.B 1\nthe database refused, nothing was done, or, as it says then, "
          "it is not known whether it was\n.TP\n.B 2\n"
          "the call or its input is wrong; nothing was done\n"
          ".SH ENVIRONMENT\n.TP\n.B FOLLOWUPD_CONNINFO\nthe database, where\n.B \\-\\-conninfo\nand\n.B \\-\\-config\n"
          "are not given\n.TP\n.BR PGHOST \", \" PGDATABASE \", \" PGUSER \", \" PGPASSFILE \" and the like\"\n"
          "as libpq reads them, for whatever the text of the connection leaves open\n"
          ".TP\n.B LC_ALL\nhow wide letters are; a locale without UTF-8 is taken for C.UTF-8\n"
          ".SH SEE ALSO\n.BR followupd (8),\n.BR followupd.conf (5),\n.BR psql (1)\n",
          stdout);
}
