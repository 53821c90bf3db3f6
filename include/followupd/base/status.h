/* status: how a function tells that the world failed.
 *
 * OK is 0, every failure is negative. The text a person reads goes into struct err, written by whoever noticed, never
 * logged there: the caller that decides what happens next logs it, once. */
#ifndef FOLLOWUPD_BASE_STATUS_H
#define FOLLOWUPD_BASE_STATUS_H

#define MUST_USE __attribute__((warn_unused_result))

#define STATUS_MAP(X)                                                                                                  \
    X(OK, 0, "ok")                                                                                                     \
    X(E_NOMEM, -1, "out of memory")                                                                                    \
    X(E_INVALID, -2, "invalid input")                                                                                  \
    X(E_IO, -3, "input or output failed")                                                                              \
    X(E_DB, -4, "the database refused or failed")                                                                      \
    X(E_GONE, -5, "the connection is gone")                                                                            \
    X(E_CANCELLED, -6, "cancelled")                                                                                    \
    X(E_TIMEOUT, -7, "timed out")                                                                                      \
    X(E_LIMIT, -8, "over a limit")                                                                                     \
    X(E_NOT_FOUND, -9, "not found")                                                                                    \
    X(E_BUSY, -10, "busy")                                                                                             \
    X(E_SCHEMA, -11, "wrong schema version")

enum status {
#define X(name, number, text) name = number,
    STATUS_MAP(X)
#undef X
};

#define ERR_BYTES_MAX 512

/* Owned by the caller; text is always terminated, cut at the limit. */
struct err {
    char text[ERR_BYTES_MAX];
};

const char *status_text(enum status st);

/* Writes the text and returns st, so that a failure is one line: return err_set(e, E_IO, "%s: %s", path, why).
 * e may be NULL: nobody will read it. */
enum status err_set(struct err *e, enum status st, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "what: " before a text that is there already: adds where to what went wrong. */
enum status err_prefix(struct err *e, enum status st, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
