/* transport: one HTTP request, and a POST leaves at most once. transport_open gives libcurl on the loop; a test or a
 * simulation brings a table of its own.
 *
 * At most once   libcurl would silently repeat a POST when a reused connection turns out to be dead. It asks
 *                CURLOPT_PREREQFUNCTION before each request it begins; the second time within one POST is refused,
 *                before a byte of it leaves, so a repeat is impossible: it ends as doubt. A GET changes nothing: it
 *                may be repeated.
 *                HTTP/1.1 only, no redirects, no Expect, no proxy, connections idle for 15 s are not used again.
 * Calls          send that returns OK runs its callback exactly once, later, from the loop, never inside the call.
 *                Anything else: not started, the callback never runs.
 * Ownership      the request and all it points to are borrowed until the callback has returned; the answer is borrowed
 *                until the callback returns.
 * Time           real milliseconds; begun_us is mono_now_us() just before the first byte.
 * Cost           easy handles and sockets' poll handles are reused; one POST on a standing connection is one write and
 *                one read (a body of 64 KiB or more: its head is a write of its own). A turn of the loop serves at most 16
 *                sockets, the others in the order in which they were ready. At most posts_max POSTs at once (E_LIMIT); an
 *                answer's body is read up to 64 KiB, or answer_bytes_max. */
#ifndef FOLLOWUPD_PROVIDER_TRANSPORT_H
#define FOLLOWUPD_PROVIDER_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "followupd/base/status.h"

#define TRANSPORT_ANSWER_BYTES_MAX 65536
#define TRANSPORT_DETAIL_BYTES     256
#define TRANSPORT_HEADERS_MAX      16

struct transport;

enum transport_method { TRANSPORT_POST, TRANSPORT_GET };

struct transport_request {
    enum transport_method method; /* a GET has no body */
    const char *url;
    const char *const *headers; /* "Name: value", without line ends */
    size_t header_count;        /* at most TRANSPORT_HEADERS_MAX */
    const char *user_password;  /* "user:password" for Basic, "access key:secret" with aws_sigv4; NULL: none */
    /* "aws:amz:REGION:SERVICE": signed so, an X-Amz-Security-Token among the headers too; the parameters of a query
     * must be sorted by name. NULL: not signed */
    const char *aws_sigv4;
    const void *body;
    size_t body_bytes;
    /* Asked, with the callback's arg, when the connection stands and just before the first byte; false: nothing leaves, and it
     * ends as not sent and called off. NULL: it may. */
    bool (*may_begin)(void *arg);
    size_t answer_bytes_max;    /* of the answer's body that are read; 0: TRANSPORT_ANSWER_BYTES_MAX */
    int64_t timeout_ms;         /* from the call to the answer's last byte */
    int64_t connect_timeout_ms; /* until the connection stands, TLS included; 0: timeout_ms */
};

enum transport_end {
    TRANSPORT_ANSWERED, /* a final status was read; the body may be cut (body_whole) */
    TRANSPORT_NOT_SENT, /* provably no byte of the request left: resolve, connect, TLS handshake */
    TRANSPORT_IN_DOUBT, /* a byte may have left and no status came back */
};

struct transport_answer {
    enum transport_end end;
    int http_status;  /* 200..599 when answered, else 0 */
    const char *body; /* terminated; "" when there is none */
    size_t body_bytes;
    bool body_whole;
    bool timed_out;
    bool tls_refused;   /* the peer's certificate or handshake was not accepted */
    bool called_off;    /* by may_begin */
    int64_t begun_us;   /* 0: never begun */
    const char *detail; /* what went wrong, for a person; "" when nothing did */
    const char *(*find_header)(void *headers, const char *name); /* for transport_header; NULL: there are none */
    void *headers;
};

/* The value of a header of the answer, whatever the case of its name; NULL: not there. Borrowed until the next call. */
static inline const char *transport_header(const struct transport_answer *a, const char *name)
{
    return a->find_header != NULL ? a->find_header(a->headers, name) : NULL;
}

typedef void (*transport_cb)(void *arg, const struct transport_answer *answer);

struct transport_ops {
    MUST_USE enum status (*send)(struct transport *t, const struct transport_request *r, transport_cb cb, void *arg);
    /* Ends what is under way (callbacks run inside this call: not sent, or in doubt when begun), closes, frees t;
     * on_closed runs once, later, last. Never from inside a POST's callback. */
    void (*close)(struct transport *t, void (*on_closed)(void *arg), void *arg);
};
struct transport {
    const struct transport_ops *ops;
};

/* posts_max: POSTs at once over all providers. loop is borrowed and outlives t. */
MUST_USE enum status transport_open(uv_loop_t *loop, size_t posts_max, struct transport **ret, struct err *e);

static inline MUST_USE enum status transport_send(struct transport *t, const struct transport_request *r,
                                                  transport_cb cb, void *arg)
{
    return t->ops->send(t, r, cb, arg);
}
static inline void transport_close(struct transport *t, void (*on_closed)(void *arg), void *arg)
{
    t->ops->close(t, on_closed, arg);
}

#endif
