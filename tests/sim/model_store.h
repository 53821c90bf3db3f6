/* model_store: the store's seam (store.h) over the model, as store_pg is over PostgreSQL: every call becomes an event in
 * which the model does it and an event in which the worker hears of it. Between them things go wrong.
 *
 * Faults  a statement or its answer takes long; the connection breaks before the statement is done, or after, so that the
 *         answer is lost (E_GONE and nobody knows); the database is away for a while; a NOTIFY is lost.
 * Death   model_store_die: nothing leaves this machine any more and nothing arrives. */
#ifndef TESTS_SIM_MODEL_STORE_H
#define TESTS_SIM_MODEL_STORE_H

#include "model.h"
#include "simtime.h"

struct faults {
    double late; /* a statement, or its answer: up to late_us */
    int64_t late_us;
    double lost;      /* a statement or its answer, and the connection with it */
    int64_t piece_us; /* between two pieces of a load, at most; 0: it comes at once */
    double notify_lost;
    int64_t notify_late_us; /* at most; they keep their order */
    double answer_lost;     /* of a POST */
    double not_sent;        /* a POST that cannot connect */
    double connects;        /* a POST that connects first: up to a second */
    double refused;         /* 4xx for good */
    double overloaded;      /* 429, 503 with Retry-After */
    double broken;          /* 500, before or after it was accepted */
    double look_up_fails;   /* 429, 500, or an answer that is cut */
    double slow;            /* a POST or a look-up that arrives, or is answered, late: up to slow_us */
    int64_t slow_us;
};

MUST_USE struct store *model_store_open(struct model *m, struct host *host, int worker, const struct faults *faults,
                                        const struct store_events *events);
void model_store_notify(struct store *s, const char *payload); /* what LISTEN brings */
void model_store_cut(struct store *s, int64_t away_us);        /* its connections break; again after so long */
void model_store_die(struct store *s);

/* The number in a worker's id, and back. */
void worker_name(int worker, char ret[37]);
int worker_number(const char *name);

#endif
