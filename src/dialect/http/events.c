/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events (the HTML standard, section 9.2): GET /v1/events tells what happens to jobs
 * and queues, GET /v1/jobs/ID/events what happens to one job until it is final.
 *
 *     id: EPOCH-NUMBER             of this process and of the event
 *     event: state                 the type, or job, gap, dropped, end
 *     data: {…}
 *
 * The response has no end of its own: while it goes on its connection serves nothing else. A reader
 * who comes back with Last-Event-ID gets what it missed from the ring of recent events, or an event
 * `gap` when that is no longer known. */
#include "base/assert.h"
#include "base/text.h"
#include "dialect/event_json.h"
#include "dialect/http/stream.h"

enum {
    STREAMS_MAX = 1000,
    LAST_ID_BYTES_MAX = 64,
    /* Told without being asked for: lines of logs are many. */
    TYPES_DEFAULT = (1u << EVENT_TYPE_COUNT) - 1 - (1u << EVENT_LOGGED),
    TYPES_ALL = (1u << EVENT_TYPE_COUNT) - 1,
};

struct events_request {
    struct slice queue;
    struct slice kind;
    uint32_t states;
    uint64_t job;
    struct slice tag;
    struct slice types;
    struct slice last_id;
};

static const struct option events_rows[] = {
    {NULL, "queue", OPTION_NAME, offsetof(struct events_request, queue), OPTION_NO_HAS, 0, 0, NULL},
    {NULL, "kind", OPTION_NAME, offsetof(struct events_request, kind), OPTION_NO_HAS, 0, 0, NULL},
    {NULL,
     "state",
     OPTION_STATES,
     offsetof(struct events_request, states),
     OPTION_NO_HAS,
     0,
     0,
     NULL},
    {NULL,
     "job",
     OPTION_U64,
     offsetof(struct events_request, job),
     OPTION_NO_HAS,
     1,
     UINT64_MAX,
     NULL},
    {NULL, "tag", OPTION_NAME, offsetof(struct events_request, tag), OPTION_NO_HAS, 0, 0, NULL},
    {NULL,
     "type",
     OPTION_TEXT,
     offsetof(struct events_request, types),
     OPTION_NO_HAS,
     1,
     100,
     NULL},
    {NULL,
     "last_event_id",
     OPTION_TEXT,
     offsetof(struct events_request, last_id),
     OPTION_NO_HAS,
     1,
     LAST_ID_BYTES_MAX,
     NULL},
};
/* The stream of one job has but the last of them. */
const struct option_set http_events_options = {events_rows, hob_countof(events_rows)};
const struct option_set http_job_events_options = {&events_rows[hob_countof(events_rows) - 1], 1};

/* --- the beginning --- */

static bool take_types(struct http_session *session, struct slice given, uint32_t *ret_types) {
    uint32_t types = 0;
    if (given.size == 0) return true;
    const char *end = given.bytes + given.size;
    for (const char *word = given.bytes; word < end;) {
        const char *comma = memchr(word, ',', (size_t)(end - word));
        size_t size = (size_t)((comma == NULL ? end : comma) - word);
        enum event_type type;
        if (!event_parse(slice_of(word, size), &type)) {
            return complain(
                &session->base.host->complaint,
                "type",
                slice_of(word, size),
                "one of state log progress deleted queue, or several with commas between"
            );
        }
        types |= 1u << type;
        word += size + 1;
    }
    if (types != 0) *ret_types = types;
    return true;
}

static void begin_head(struct http_session *session) {
    struct buf *out = session->base.out;
    http_head(session, 200);
    (void)http_put_header(out, "Content-Type", SLICE("text/event-stream"));
    (void)http_put_header(out, "Cache-Control", SLICE("no-store"));
    (void)http_put_header(out, "X-Accel-Buffering", SLICE("no")); /* nginx would hold it back */
    if (session->is_head) {
        http_put_no_body(out);
        session->is_answered = true;
    } else {
        http_put_stream(out, session->minor);
        http_put_chunk(out, session->minor, SLICE("retry: 2000\n\n"));
    }
}

/* Memory for a stream, and the ring; false when the response is a problem, or a head alone. */
static bool begin(struct http_session *session, const struct http_stream *asked) {
    struct host *host = session->base.host;
    if (host->streams >= STREAMS_MAX) {
        struct answer limit = {.code = ANSWER_LIMIT, .detail = "event streams: 1000 at most"};
        http_answer_problem(session, &limit);
        return false;
    }
    if (session->minor == 0) session->keep_alive = false;
    begin_head(session);
    if (session->is_head) return false;
    session->stream = mem_alloc(host->mem, sizeof *session->stream);
    *session->stream = *asked;
    host_stream_began(host);
    return true;
}

/* "EPOCH-NUMBER" as this server wrote it. */
static bool parse_last(struct slice given, uint64_t *ret_epoch, uint64_t *ret_number) {
    uint64_t epoch = 0;
    size_t at = 0;
    for (; at < given.size && at < 16 && given.bytes[at] != '-'; at++) {
        char c = given.bytes[at];
        bool digit = c >= '0' && c <= '9';
        if (!digit && !(c >= 'a' && c <= 'f')) return false;
        epoch = epoch << 4 | (uint64_t)(digit ? c - '0' : c - 'a' + 10);
    }
    if (at == 0 || at >= given.size || given.bytes[at] != '-') return false;
    *ret_epoch = epoch;
    struct slice rest = slice_of(given.bytes + at + 1, given.size - at - 1);
    return text_u64(rest, 0, UINT64_MAX, ret_number);
}

