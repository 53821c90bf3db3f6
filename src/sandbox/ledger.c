#include "ledger.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "followupd/base/buf.h"
#include "followupd/base/clock.h"
#include "followupd/base/log.h"
#include "keymap.h"
#include "message.h"

#define DIGEST_BYTES 16

struct ledger_key {
    struct keymap_node node;
    uint8_t digest[DIGEST_BYTES]; /* of the message as message_write tells it */
    int64_t seq;
    bool in_use;
    char text[];
};

struct ledger {
    uv_loop_t *loop; /* borrowed */
    struct ledger_options options;
    int fd;
    int64_t seq; /* of the last line */
    struct keymap keys;
    struct ledger_stats stats;
    bool failed;

    struct buf line; /* the fields of the message at hand */
    struct buf next; /* lines that wait for the commit after this one ... */
    struct list next_entries;
    struct buf now; /* ... and those of the running commit; not touched by the loop meanwhile */
    struct list now_entries;
    uv_work_t commit;
    bool committing;
    int commit_errno;
};

static void digest_of(const struct buf *b, uint8_t *ret)
{
    crypto_generichash(ret, DIGEST_BYTES, (const uint8_t *)b->data, b->used, NULL, 0);
}

static struct ledger_key *remember_key(struct ledger *l, const char *key, const uint8_t *digest, int64_t seq)
{
    size_t bytes = strlen(key) + 1;
    struct ledger_key *k = calloc(1, sizeof *k + bytes);
    if (k == NULL)
        return NULL;
    memcpy(k->text, key, bytes);
    memcpy(k->digest, digest, DIGEST_BYTES);
    k->seq = seq;
    if (keymap_add(&l->keys, &k->node, k->text) != OK) {
        free(k);
        return NULL;
    }
    return k;
}

static void forget_key(struct keymap_node *node)
{
    free(container_of(node, struct ledger_key, node));
}

static struct ledger_key *find_key(struct ledger *l, const char *key)
{
    struct keymap_node *node = keymap_find(&l->keys, key);
    return node != NULL ? container_of(node, struct ledger_key, node) : NULL;
}

/* ---- start: what the file holds already ---- */

/* The message behind our own fields, which are taken out of the document. */
static enum status load_fields(struct ledger *l, json_t *document, char *key, bool *ret_keyed, struct err *e)
{
    json_int_t seq = json_integer_value(json_object_get(document, "seq"));
    const char *text = json_string_value(json_object_get(document, "key"));
    if (seq != l->seq + 1)
        return err_set(e, E_INVALID, "seq: %lld stands where %lld should", (long long)seq, (long long)l->seq + 1);
    if (!json_is_integer(json_object_get(document, "at_us")))
        return err_set(e, E_INVALID, "at_us: must be a whole number");
    if (json_object_get(document, "key") == NULL || (text != NULL && strlen(text) > LEDGER_KEY_BYTES_MAX))
        return err_set(e, E_INVALID, "key: is missing or too long");
    *ret_keyed = text != NULL;
    if (text != NULL)
        strcpy(key, text);
    json_object_del(document, "seq");
    json_object_del(document, "at_us");
    json_object_del(document, "key");
    return OK;
}

