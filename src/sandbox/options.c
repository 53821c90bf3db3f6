#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "suppressed.h"

const char options_help[] =
    "followup-sandbox: a stand-in for a mail provider. It accepts messages, keeps them in a ledger file,\n"
    "delivers nothing, and fails on request.\n"
    "\n"
    "  followup-sandbox --listen ADDR:PORT --ledger FILE [options]\n"
    "\n"
    "The first line on standard output, once it is ready, is \"listening ADDR:PORT\".\n"
    "\n"
    "  --listen ADDR:PORT   numeric, as 127.0.0.1:8026 or [::1]:8026; port 0: a free one\n"
    "  --ledger FILE        one JSON line for each accepted message, on disk before its answer leaves;\n"
    "                       read again at start, so that keys of earlier runs are still known\n"
    "  --credential API=SECRET  lets in who has it; without one an API answers 401 (SES 403) to everybody.\n"
    "                       sendgrid, mailgun, postmark, resend: the key; ses: ACCESS_KEY:SECRET. Once for each API\n"
    "  --look-up-lag-ms N   a look-up knows a message no sooner after it was accepted (default 0)\n"
    "  --list-page N        entries of a suppression list in one answer, however many are asked for (default 10000;\n"
    "                       Postmark gives all at once)\n"
    "  --seed N             of faults by rate and of what leads do (default 1): same seed, same run\n"
    "  --no-fsync           do not wait for the disk; for benchmarks, a power cut loses lines\n"
    "  --help\n"
    "\n"
    "Leads: with --conninfo a share of the recipients acts on each message, through the SQL functions\n"
    "record_reply, record_bounce and unsubscribe. What a lead does depends on the seed, its address and how\n"
    "many messages it got, so it repeats. The database role must be a member of followup_admin.\n"
    "\n"
    "  --conninfo STR         libpq connection string\n"
    "  --account NAME         only leads of the account of this name\n"
    "  --reply-rate R         share of messages that are replied to, 0 to 1 (default 0)\n"
    "  --bounce-rate R        ... that bounce\n"
    "  --unsubscribe-rate R   ... whose recipient unsubscribes\n"
    "  --complaint-rate R     ... whose recipient complains, through webhooks only; together at most 1\n"
    "  --reply-delay-ms MIN-MAX   real milliseconds until they do (default 1000-5000)\n"
    "\n"
    "Webhooks: with --keys, what came through a provider's API is told about as that provider does, signed: accepted,\n"
    "delivered, and what leads do instead of the SQL functions. Repeated when they are not taken.\n"
    "\n"
    "  --keys DIR             the keys, made when missing; for the receiver: sendgrid.public, mailgun.secret,\n"
    "                         postmark.secret, resend.secret; SNS: topic " KEYS_TOPIC_ARN ",\n"
    "                         certificate at GET " KEYS_CERTIFICATE_PATH "\n"
    "  --webhook API=URL      where events of that API go; {account} stands for the account's number\n"
    "  --inbound API=URL      where replies go (not resend)\n"
    "  --webhook-retry-ms N   before the first repeat, then three times that, 8 tries in all (default 1000)\n"
    "\n"
    "Endpoints:\n"
    "  POST /send      {\"message_id\":\"m-17\",\"account_id\":1,\"due_ms\":0,\"from\":\"Ann <a@example.com>\",\n"
    "                  "
    "\"to\":\"b@example.org\",\"reply_to\":null,\"subject\":\"Hi\",\"text\":\"Hello\",\"html\":null,\n"
    "                  \"headers\":{}} -> 200 {\"id\":\"sb-1\"}. With an Idempotency-Key seen before and the same\n"
    "                  body: the same answer, no new line; another body: 409; the first request still being\n"
    "                  answered: 409 {\"error\":\"key in use\"}. Without a key every request is a new message.\n"
    "  POST /v3/mail/send (SendGrid), /v3/DOMAIN/messages (Mailgun), /email (Postmark),\n"
    "       /v2/email/outbound-emails (SES, SigV4), /emails (Resend, with its Idempotency-Key)\n"
    "                  the same through each provider's own API: its credential, its answers, its errors. One\n"
    "                  recipient each. The ledger line ends with \"api\" and \"fu_id\", and account_id and message_id\n"
    "                  are those of fu_id. Look-ups: GET /messages/outbound?metadata_fu_id= (Postmark),\n"
    "                  GET /v3/DOMAIN/events?message-id= and POST /v1/analytics/logs (Mailgun), GET /emails/ID\n"
    "  PUT /faults     a list that replaces the rules before; the first that applies wins:\n"
    "                  [{\"action\":\"503\",\"rate\":0.1,\"retry_after_s\":2},\n"
    "                   {\"action\":\"cut\",\"recipient\":\"b@example.org\",\"count\":1}]\n"
    "                  not accepted: 429 503 500 400 401 inactive suspended quota\n"
    "                  silent cut_before; accepted: late garbage cut.\n"
    "                  ms: held back that long (late needs it)\n"
    "  POST /acts      {\"recipient\":\"b@example.org\",\"act\":\"reply\",\"text\":\"How much is it?\"}: a lead does "
    "that now,\n"
    "                  with the last message it got through an API with webhooks. act: reply bounce unsubscribe "
    "complaint;\n"
    "                  text of a bounce: what the server said, which tells the provider nothing.\n"
    "                  \"told\":false: no webhook, only the suppression list has it; \"api\":\"sendgrid\": of that "
    "provider,\n"
    "                  for an address that got no mail\n"
    "  GET /v3/suppression/bounces spam_reports unsubscribes (SendGrid), /v3/DOMAIN/bounces complaints unsubscribes\n"
    "       (Mailgun), /message-streams/STREAM/suppressions/dump (Postmark), /v2/email/suppression/addresses (SES)\n"
    "                  suppression lists: whom acts have put there\n"
    "  GET /stats      counters\n"
    "  GET /healthz\n"
    "\n"
    "Try it:\n"
    "  followup-sandbox --listen 127.0.0.1:8026 --ledger /tmp/ledger.jsonl &\n"
    "  curl -X PUT -d '[{\"action\":\"late\",\"ms\":2000,\"rate\":0.5}]' http://127.0.0.1:8026/faults\n"
    "\n"
    "SIGTERM and SIGINT: answers under way go out (late ones within 5 s), then exit 0.\n";

