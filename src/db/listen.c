/* LISTEN is part of the session's set-up, so that nothing is notified between on_up and the LISTEN. */
#include <stdlib.h>
#include <string.h>

#include "conn_internal.h"
#include "followupd/base/buf.h"

#define SESSION_SQL_BYTES_MAX 16384

char *listen_session_sql(const char *session_sql, const char *channel)
{
    struct buf sql;
    buf_init(&sql, SESSION_SQL_BYTES_MAX);
    enum status st = buf_text(&sql, session_sql != NULL ? session_sql : "");
    if (st == OK && channel != NULL) {
        st = buf_text(&sql, "; LISTEN \"");
        for (const char *s = channel; *s != '\0' && st == OK; s++)
            st = buf_add(&sql, *s == '"' ? "\"\"" : s, *s == '"' ? 2 : 1);
        if (st == OK)
            st = buf_text(&sql, "\"");
    }
    char *text = st == OK ? buf_take(&sql) : NULL;
    buf_fini(&sql);
    return text;
}

/* All of them: they are what one read of the socket brought, so there are few. */
void listen_deliver(struct db_conn *c)
{
    PGnotify *n;
    while (c->state == DB_READY && (n = PQnotifies(c->pg)) != NULL) {
        if (c->events.on_notify != NULL)
            c->events.on_notify(c->events.arg, n->relname, n->extra);
        PQfreemem(n);
    }
}