/* Where to go on for a reader who has seen @last; 0: what came behind it is not known. */
static uint64_t resume_at(const struct host *host, struct slice last) {
    uint64_t epoch = 0;
    uint64_t number = 0;
    if (!parse_last(last, &epoch, &number) || epoch != host->epoch) return 0;
    if (number > host->ring.number || number + 1 < host->ring.first) return 0;
    return number + 1;
}

/* Tell what was missed, or that it is not known. True when the stream has ended by it. */
static bool resume(struct http_session *session, struct slice last) {
    const struct host *host = session->base.host;
    uint64_t at = resume_at(host, last);
    if (at == 0) {
        stream_write_word(
            session, "gap", "reason", SLICE("events were missed that are no longer known")
        );
        return false;
    }
    for (; at <= host->ring.number; at++) {
        struct ring_event event;
        if (ring_at(&host->ring, at, &event) && stream_tell(session, &event)) return true;
    }
    return false;
}

static void go_on(struct http_session *session) {
    session->stream->backlog_max = session->base.out->size + STREAM_BACKLOG_BYTES_MAX;
    session_subscribe(&session->base, true);
}

static struct slice last_of(const struct call *call, struct slice parameter) {
    (void)http_header(call->request, SLICE("Last-Event-ID"), &parameter);
    return parameter;
}

static uint32_t keep_name(char to[NAME_BYTES_MAX], struct slice name) {
    hob_assert(name.size <= NAME_BYTES_MAX);
    if (name.size > 0) memcpy(to, name.bytes, name.size);
    return (uint32_t)name.size;
}

void http_events(struct http_session *session, const struct call *call) {
    struct events_request request = {.job = 0};
    struct http_stream stream = {.types = TYPES_DEFAULT};
    if (!http_query(session, call, &request) ||
        !take_types(session, request.types, &stream.types)) {
        http_refuse(session);
        return;
    }
    stream.states = request.states;
    stream.job = request.job;
    stream.queue_size = keep_name(stream.queue, request.queue);
    stream.kind_size = keep_name(stream.kind, request.kind);
    stream.tag_size = keep_name(stream.tag, request.tag);
    if (request.queue.size > 0 && !session_sees(&session->base, request.queue)) {
        struct answer denied = session_denied_queue(&session->base);
        http_answer_problem(session, &denied);
        return;
    }
    if (!begin(session, &stream)) return;
    struct slice last = last_of(call, request.last_id);
    if (last.size > 0) (void)resume(session, last);
    if (session->stream != NULL) go_on(session);
}

/* --- of one job --- */

static void write_job(struct http_session *session, const struct job_view *job) {
    struct json_put put = http_json(session);
    bool good = http_put_job(session, &put, job, JOB_SHORT);
    hob_assert(good); /* it has no bodies */
    stream_write(
        session, session->base.host->ring.number, "job", buf_slice(&session->base.host->reply)
    );
}

/* The lines so far, as many as a reply may hold: attempts are many, and what ran into the end of
 * the output would leave a response that is broken. A chunk that cannot be read is left out, since
 * the stream has begun. */
static void write_log(struct http_session *session, const struct job_view *job) {
    struct host *host = session->base.host;
    for (uint32_t i = 0; i < job->log_count; i++) {
        struct hob_error err = {0};
        if (session->stream->written > REPLY_BYTES_MAX) {
            struct slice why = SLICE("the log is larger than a reply: read it in parts");
            stream_write_word(session, "gap", "reason", why);
            return;
        }
        buf_reset(&host->scratch);
        buf_reset(&host->reply);
        if (host->ops->body(host->context, job->logs[i].id, &host->scratch, &err) != HOB_OK) {
            continue;
        }
        struct event event = {
            .type = EVENT_LOGGED,
            .id = job->id,
            .queue = job->queue,
            .kind = job->kind,
            .state = job->state,
            .attempt = job->logs[i].attempt,
            .at_ns = host->now_ns,
            .lines = buf_slice(&host->scratch),
        };
        event_json_put_lines(&host->reply, &event);
        stream_write(session, host->ring.number, "log", buf_slice(&host->reply));
    }
}

void http_job_events(struct http_session *session, const struct call *call) {
    uint64_t id = 0;
    struct events_request request = {.job = 0};
    if (!http_id(session, call, &id) || !http_query(session, call, &request)) {
        http_refuse(session);
        return;
    }
    struct job_view job;
    if (!session_job(&session->base, id, &job)) {
        http_no_job(session);
        return;
    }
    struct host *host = session->base.host;
    struct slice last = last_of(call, request.last_id);
    bool knows = last.size > 0 && resume_at(host, last) != 0;
    if (knows && job_state_is_final(job.state) && resume_at(host, last) > host->ring.number) {
        http_reply_empty(session, 204); /* by which a browser knows not to come back */
        return;
    }
    struct http_stream stream = {.types = TYPES_ALL, .job = id, .ends = true};
    if (!begin(session, &stream)) return;
    if (last.size > 0 && resume(session, last)) return;
    if (!knows) {
        write_job(session, &job);
        write_log(session, &job);
    }
    if (job_state_is_final(job.state)) {
        stream_write_word(session, "end", "state", slice_str(job_state_word(job.state)));
        stream_end(session);
    } else {
        go_on(session);
    }
}
