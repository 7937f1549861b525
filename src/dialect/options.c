/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of options: one row each, read by every dialect. */
#include "base/assert.h"
#include "base/text.h"
#include "dialect/loglines.h"
#include "dialect/option.h"
#include "dialect/search.h"

/* Rows of the table whose target is struct TARGET. */
#define ROW(word, member, type, at, min, max) \
    { word, member, OPTION_##type, offsetof(struct TARGET, at), OPTION_NO_HAS, min, max, NULL }
#define ROW_HAS(word, member, type, at, has, max)                                                  \
    {                                                                                              \
        word, member, OPTION_##type, offsetof(struct TARGET, at), offsetof(struct TARGET, has), 0, \
            max, NULL                                                                              \
    }
#define ROW_WORDS(word, member, at, words) \
    { word, member, OPTION_WORD, offsetof(struct TARGET, at), OPTION_NO_HAS, 0, 0, words }
#define SET(rows) \
    { .options = (rows), .count = hob_countof(rows) }

static const char *const mode_words[] = {
    [FETCH_WEIGHTED] = "weighted",
    [FETCH_LISTED] = "listed",
    [FETCH_MERGED] = "merged",
    [FETCH_MODE_COUNT] = NULL,
};
static const char *const same_words[] = {
    [FETCH_SAME_NOTHING] = "nothing",
    [FETCH_SAME_KIND] = "kind",
    [FETCH_SAME_GROUP] = "group",
    [FETCH_SAME_COUNT] = NULL,
};
static const char *const scope_words[] = {
    [UNIQUE_DONE] = "done",
    [UNIQUE_WAITING] = "waiting",
    [UNIQUE_RUNNING] = "running",
    [UNIQUE_TIME] = "time",
    [UNIQUE_SCOPE_COUNT] = NULL,
};
static const char *const conflict_words[] = {
    [CONFLICT_EXISTING] = "existing",
    [CONFLICT_REJECT] = "reject",
    [CONFLICT_REPLACE] = "replace",
    [CONFLICT_LATEST] = "latest",
    [ON_CONFLICT_COUNT] = NULL,
};
static const char *const merge_words[] = {
    [MERGE_NONE] = "none",
    [MERGE_APPEND] = "append",
    [MERGE_SUM] = "sum",
    [MERGE_LAST] = "last",
    [MERGE_COUNT] = NULL,
};
static const char *const form_words[] = {
    [JOB_ARRAY] = "array",
    [JOB_MAP] = "map",
    NULL,
};
static const char *const order_words[] = {
    [QUEUE_FIFO] = "fifo",
    [QUEUE_LIFO] = "lifo",
    [QUEUE_ORDER_COUNT] = NULL,
};
static const char *const group_order_words[] = {
    [GROUP_LOOSE] = "loose",
    [GROUP_BLOCK] = "block",
    [GROUP_SKIP] = "skip",
    [GROUP_PARK] = "park",
    [GROUP_ORDER_COUNT] = NULL,
};
static const char *const full_words[] = {
    [FULL_REJECT] = "reject",
    [FULL_DROP_OLDEST] = "drop_oldest",
    [FULL_DROP_NEWEST] = "drop_newest",
    [ON_FULL_COUNT] = NULL,
};
static const char *const cause_words[] = {
#define X(name, word) [name] = word,
    ERROR_CAUSES(X)
#undef X
        [ERROR_CAUSE_COUNT] = NULL,
};
static const char *const stream_words[] = {
    [LOG_STDOUT] = "out",
    [LOG_STDERR] = "err",
    [LOG_SYSTEM] = "sys",
    [LOG_STREAM_COUNT] = NULL,
};
static const char *const level_words[] = {
    [LOG_DEBUG] = "debug",
    [LOG_INFO] = "info",
    [LOG_WARN] = "warn",
    [LOG_ERROR] = "error",
    [LOG_LEVEL_COUNT] = NULL,
};

/* clang-format off */
#define TARGET push_request
static const struct option push_rows[] = {
    ROW(NULL, "queue", NAME, push.queue, 0, 0),
    ROW(NULL, "kind", NAME, push.kind, 0, 0),
    ROW("KEY", "key", TEXT, push.key, 1, KEY_BYTES_MAX),
    ROW("REF", "ref", TEXT, push.ref, 1, REF_BYTES_MAX),
    ROW_HAS("PRIORITY", "priority", U32, push.priority, push.has_priority, UINT32_MAX),
    ROW("DELAY", "delay", SPAN, push.delay_ns, 0, DELAY_MAX_NS),
    ROW("AT", "run_at", TIME, push.run_at_ns, 0, 0),
    ROW("ATTEMPTS", "attempt_max", U32, push.attempt_max, 1, ATTEMPT_MAX_MAX),
    ROW("TIMEOUT", "timeout", SPAN, push.timeout_ns, NS_PER_MS, DELAY_MAX_NS),
    ROW_HAS("KEEP", "keep", SPAN, push.keep_ns, push.has_keep, DELAY_MAX_NS),
    ROW_HAS("BACKOFF", "backoff", BACKOFF, push.backoff, push.has_backoff, 0),
    ROW("HEADERS", "headers", JSON, push.headers, 0, HEADERS_BYTES_MAX),
    ROW("TAGS", "tags", TAGS, push.tags, 0, 0),
    ROW("TYPE", "content_type", TEXT, push.content_type, 1, CONTENT_TYPE_BYTES_MAX),
    ROW("ONDONE", "on_done", JSON, on_done, 0, UINT32_MAX),
    ROW("EXPIRES", "expires_at", TIME, push.expires_ns, 0, 0),
    ROW("EXPIRESIN", "expires_in", SPAN, push.expires_in_ns, 0, DELAY_MAX_NS),
    ROW("GROUP", "group", NAME, push.group, 0, 0),
    ROW("FRONT", "front", FLAG, push.front, 0, 0),
    ROW("UNIQUE", "unique", TEXT, push.unique, 1, KEY_BYTES_MAX),
    ROW("UNIQUEBY", "unique_by", TAGS, unique_by, 0, 0),
    {"UNIQUESCOPE", "unique_scope", OPTION_WORD, offsetof(struct TARGET, push.unique_scope),
     offsetof(struct TARGET, has_unique_scope), 0, 0, scope_words},
    ROW_WORDS("ONCONFLICT", "on_conflict", push.on_conflict, conflict_words),
    ROW("UNIQUEFOR", "unique_for", SPAN, push.unique_for_ns, NS_PER_MS, DELAY_MAX_NS),
    ROW("THROTTLE", "throttle", SPAN, throttle_ns, NS_PER_MS, DELAY_MAX_NS),
    ROW("DEBOUNCE", "debounce", SPAN, push.debounce_ns, NS_PER_MS, DELAY_MAX_NS),
    ROW("MAXWAIT", "max_wait", SPAN, push.max_wait_ns, NS_PER_MS, DELAY_MAX_NS),
    ROW_WORDS("MERGE", "merge", push.merge, merge_words),
    ROW("MERGEMAX", "merge_max", U32, push.merge_max, 2, MERGE_MAX_MAX),
    ROW("DEADLINE", "deadline", TIME, push.deadline_ns, 0, 0),
    ROW("DEADLINEIN", "deadline_in", SPAN, push.deadline_in_ns, 0, DELAY_MAX_NS),
    ROW("MARGIN", "margin", SPAN, push.margin_ns, 0, DELAY_MAX_NS),
    ROW("PARENT", "parent", U64, push.parent, 1, INT64_MAX),
    ROW("LIMITERS", "limiters", LIMITS, push.limiters, 0, 0),
    ROW("NEEDS", "needs", TAGS, push.needs, 0, 0),
    ROW("COST", "cost", U32, push.cost, 1, WORKER_SLOTS_MAX),
    ROW("VERBOSE", NULL, FLAG, verbose, 0, 0),
};
#undef TARGET

#define TARGET update_request
static const struct option update_rows[] = {
    ROW_HAS("IFVERSION", NULL, U32, update.version, update.has_version, UINT32_MAX),
    ROW_HAS("QUEUE", "queue", NAME, update.to.queue, update.has.queue, 0),
    ROW_HAS("PAYLOAD", NULL, TEXT, update.to.payload, update.has.payload, UINT32_MAX),
    ROW_HAS("PRIORITY", "priority", U32, update.to.priority, update.has.priority, UINT32_MAX),
    ROW_HAS("DELAY", "delay", SPAN, update.to.delay_ns, update.has.time, DELAY_MAX_NS),
    ROW_HAS("AT", "run_at", TIME, update.to.run_at_ns, update.has.time, 0),
    {"ATTEMPTS", "attempt_max", OPTION_U32, offsetof(struct TARGET, update.to.attempt_max),
     offsetof(struct TARGET, update.has.attempt_max), 1, ATTEMPT_MAX_MAX, NULL},
    {"TIMEOUT", "timeout", OPTION_SPAN, offsetof(struct TARGET, update.to.timeout_ns),
     offsetof(struct TARGET, update.has.timeout), NS_PER_MS, DELAY_MAX_NS, NULL},
    ROW_HAS("KEEP", "keep", SPAN, update.to.keep_ns, update.has.keep, DELAY_MAX_NS),
    ROW_HAS("BACKOFF", "backoff", BACKOFF, update.to.backoff, update.has.backoff, 0),
    ROW_HAS("HEADERS", "headers", JSON, update.to.headers, update.has.headers, HEADERS_BYTES_MAX),
    ROW_HAS("TAGS", "tags", TAGS, update.to.tags, update.has.tags, 0),
    ROW_HAS("TYPE", "content_type", TEXT, update.to.content_type, update.has.content_type,
            CONTENT_TYPE_BYTES_MAX),
    ROW_HAS("ONDONE", "on_done", JSON, on_done, update.has.on_done, UINT32_MAX),
    ROW_HAS("EXPIRES", "expires_at", TIME, update.to.expires_ns, update.has.expires, 0),
    ROW_HAS("EXPIRESIN", "expires_in", SPAN, update.to.expires_in_ns, update.has.expires,
            DELAY_MAX_NS),
    ROW_HAS("GROUP", "group", TEXT, update.to.group, update.has.group, NAME_BYTES_MAX),
    ROW_HAS("FRONT", "front", FLAG, update.to.front, update.has.front, 0),
    ROW("NOFRONT", NULL, FLAG, no_front, 0, 0),
    ROW_HAS("DEADLINE", "deadline", TIME, update.to.deadline_ns, update.has.deadline, 0),
    ROW_HAS("DEADLINEIN", "deadline_in", SPAN, update.to.deadline_in_ns, update.has.deadline,
            DELAY_MAX_NS),
    ROW_HAS("MARGIN", "margin", SPAN, update.to.margin_ns, update.has.margin, DELAY_MAX_NS),
    ROW_HAS("LIMITERS", "limiters", LIMITS, update.to.limiters, update.has.limiters, 0),
    ROW_HAS("NEEDS", "needs", TAGS, update.to.needs, update.has.needs, 0),
    ROW_HAS("COST", "cost", U32, update.to.cost, update.has.cost, WORKER_SLOTS_MAX),
};
#undef TARGET

#define TARGET fetch_request
static const struct option fetch_rows[] = {
    ROW(NULL, "worker", NAME, fetch.worker, 0, 0),
    ROW("COUNT", "count", U32, fetch.count, 1, FETCH_COUNT_MAX),
    ROW("WAIT", "wait", SPAN, fetch.wait_ns, 0, FETCH_WAIT_MAX_NS),
    ROW_WORDS("MODE", "mode", fetch.mode, mode_words),
    ROW_WORDS("SAME", "same", fetch.same, same_words),
    ROW("LEASE", "lease", SPAN, fetch.lease_ns, LEASE_MIN_NS, LEASE_MAX_NS),
    ROW_WORDS("FORM", NULL, form, form_words),
};
#undef TARGET

#define TARGET fail_command
static const struct option fail_rows[] = {
    ROW(NULL, "message", TEXT, text, 0, UINT32_MAX),
    ROW("WHAT", "what", TEXT, what, 0, ERROR_WHAT_BYTES_MAX),
    ROW_WORDS("CAUSE", "cause", cause, cause_words),
    ROW("CODE", "code", I32, code, 0, 0),
    ROW("BACKTRACE", "backtrace", TEXT, backtrace, 0, BACKTRACE_BYTES_MAX),
    ROW("PERMANENT", "permanent", FLAG, permanent, 0, 0),
    ROW_HAS("RETRYIN", "retry_in", SPAN, retry_in_ns, has_retry_in, DELAY_MAX_NS),
    ROW("PAUSELIMITER", "pause_limiter", SPAN, pause_ns, 0, DELAY_MAX_NS),
};
#undef TARGET

#define TARGET control_command
static const struct option control_rows[] = {
    ROW("BY", "by", TEXT, by, 0, WHY_BYTES_MAX),
    ROW("WHY", "why", TEXT, why, 0, WHY_BYTES_MAX),
};
#undef TARGET

#define TARGET pause_request
static const struct option pause_rows[] = {
    ROW("UNTIL", "until", TIME, pause.until_ns, 0, 0),
    ROW("FOR", "for", SPAN, for_ns, NS_PER_MS, DELAY_MAX_NS),
    ROW("BY", "by", TEXT, pause.by, 0, WHY_BYTES_MAX),
    ROW("WHY", "why", TEXT, pause.why, 0, WHY_BYTES_MAX),
    ROW("KIND", NULL, FLAG, valve.is_kind, 0, 0),
    ROW("LIMITER", NULL, FLAG, valve.is_limiter, 0, 0),
    ROW("GROUPOF", NULL, NAME, valve.queue, 0, 0),
};
#undef TARGET

#define TARGET valve_request
static const struct option valve_rows[] = {
    ROW("KIND", NULL, FLAG, is_kind, 0, 0),
    ROW("LIMITER", NULL, FLAG, is_limiter, 0, 0),
    ROW("GROUPOF", NULL, NAME, queue, 0, 0),
};
#undef TARGET

#define TARGET valve_set_command
static const struct option limiter_rows[] = {
    ROW_HAS("CONCURRENCY", "concurrency", U32, concurrency, has_concurrency, VALVE_CONCURRENCY_MAX),
    ROW("RATE", "rate", RATE, rate, 0, 0),
    ROW_HAS("BURST", "burst", U32, rate.burst, rate.has_burst, RATE_COUNT_MAX),
    ROW("RESET", "reset", FLAG, reset, 0, 0),
};
static const struct option group_rows[] = {
    {"WEIGHT", "weight", OPTION_U32, offsetof(struct TARGET, weight),
     offsetof(struct TARGET, has_weight), 1, GROUP_WEIGHT_MAX, NULL},
    ROW_HAS("CONCURRENCY", "concurrency", U32, concurrency, has_concurrency, VALVE_CONCURRENCY_MAX),
    ROW("RATE", "rate", RATE, rate, 0, 0),
    ROW_HAS("BURST", "burst", U32, rate.burst, rate.has_burst, RATE_COUNT_MAX),
    ROW("RESET", "reset", FLAG, reset, 0, 0),
};
#undef TARGET

#define TARGET valves_request
static const struct option valves_rows[] = {
    ROW("AFTER", "after", TEXT, after, 0, NAME_BYTES_MAX),
    ROW("COUNT", "limit", U32, count, 1, VALVES_LISTED_MAX),
    ROW("STOPPED", "stopped", FLAG, stopped, 0, 0),
};
#undef TARGET

#define TARGET list_request
static const struct option list_rows[] = {
    ROW("QUEUE", "queue", NAME, queue, 0, 0),
    ROW("KIND", "kind", NAME, kind, 0, 0),
    ROW("STATE", "state", STATES, states, 0, 0),
    ROW("TAG", "tag", NAME, marks.tag, 0, 0),
    ROW("KEY", "key", TEXT, marks.key, 1, KEY_BYTES_MAX),
    ROW("REF", "ref", TEXT, marks.ref, 1, REF_BYTES_MAX),
    ROW("PARENT", "parent", U64, marks.parent, 1, INT64_MAX),
    ROW("SINCE", "since", PAST, marks.since_ns, 0, 0),
    ROW("UNTIL", "until", PAST, marks.until_ns, 0, 0),
    ROW("BEFORE", "before", U64, before_id, 0, UINT64_MAX),
    ROW("COUNT", "limit", U32, count, 1, 1000),
    ROW(NULL, "cursor", TEXT, cursor, 0, 40),
};
#undef TARGET

#define TARGET log_line
static const struct option line_rows[] = {
    ROW_WORDS("STREAM", "stream", stream, stream_words),
    ROW_WORDS("LEVEL", "level", level, level_words),
    ROW("AT", "at", TIME, at_ns, 0, 0),
    ROW(NULL, "text", TEXT, text, 0, LOG_CHUNK_BYTES_MAX),
};
#undef TARGET

#define TARGET logs_request
static const struct option logs_rows[] = {
    ROW("ATTEMPT", "attempt", U32, attempt, 0, ATTEMPT_MAX_MAX),
    ROW("AFTER", "after", U64, after, 0, UINT64_MAX),
    ROW("COUNT", "limit", U32, count, 1, 1000000),
    ROW("WAIT", "wait", SPAN, wait_ns, 0, RESULT_WAIT_MAX_NS),
};
#undef TARGET

#define TARGET search_request
static const struct option search_rows[] = {
    ROW("TEXT", "search", TEXT, text, 0, SEARCH_TEXT_BYTES_MAX),
    ROW("QUEUE", "queue", NAME, queue, 0, 0),
    ROW("KIND", "kind", NAME, kind, 0, 0),
    ROW("STATE", "state", STATES, states, 0, 0),
    ROW_WORDS("LEVEL", "level", level, level_words),
    ROW("SINCE", "since", PAST, since_ns, 0, 0),
    ROW("UNTIL", "until", PAST, until_ns, 0, 0),
    ROW("BEFORE", "cursor", TEXT, before, 0, SEARCH_CURSOR_BYTES_MAX),
    ROW("COUNT", "limit", U32, count, 1, SEARCH_FOUND_MAX),
};
#undef TARGET

#define TARGET statistics_request
static const struct option statistics_rows[] = {
    ROW("QUEUE", NULL, NAME, queue, 0, 0),
    ROW("KIND", NULL, NAME, kind, 0, 0),
    ROW("ALL", NULL, FLAG, all, 0, 0),
    ROW("SERIES", "series", FLAG, series, 0, 0),
    ROW("SINCE", "since", PAST, since_ns, 0, 0),
};
#undef TARGET

#define TARGET queue_request
static const struct option queue_rows[] = {
    {"ORDER", "order", OPTION_WORD, offsetof(struct TARGET, set.order),
     offsetof(struct TARGET, set.has_order), 0, 0, order_words},
    ROW_HAS("TIER", "tier", U32, set.tier, set.has_tier, QUEUE_TIER_MAX),
    ROW_HAS("CONCURRENCY", "concurrency", U32, set.concurrency, set.has_concurrency,
            QUEUE_CONCURRENCY_MAX),
    ROW_HAS("LENGTH", "length", U32, set.length, set.has_length, QUEUE_LENGTH_MAX),
    {"ONFULL", "on_full", OPTION_WORD, offsetof(struct TARGET, set.on_full),
     offsetof(struct TARGET, set.has_on_full), 0, 0, full_words},
    {"WEIGHT", "weight", OPTION_U32, offsetof(struct TARGET, set.weight),
     offsetof(struct TARGET, set.has_weight), 1, QUEUE_WEIGHT_MAX, NULL},
    ROW_HAS("AGING", "aging", SPAN, set.aging_ns, set.has_aging, AGING_MAX_NS),
    ROW("RATE", "rate", RATE, set.rate, 0, 0),
    ROW_HAS("BURST", "burst", U32, set.rate.burst, set.rate.has_burst, RATE_COUNT_MAX),
    ROW_HAS("GROUPCONCURRENCY", "group_concurrency", U32, set.group_concurrency,
            set.has_group_concurrency, VALVE_CONCURRENCY_MAX),
    ROW("GROUPRATE", "group_rate", RATE, set.group_rate, 0, 0),
    ROW_HAS("GROUPBURST", "group_burst", U32, set.group_rate.burst, set.group_rate.has_burst,
            RATE_COUNT_MAX),
    {"GROUPORDER", "group_order", OPTION_WORD, offsetof(struct TARGET, set.group_order),
     offsetof(struct TARGET, set.has_group_order), 0, 0, group_order_words},
    ROW_HAS("KEEP", "keep_completed", SPAN, set.keep_completed_ns, has_keep_completed_ns,
            DELAY_MAX_NS),
    ROW_HAS(NULL, "keep_completed_ms", SPAN, set.keep_completed_ns, has_keep_completed_ns,
            DELAY_MAX_NS),
    ROW_HAS(NULL, "keep_completed_count", U32, set.keep_completed_count, has_keep_completed_count,
            UINT32_MAX),
    ROW_HAS("KEEPFAILED", "keep_failed", SPAN, set.keep_failed_ns, has_keep_failed_ns,
            DELAY_MAX_NS),
    ROW_HAS(NULL, "keep_failed_ms", SPAN, set.keep_failed_ns, has_keep_failed_ns, DELAY_MAX_NS),
    ROW_HAS(NULL, "keep_failed_count", U32, set.keep_failed_count, has_keep_failed_count,
            UINT32_MAX),
};
#undef TARGET
/* clang-format on */

const char *unique_scope_word(enum unique_scope scope) {
    hob_assert(scope < UNIQUE_SCOPE_COUNT);
    return scope_words[scope];
}

const char *group_order_word(enum group_order order) {
    hob_assert(order < GROUP_ORDER_COUNT);
    return group_order_words[order];
}

void rate_put(struct buf *to, const struct rate *rate) {
    (void)buf_put_u64(to, rate->count);
    (void)buf_put_char(to, '/');
    (void)text_put_duration(to, rate->period_ns);
}

void queue_request_end(struct queue_request *request, const struct queue_view *now) {
    struct queue_set_command *set = &request->set;
    set->has_keep_completed = request->has_keep_completed_ns || request->has_keep_completed_count;
    if (!request->has_keep_completed_ns) set->keep_completed_ns = now->keep_completed_ns;
    if (!request->has_keep_completed_count) set->keep_completed_count = now->keep_completed_count;
    set->has_keep_failed = request->has_keep_failed_ns || request->has_keep_failed_count;
    if (!request->has_keep_failed_ns) set->keep_failed_ns = now->keep_failed_ns;
    if (!request->has_keep_failed_count) set->keep_failed_count = now->keep_failed_count;
}

const char *on_full_word(enum on_full on_full) {
    hob_assert(on_full < ON_FULL_COUNT);
    return full_words[on_full];
}

const struct option_set push_options = SET(push_rows);
const struct option_set update_options = SET(update_rows);
const struct option_set fetch_options = SET(fetch_rows);
const struct option_set fail_options = SET(fail_rows);
const struct option_set control_options = SET(control_rows);
const struct option_set pause_options = SET(pause_rows);
const struct option_set list_options = SET(list_rows);
const struct option_set line_options = SET(line_rows);
const struct option_set logs_options = SET(logs_rows);
const struct option_set search_options = SET(search_rows);
const struct option_set queue_options = SET(queue_rows);
const struct option_set limiter_options = SET(limiter_rows);
const struct option_set group_options = SET(group_rows);
const struct option_set valve_options = SET(valve_rows);
const struct option_set valves_options = SET(valves_rows);
const struct option_set statistics_options = SET(statistics_rows);