enum {
    LISTEN = 1,
    LEDGER,
    SEED,
    NO_FSYNC,
    HELP,
    CONNINFO,
    ACCOUNT,
    REPLY,
    BOUNCE,
    UNSUBSCRIBE,
    DELAY,
    CREDENTIAL,
    COMPLAINT,
    KEYS,
    WEBHOOK,
    INBOUND,
    RETRY,
    LAG,
    LIST_PAGE
};

static const struct option table[] = {
    { "listen", required_argument, NULL, LISTEN },
    { "ledger", required_argument, NULL, LEDGER },
    { "seed", required_argument, NULL, SEED },
    { "no-fsync", no_argument, NULL, NO_FSYNC },
    { "help", no_argument, NULL, HELP },
    { "conninfo", required_argument, NULL, CONNINFO },
    { "account", required_argument, NULL, ACCOUNT },
    { "reply-rate", required_argument, NULL, REPLY },
    { "bounce-rate", required_argument, NULL, BOUNCE },
    { "unsubscribe-rate", required_argument, NULL, UNSUBSCRIBE },
    { "reply-delay-ms", required_argument, NULL, DELAY },
    { "complaint-rate", required_argument, NULL, COMPLAINT },
    { "keys", required_argument, NULL, KEYS },
    { "webhook", required_argument, NULL, WEBHOOK },
    { "inbound", required_argument, NULL, INBOUND },
    { "webhook-retry-ms", required_argument, NULL, RETRY },
    { "credential", required_argument, NULL, CREDENTIAL },
    { "look-up-lag-ms", required_argument, NULL, LAG },
    { "list-page", required_argument, NULL, LIST_PAGE },
    { 0 },
};

static enum status read_seed(const char *text, uint64_t *ret, struct err *e)
{
    char *end;
    errno = 0;
    unsigned long long seed = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0)
        return err_set(e, E_INVALID, "--seed %s: must be a whole number from 0", text);
    *ret = seed;
    return OK;
}

static enum status read_rate(const char *name, const char *text, double *ret, struct err *e)
{
    char *end;
    double rate = strtod(text, &end);
    if (end == text || *end != '\0' || !(rate >= 0 && rate <= 1))
        return err_set(e, E_INVALID, "--%s %s: must be a number from 0 to 1", name, text);
    *ret = rate;
    return OK;
}

static enum status read_delay(const char *text, struct people_options *ret, struct err *e)
{
    char *dash = NULL, *end = NULL;
    long long least = strtoll(text, &dash, 10), most = -1;
    if (dash != text && *dash == '-')
        most = strtoll(dash + 1, &end, 10);
    if (end == NULL || end == dash + 1 || *end != '\0' || least < 0 || most < least || most > PEOPLE_DELAY_MS_MAX)
        return err_set(e, E_INVALID, "--reply-delay-ms %s: must be MIN-MAX in milliseconds, at most %d", text,
                       PEOPLE_DELAY_MS_MAX);
    ret->delay_min_ms = least;
    ret->delay_max_ms = most;
    return OK;
}

static enum status read_credential(char *text, struct options *ret, struct err *e)
{
    char *equals = strchr(text, '=');
    if (equals != NULL)
        *equals = '\0';
    const struct api *api = api_find(text);
    if (api == NULL || equals == NULL || equals[1] == '\0' || (api == &api_ses && strchr(equals + 1, ':') == NULL))
        return err_set(e, E_INVALID,
                       "--credential: must be API=SECRET, for one of sendgrid, mailgun, postmark, resend, or "
                       "ses=ACCESS_KEY:SECRET");
    ret->credentials[api->which] = equals + 1;
    return OK;
}

