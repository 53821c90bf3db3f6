/* log: one line per thing an operator asks about, on standard error: time, level, event, then typed pairs.
 *
 *     log_info("message_sent", kv("message", m->id), kv("provider", p->name), kv("latency_ms", ms));
 *     2026-11-23T08:00:00.012345Z info message_sent message=17 provider=generic latency_ms=3
 *
 * Text is quoted and escaped where it needs to be, so that a stranger's bytes can never start a line of their own; it
 * is cut at 256 bytes, at the end of a character; a line at 4 KiB. Under systemd (JOURNAL_STREAM is set) the priority
 * prefix stands for the time.
 * Never log a body, a subject, an address, a token or a key. */
#ifndef FOLLOWUPD_BASE_LOG_H
#define FOLLOWUPD_BASE_LOG_H

#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

enum kv_type { KV_END, KV_I64, KV_U64, KV_F64, KV_TEXT };
struct kv {
    const char *name;
    enum kv_type type;
    union {
        int64_t i64;
        uint64_t u64;
        double f64;
        const char *text;
    } value;
};

static inline struct kv kv_i64(const char *name, int64_t v)
{
    return (struct kv){ name, KV_I64, { .i64 = v } };
}
static inline struct kv kv_u64(const char *name, uint64_t v)
{
    return (struct kv){ name, KV_U64, { .u64 = v } };
}
static inline struct kv kv_f64(const char *name, double v)
{
    return (struct kv){ name, KV_F64, { .f64 = v } };
}
static inline struct kv kv_text(const char *name, const char *v)
{
    return (struct kv){ name, KV_TEXT, { .text = v } };
}

#define kv(name, v)                                                                                                    \
    _Generic((v), _Bool                                                                                                \
             : kv_i64, char                                                                                            \
             : kv_i64, short                                                                                           \
             : kv_i64, int                                                                                             \
             : kv_i64, long                                                                                            \
             : kv_i64, long long                                                                                       \
             : kv_i64, unsigned                                                                                        \
             : kv_u64, unsigned long                                                                                   \
             : kv_u64, unsigned long long                                                                              \
             : kv_u64, float                                                                                           \
             : kv_f64, double                                                                                          \
             : kv_f64, char *                                                                                          \
             : kv_text, const char *                                                                                   \
             : kv_text)(name, v)

/* Lines below this level are dropped. Default: info. */
void log_level_set(enum log_level level);
/* -1: no such level. */
int log_level_parse(const char *text, enum log_level *ret);
void log_write(enum log_level level, const char *event, const struct kv *pairs);

#define log_at(level, event, ...)                                                                                      \
    log_write((level), (event), (const struct kv[]){ __VA_ARGS__ __VA_OPT__(, ){ 0, KV_END, { 0 } } })
#define log_debug(event, ...) log_at(LOG_LEVEL_DEBUG, event __VA_OPT__(, ) __VA_ARGS__)
#define log_info(event, ...)  log_at(LOG_LEVEL_INFO, event __VA_OPT__(, ) __VA_ARGS__)
#define log_warn(event, ...)  log_at(LOG_LEVEL_WARN, event __VA_OPT__(, ) __VA_ARGS__)
#define log_error(event, ...) log_at(LOG_LEVEL_ERROR, event __VA_OPT__(, ) __VA_ARGS__)

#endif