static enum status load_message(struct ledger *l, const struct message *m, const char *key, int64_t at_us,
                                struct err *e)
{
    uint8_t digest[DIGEST_BYTES];
    buf_clear(&l->line);
    enum status st = message_write(m, key, &l->line);
    if (st != OK)
        return err_set(e, st, "%s", status_text(st));
    if (key != NULL && find_key(l, key) != NULL)
        return err_set(e, E_INVALID, "key: %s stands in an earlier line", key);
    digest_of(&l->line, digest);
    if (key != NULL && remember_key(l, key, digest, l->seq + 1) == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    l->seq++;
    if (l->options.on_loaded != NULL)
        st = l->options.on_loaded(l->options.context, m, l->seq, at_us);
    return st == OK ? OK : err_set(e, st, "%s", status_text(st));
}

static enum status load_line(struct ledger *l, const char *bytes, size_t count, struct err *e)
{
    char key[LEDGER_KEY_BYTES_MAX + 1];
    bool keyed = false;
    json_error_t error;
    struct message m;
    json_t *document = json_loadb(bytes, count, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(document)) {
        json_decref(document);
        return err_set(e, E_INVALID, "is no JSON object");
    }
    int64_t at_us = json_integer_value(json_object_get(document, "at_us"));
    enum status st = load_fields(l, document, key, &keyed, e);
    if (st == OK)
        st = message_read(document, &m, e);
    if (st != OK) {
        json_decref(document);
        return st;
    }
    st = load_message(l, &m, keyed ? key : NULL, at_us, e);
    message_fini(&m);
    return st;
}

static enum status cut_torn_line(struct ledger *l, off_t whole_bytes, size_t torn_bytes, struct err *e)
{
    log_warn("ledger_torn_line_cut", kv("file", l->options.path), kv("line", l->seq + 1), kv("bytes", torn_bytes));
    if (ftruncate(l->fd, whole_bytes) != 0 || fsync(l->fd) != 0)
        return err_set(e, E_IO, "%s: %s", l->options.path, strerror(errno));
    return OK;
}

static enum status load(struct ledger *l, struct err *e)
{
    FILE *file = fopen(l->options.path, "re");
    if (file == NULL)
        return err_set(e, E_IO, "%s: %s", l->options.path, strerror(errno));
    char *line = NULL;
    size_t room = 0;
    ssize_t count;
    enum status st = OK;
    while (st == OK && (count = getline(&line, &room, file)) > 0) {
        if (line[count - 1] != '\n') {
            st = cut_torn_line(l, (off_t)l->stats.bytes, (size_t)count, e);
            break;
        }
        st = load_line(l, line, (size_t)count, e);
        if (st != OK)
            err_prefix(e, st, "%s line %lld", l->options.path, (long long)l->seq + 1);
        else
            l->stats.bytes += (uint64_t)count;
    }
    if (st == OK && ferror(file))
        st = err_set(e, E_IO, "%s: %s", l->options.path, strerror(errno));
    free(line);
    fclose(file);
    return st;
}

/* A new file is only there after a crash when its folder is on disk too. */
static enum status sync_folder(const char *path, struct err *e)
{
    char copy[PATH_MAX];
    if ((size_t)snprintf(copy, sizeof copy, "%s", path) >= sizeof copy)
        return err_set(e, E_INVALID, "%.100s...: the path is too long", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) {
        enum status st = err_set(e, E_IO, "folder of %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return st;
    }
    close(fd);
    return OK;
}

static enum status open_file(struct ledger *l, struct err *e)
{
    const char *path = l->options.path;
    l->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (l->fd < 0)
        return err_set(e, E_IO, "%s: %s", path, strerror(errno));
    struct stat file;
    if (fstat(l->fd, &file) != 0 || !S_ISREG(file.st_mode))
        return err_set(e, E_INVALID, "%s: is no regular file", path);
    if (flock(l->fd, LOCK_EX | LOCK_NB) != 0)
        return err_set(e, E_BUSY, "%s: another followup-sandbox writes it", path);
    return sync_folder(path, e);
}

enum status ledger_open(uv_loop_t *loop, const struct ledger_options *options, struct ledger **ret, struct err *e)
{
    struct ledger *l = calloc(1, sizeof *l);
    if (l == NULL)
        return err_set(e, E_NOMEM, "out of memory");
    *l = (struct ledger){ .loop = loop, .options = *options, .fd = -1 };
    buf_init(&l->line, LEDGER_LINE_BYTES_MAX);
    buf_init(&l->next, LEDGER_WAITING_BYTES_MAX);
    buf_init(&l->now, LEDGER_WAITING_BYTES_MAX);
    list_init(&l->next_entries);
    list_init(&l->now_entries);
    enum status st = keymap_init(&l->keys);
    if (st == OK)
        st = open_file(l, e);
    if (st == OK)
        st = load(l, e);
    if (st != OK) {
        ledger_close(l);
        return st;
    }
    *ret = l;
    return OK;
}

void ledger_close(struct ledger *l)
{
    if (l == NULL)
        return;
    assert(!l->committing && list_empty(&l->next_entries));
    keymap_fini(&l->keys, forget_key);
    buf_fini(&l->line);
    buf_fini(&l->next);
    buf_fini(&l->now);
    if (l->fd >= 0)
        close(l->fd);
    free(l);
}

/* ---- commit: all that waits, in one write and one fdatasync ---- */

static void commit_work(uv_work_t *work)
{
    struct ledger *l = container_of(work, struct ledger, commit);
    for (size_t done = 0; done < l->now.used;) {
        ssize_t written = write(l->fd, l->now.data + done, l->now.used - done);
        if (written < 0 && errno != EINTR) {
            l->commit_errno = errno;
            return;
        }
        done += written > 0 ? (size_t)written : 0;
    }
    if (l->options.fsync && fdatasync(l->fd) != 0)
        l->commit_errno = errno;
}

static void commit_on_done(uv_work_t *work, int status);

static void commit_start(struct ledger *l)
{
    struct buf empty = l->now;
    l->now = l->next;
    l->next = empty;
    buf_clear(&l->next);
    for (struct list *node; (node = list_take_first(&l->next_entries)) != NULL;)
        list_append(&l->now_entries, node);
    l->committing = true;
    int failed = uv_queue_work(l->loop, &l->commit, commit_work, commit_on_done);
    assert(failed == 0); /* it fails only without a work function */
}

static void commit_on_done(uv_work_t *work, int status)
{
    struct ledger *l = container_of(work, struct ledger, commit);
    assert(status == 0); /* nobody cancels it */
    l->committing = false;
    l->stats.commits++;
    l->stats.bytes += l->now.used;
    if (l->commit_errno != 0 && !l->failed) {
        l->failed = true;
        log_error("ledger_write_failed", kv("file", l->options.path), kv("error", strerror(l->commit_errno)));
    }
    struct list *node;
    while ((node = list_take_first(&l->now_entries)) != NULL) {
        struct ledger_entry *entry = container_of(node, struct ledger_entry, waiting);
        entry->on_written(entry, l->failed ? E_IO : OK);
    }
    if (l->next.used > 0)
        commit_start(l); /* after a failure too: it fails again, and its entries hear of it */
}

/* ---- a message comes in ---- */

static enum ledger_verdict judge_seen_key(struct ledger_key *k, const uint8_t *digest, struct ledger_entry *entry)
{
    if (memcmp(k->digest, digest, DIGEST_BYTES) != 0)
        return LEDGER_KEY_REUSED;
    if (k->in_use)
        return LEDGER_KEY_IN_USE;
    k->in_use = true;
    entry->held = k;
    entry->seq = k->seq;
    return LEDGER_REPLAYED;
}

/* Whole line or nothing, so that a line half written here never reaches the file. */
static enum status add_line(struct ledger *l, int64_t seq)
{
    size_t before = l->next.used;
    enum status st = buf_format(&l->next, "{\"seq\":%lld,\"at_us\":%lld,", (long long)seq, (long long)wall_now().us);
    if (st == OK)
        st = buf_add(&l->next, l->line.data, l->line.used);
    if (st == OK)
        st = buf_add(&l->next, "}\n", 2);
    if (st != OK && l->next.data != NULL) {
        l->next.used = before;
        l->next.data[before] = '\0';
    }
    return st;
}

enum ledger_verdict ledger_accept(struct ledger *l, const struct message *m, const char *key,
                                  struct ledger_entry *entry)
{
    uint8_t digest[DIGEST_BYTES];
    entry->held = NULL;
    list_init(&entry->waiting);
    if (l->failed)
        return LEDGER_FAILED;
    buf_clear(&l->line);
    if (message_write(m, key, &l->line) != OK)
        return LEDGER_BEHIND;
    digest_of(&l->line, digest);
    struct ledger_key *k = key != NULL ? find_key(l, key) : NULL;
    if (k != NULL)
        return judge_seen_key(k, digest, entry);
    if (l->keys.used >= LEDGER_KEYS_MAX)
        return LEDGER_FULL;
    size_t before = l->next.used;
    if (add_line(l, l->seq + 1) != OK)
        return LEDGER_BEHIND;
    if (key != NULL) {
        k = remember_key(l, key, digest, l->seq + 1);
        if (k == NULL) {
            l->next.used = before;
            return LEDGER_BEHIND;
        }
        k->in_use = true;
    }
    entry->held = k;
    entry->seq = ++l->seq;
    list_append(&l->next_entries, &entry->waiting);
    if (!l->committing)
        commit_start(l);
    return LEDGER_ACCEPTED;
}

void ledger_release(struct ledger_entry *entry)
{
    if (entry->held != NULL)
        entry->held->in_use = false;
    entry->held = NULL;
}

void ledger_stats(const struct ledger *l, struct ledger_stats *ret)
{
    *ret = l->stats;
    ret->lines = (uint64_t)l->seq;
    ret->keys = l->keys.used;
}