static enum status read_url(const char *name, char *text, const char **urls, struct err *e)
{
    char *equals = strchr(text, '=');
    if (equals != NULL)
        *equals = '\0';
    const struct api *api = api_find(text);
    if (api == NULL || equals == NULL || (strncmp(equals + 1, "http://", 7) != 0 && strncmp(equals + 1, "https://", 8)))
        return err_set(e, E_INVALID, "--%s: must be API=URL, for one of sendgrid, mailgun, postmark, ses, resend",
                       name);
    urls[api->which] = equals + 1;
    return OK;
}

static enum status read_ms(const char *name, const char *text, int least, int most, int64_t *ret, struct err *e)
{
    char *end;
    long long ms = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || ms < least || ms > most)
        return err_set(e, E_INVALID, "--%s %s: must be a whole number from %d to %d", name, text, least, most);
    *ret = ms;
    return OK;
}

static enum status read_option(int option, const char *name, struct options *o, struct err *e)
{
    switch (option) {
    case LISTEN:
        o->listen = optarg;
        return OK;
    case LEDGER:
        o->ledger = optarg;
        return OK;
    case SEED:
        return read_seed(optarg, &o->seed, e);
    case NO_FSYNC:
        o->fsync = false;
        return OK;
    case HELP:
        o->help = true;
        return OK;
    case CONNINFO:
        o->people.conninfo = optarg;
        return OK;
    case ACCOUNT:
        o->people.account = optarg;
        return OK;
    case REPLY:
        return read_rate(name, optarg, &o->people.reply_rate, e);
    case BOUNCE:
        return read_rate(name, optarg, &o->people.bounce_rate, e);
    case UNSUBSCRIBE:
        return read_rate(name, optarg, &o->people.unsubscribe_rate, e);
    case COMPLAINT:
        return read_rate(name, optarg, &o->people.complaint_rate, e);
    case KEYS:
        o->hooks.keys = optarg;
        return OK;
    case WEBHOOK:
        return read_url(name, optarg, o->hooks.webhooks, e);
    case INBOUND:
        return read_url(name, optarg, o->hooks.inbound, e);
    case RETRY:
        return read_ms(name, optarg, 1, HOOKS_RETRY_MS_MAX, &o->hooks.retry_ms, e);
    case LAG:
        return read_ms(name, optarg, 0, LOOK_UP_LAG_MS_MAX, &o->look_up_lag_ms, e);
    case LIST_PAGE:
        return read_ms(name, optarg, 1, LIST_PAGE_MAX, &o->list_page_max, e);
    case CREDENTIAL:
        return read_credential(optarg, o, e);
    case DELAY:
        return read_delay(optarg, &o->people, e);
    }
    return E_INVALID;
}

static enum status check(const struct options *o, struct err *e)
{
    const struct people_options *p = &o->people;
    double together = p->reply_rate + p->bounce_rate + p->unsubscribe_rate + p->complaint_rate;
    if (o->listen == NULL)
        return err_set(e, E_INVALID, "--listen is missing");
    if (o->ledger == NULL)
        return err_set(e, E_INVALID, "--ledger is missing");
    if (together > 1 + 1e-9)
        return err_set(e, E_INVALID, "the rates add up to %g, more than 1", together);
    if (p->conninfo == NULL && o->hooks.keys == NULL && (together > 0 || p->account != NULL))
        return err_set(e, E_INVALID, "--conninfo is missing: leads act through the database");
    for (int i = 0; i < API_NAMES; i++) {
        if (o->hooks.keys == NULL && (o->hooks.webhooks[i] != NULL || o->hooks.inbound[i] != NULL))
            return err_set(e, E_INVALID, "--keys is missing: webhooks are signed");
        if (o->hooks.inbound[i] != NULL && o->hooks.webhooks[i] == NULL)
            return err_set(e, E_INVALID, "--webhook is missing beside --inbound: leads act through both");
    }
    return OK;
}

enum status options_read(int argc, char **argv, struct options *ret, struct err *e)
{
    struct options o = { .fsync = true,
                         .seed = 1,
                         .hooks.retry_ms = 1000,
                         .list_page_max = LIST_PAGE_MAX,
                         .people = { .delay_min_ms = 1000, .delay_max_ms = 5000 } };
    int option, at = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", table, &at)) != -1) {
        if (option == '?')
            return err_set(e, E_INVALID, "%s: no such option", argv[optind - 1]);
        if (option == ':')
            return err_set(e, E_INVALID, "%s: needs a value", argv[optind - 1]);
        enum status st = read_option(option, table[at].name, &o, e);
        if (st != OK)
            return st;
    }
    if (optind < argc)
        return err_set(e, E_INVALID, "%s: is no option", argv[optind]);
    o.people.seed = o.seed;
    if (!o.help) {
        enum status st = check(&o, e);
        if (st != OK)
            return st;
    }
    *ret = o;
    return OK;
}
