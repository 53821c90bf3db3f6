/* ledger: the file of every message that was accepted, one JSON line each, and the memory of the keys in it.
 *
 *     {"seq":1,"at_us":1795420800000123,"message_id":"m-17","account_id":1,"key":"fu/1/17/1","due_ms":...,"from":...,
 *      "to":...,"reply_to":...,"subject":...,"text":...,"html":...,"headers":{...}}
 *
 * Lines are only ever added. Whoever waits for a line is told once it is on disk: all lines that came while the disk
 * was busy go out together, with one fdatasync. A write that fails ends the ledger for good: the file may then hold
 * part of a line, which the next start cuts off.
 *
 * Keys       seen with the same message: the first answer again. With another: refused. While the first request is
 *            still being answered (from ledger_accept to ledger_release): refused as in use.
 * Threads    one loop; the file is written on the loop's pool, one commit at a time.
 * Bounds     LEDGER_KEYS_MAX keys, LEDGER_WAITING_BYTES_MAX of lines that wait for the disk. */
#ifndef SANDBOX_LEDGER_H
#define SANDBOX_LEDGER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "followupd/base/list.h"
#include "followupd/base/status.h"

#define LEDGER_LINE_BYTES_MAX    (2u << 20)
#define LEDGER_WAITING_BYTES_MAX (64u << 20)
#define LEDGER_KEYS_MAX          (20u * 1000 * 1000)
#define LEDGER_KEY_BYTES_MAX     256

struct ledger;
struct ledger_key;
struct message;

struct ledger_options {
    const char *path; /* created with mode 0640 when missing; locked: one ledger, one program */
    bool fsync;       /* false: a line counts as written when the kernel has it (benchmarks) */
    /* Called for each message that is in the file already, in order; may be NULL. An error ends ledger_open. */
    enum status (*on_loaded)(void *context, const struct message *m, int64_t seq, int64_t at_us);
    void *context;
};

/* One request's place in the ledger; embedded in the request, which must live until on_written or ledger_release. */
struct ledger_entry {
    void (*on_written)(struct ledger_entry *entry, enum status st); /* set by the caller; E_IO: the ledger is over */
    int64_t seq;                                                    /* of the line, the old one for a replay */
    struct ledger_key *held;                                        /* in use by this request; NULL: none */
    struct list waiting;
};

enum ledger_verdict {
    LEDGER_ACCEPTED,   /* a line is on its way: on_written will run, never inside the call */
    LEDGER_REPLAYED,   /* the key and its message were seen: entry->seq is the line; on_written will not run */
    LEDGER_KEY_REUSED, /* the key was seen with another message */
    LEDGER_KEY_IN_USE,
    LEDGER_BEHIND, /* too much waits for the disk, or memory is short */
    LEDGER_FULL,   /* LEDGER_KEYS_MAX */
    LEDGER_FAILED, /* a write failed earlier */
};

struct ledger_stats {
    uint64_t lines;   /* in the file, with those of earlier runs */
    uint64_t keys;    /* remembered */
    uint64_t commits; /* of this run */
    uint64_t bytes;   /* in the file */
};

/* E_INVALID: a line that is none, with its number. A last line without its end is cut off, with a warning. E_BUSY:
 * another program has the file. Cost: reads and parses the whole file. */
MUST_USE enum status ledger_open(uv_loop_t *loop, const struct ledger_options *options, struct ledger **ret,
                                 struct err *e);
/* The loop must have run until nothing was waiting. NULL is fine. */
void ledger_close(struct ledger *l);
/* key NULL: accepted as new every time. */
enum ledger_verdict ledger_accept(struct ledger *l, const struct message *m, const char *key,
                                  struct ledger_entry *entry);
/* The request has its answer: its key may be replayed from now on. */
void ledger_release(struct ledger_entry *entry);
void ledger_stats(const struct ledger *l, struct ledger_stats *ret);

#endif
