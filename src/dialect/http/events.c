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
 * `gap` when that is no longer known. Readers are not waited for: one whose output piles up gets a
 * last event `dropped`, and comes back by itself.
 *
 * Events come from inside the commands of other sessions, whose replies may lie half-written in the
 * host's rooms: nothing here uses these once the stream has begun. */
#include "base/assert.h"
#include "base/text.h"
#include "dialect/event_json.h"
#include "dialect/http/core.h"
#include "engine/labels.h"

enum {
    STREAMS_MAX = 1000,
    STREAM_BACKLOG_BYTES_MAX = 256 * 1024,
    STREAM_TEXT_BYTES_MAX = 2 * RING_TEXT_BYTES_MAX,
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

struct http_stream {
    uint32_t types; /* bits 1u << enum event_type */
    uint32_t states;
    uint64_t job;       /* 0: any */
    bool ends;          /* with the job */
    size_t backlog_max; /* bytes that have not left */
    uint64_t quiet_at;  /* bytes written by the last beat, to know that nothing was since */
    uint64_t written;
    uint32_t queue_size;
    uint32_t kind_size;
    uint32_t tag_size;
    char queue[NAME_BYTES_MAX];
    char kind[NAME_BYTES_MAX];
    char tag[NAME_BYTES_MAX];
};

/* --- writing --- */

static void put_number(struct http_session *session, struct buf *text, uint64_t number) {
    (void)buf_printf(
        text,
        "id: %llx-%llu\n",
        (unsigned long long)session->base.host->epoch,
        (unsigned long long)number
    );
}

/* One event; @number 0: it has none, and Last-Event-ID stays what it was. */
static void
write_event(struct http_session *session, uint64_t number, const char *word, struct slice data) {
    HOB_AUTO_BUF struct buf text = buf_make(STREAM_TEXT_BYTES_MAX);
    if (number != 0) put_number(session, &text, number);
    (void)buf_put_str(&text, "event: ");
    (void)buf_put_str(&text, word);
    (void)buf_put_str(&text, "\ndata: ");
    (void)buf_put_slice(&text, data);
    (void)buf_put_str(&text, "\n\n");
    session->stream->written += text.size;
    http_put_chunk(session->base.out, session->minor, buf_slice(&text));
}

static void
write_word(struct http_session *session, const char *word, const char *key, struct slice value) {
    HOB_AUTO_BUF struct buf text = buf_make(1024);
    struct json_put put = json_put_to(&text);
    json_put_object(&put);
    json_put_key(&put, key);
    json_put_text(&put, value);
    json_put_object_end(&put);
    write_event(session, session->base.host->ring.number, word, buf_slice(&text));
}

static void stream_free(struct http_session *session) {
    struct host *host = session->base.host;
    session_subscribe(&session->base, false);
    mem_free(host->mem, session->stream, sizeof *session->stream);
    session->stream = NULL;
    host_stream_ended(host);
}

/* The response is whole now: the next request may come. */
static void stream_end(struct http_session *session) {
    http_put_stream_end(session->base.out, session->minor);
    stream_free(session);
    session->is_answered = true;
    session->base.resumes = true;
    http_end(session);
}

static void drop(struct http_session *session) {
    session->base.host->streams_dropped++;
    session->keep_alive = false;
    write_word(
        session, "dropped", "reason", SLICE("this reader takes its events too slowly: come back")
    );
    stream_end(session);
}

static bool is_behind(const struct http_session *session) {
    return session->base.out->size > session->stream->backlog_max ||
           session->base.events_missed > 0;
}

/* --- live --- */

/* Tags are no part of an event: a job that is gone has none. */
static bool has_tag(struct http_session *session, uint64_t id) {
    const struct http_stream *stream = session->stream;
    struct job_view job;
    if (stream->tag_size == 0) return true;
    if (id == 0 || !session_job(&session->base, id, &job)) return false;
    return tags_have(job.tags, slice_of(stream->tag, stream->tag_size));
}

static bool wants(struct http_session *session, const struct ring_event *event) {
    const struct http_stream *stream = session->stream;
    if ((stream->types & 1u << event->type) == 0) return false;
    if (stream->job != 0 && stream->job != event->id) return false;
    if (stream->states != 0 && (stream->states & 1u << event->state) == 0) return false;
    struct slice queue = slice_of(stream->queue, stream->queue_size);
    struct slice kind = slice_of(stream->kind, stream->kind_size);
    if (queue.size != 0 && !slice_equal(queue, event->queue)) return false;
    if (kind.size != 0 && !slice_equal(kind, event->kind)) return false;
    return session_sees(&session->base, event->queue) && has_tag(session, event->id);
}

/* True when the stream has ended by it. */
static bool tell(struct http_session *session, const struct ring_event *event) {
    if (!wants(session, event)) return false;
    write_event(session, event->number, event_word(event->type), event->text);
    bool is_last = event->type == EVENT_DELETED ||
                   (event->type == EVENT_STATE && job_state_is_final(event->state));
    if (!session->stream->ends || !is_last) return false;
    write_word(session, "end", "state", slice_str(job_state_word(event->state)));
    stream_end(session);
    return true;
}

void http_event(struct session *base, const struct event *event) {
    struct http_session *session = (struct http_session *)base;
    if (session->stream == NULL) {
        http_logs_event(session, event);
        return;
    }
    /* The ring has it, as text. */
    struct ring_event latest;
    bool is_kept = ring_at(&base->host->ring, base->host->ring.number, &latest);
    hob_assert(is_kept);
    if (is_behind(session)) {
        drop(session);
    } else {
        (void)tell(session, &latest);
    }
}

/* A comment now and then: so that the connection is not thought dead, and is noticed when it is. */
void http_beat(struct session *base) {
    struct http_session *session = (struct http_session *)base;
    struct http_stream *stream = session->stream;
    if (stream == NULL) return;
    if (is_behind(session)) {
        drop(session);
    } else if (stream->written == stream->quiet_at) {
        http_put_chunk(base->out, session->minor, SLICE(":\n\n"));
    }
    if (session->stream != NULL) stream->quiet_at = stream->written;
}

void http_stream_finish(struct http_session *session) {
    session->keep_alive = false;
    write_word(session, "end", "reason", SLICE("the server stops"));
    stream_end(session);
}

void http_stream_close(struct http_session *session) {
    if (session->stream != NULL) stream_free(session);
}

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
        write_word(session, "gap", "reason", SLICE("events were missed that are no longer known"));
        return false;
    }
    for (; at <= host->ring.number; at++) {
        struct ring_event event;
        if (ring_at(&host->ring, at, &event) && tell(session, &event)) return true;
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
    write_event(
        session, session->base.host->ring.number, "job", buf_slice(&session->base.host->reply)
    );
}

/* The lines so far; a chunk that cannot be read is left out, since the stream has begun. */
static void write_log(struct http_session *session, const struct job_view *job) {
    struct host *host = session->base.host;
    for (uint32_t i = 0; i < job->log_count; i++) {
        struct hob_error err = {0};
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
        write_event(session, host->ring.number, "log", buf_slice(&host->reply));
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
        write_word(session, "end", "state", slice_str(job_state_word(job.state)));
        stream_end(session);
    } else {
        go_on(session);
    }
}
