/* followupd.conf(5), printed from the table of keys. */
#include <string.h>

#include "followupd/base/roff.h"
#include "followupd/conf/file.h"
#include "followupd/conf/key.h"

static void print_head(FILE *out)
{
    roff_title(out, "followupd.conf", "5", "followupd --print-man");
    fputs(".SH NAME\nfollowupd.conf \\- configuration of followupd\n"
          ".SH SYNOPSIS\n.I /etc/followupd/followupd.conf\n"
          ".SH DESCRIPTION\n"
          "An INI file: sections in brackets, then lines\n.IB key \" = \" value\\fR.\n"
          "A line that starts with\n.B #\nor\n.B ;\nis a comment; behind a value they belong to it.\n"
          ".PP\n"
          "Every number has its unit: durations are a whole number and\n.BR ms ,\n.BR s ,\n.B m\nor\n.BR h ,\n"
          "rates end in\n.BR /s ,\ncounts have none. An unknown section or key, a key that is given twice, a missing "
          "unit or a value out of range\n"
          "stops the start with one sentence that names file and key, and the line unless something is missing or "
          "does not fit the type of a provider;\n"
          ".B followupd \\-\\-check\nreads a file and says the same without starting anything.\n"
          ".PP\n"
          "On SIGHUP the file is read again. Keys marked\n.I reload\nare taken over. A change of any other takes a "
          "restart, and a file with\n"
          "one, or with a mistake, changes nothing: the log says so. Files that hold secrets are read again, too, but\n"
          "a credential of the unit is the copy that systemd made at its start: a changed one takes\n"
          ".BR \"systemctl restart followupd\" .\n",
          out);
}

static void print_section(const struct conf_key *key, FILE *out)
{
    if (conf_section_is_webhook(key->section)) {
        fprintf(
            out,
            ".SH [webhook.NAME]\nOne section a source of webhooks, at most %d. NAME is part of the URLs to give to "
            "the provider:\n.I /webhooks/NAME/ACCOUNT\nfor events,\n.I /inbound/NAME/ACCOUNT\nfor answers to mails. "
            "A reload takes all of them over, new and gone ones too.\n",
            CONF_WEBHOOKS_MAX);
        return;
    }
    if (!conf_section_is_provider(key->section)) {
        fprintf(out, ".SH [%s]\n", key->section);
        return;
    }
    fputs(".SH [provider.NAME]\n", out);
    fprintf(out,
            "One section a provider, at most %d. NAME is free: letters, digits, \\(aq\\-\\(aq and \\(aq_\\(aq. "
            "Accounts and assistants name the one that sends for them.\n",
            CONF_PROVIDERS_MAX);
}

static void print_key(const struct conf_key *key, FILE *out)
{
    fputs(".TP\n.B ", out);
    roff_code(out, key->name);
    putc('\n', out);
    roff_prose(out, key->sentence);
    fputs("\n.br\n", out);
    conf_key_print_kind(key, out, roff_code);
    if (key->fallback != NULL)
        fputs(". Default: \\fB", out);
    else
        fputs(". Example: \\fB", out);
    roff_code(out, key->fallback != NULL ? key->fallback : key->example);
    fputs("\\fR.", out);
    fputs(key->reloadable ? " \\fIReload.\\fR\n" : "\n", out);
}

static void print_tail(FILE *out)
{
    fputs(".SH FILES\n.TP\n.I /etc/followupd/followupd.conf\nthe configuration of the service unit\n"
          ".TP\n.I /etc/followupd/secrets/\n.I provider\\-key\nand the database\\(aqs password,\n.IR pgpass ,\n"
          "readable by root alone, which the unit hands over as credentials; a relative file name is that of a "
          "credential.\nEach other one takes a line\n.BI LoadCredential= NAME :/etc/followupd/secrets/ NAME\n"
          "in a drop-in\n.RB ( \"systemctl edit followupd\" )\n"
          ".SH EXAMPLES\n"
          "The smallest file that sends:\n.PP\n.nf\n.RS\n[database]\nconninfo = host=/run/postgresql dbname=followup "
          "user=followupd\n\n[provider.main]\ntype = generic\nurl = https://mail.example/send\nkey_file = "
          "provider\\-key\n.RE\n.fi\n"
          ".PP\n.B followupd \\-\\-print\\-config\nprints a file with every key and its default.\n"
          ".SH SEE ALSO\n.BR followupd (8),\n.BR followupctl (1)\n",
          out);
}

void conf_print_man(FILE *out)
{
    print_head(out);
    for (size_t i = 0; i < conf_keys_count; i++) {
        if (i == 0 || strcmp(conf_keys[i].section, conf_keys[i - 1].section) != 0)
            print_section(&conf_keys[i], out);
        print_key(&conf_keys[i], out);
    }
    print_tail(out);
}
