/* SPDX-License-Identifier: Apache-2.0 */
/* Event streams while they go on. Events come from inside the commands of other sessions, whose
 * replies may lie half-written in the host's rooms: nothing here uses these.
 *
 * Readers are not waited for: one whose output piles up gets a last event `dropped`, and comes back
 * by itself. */
#include "dialect/http/stream.h"

#include "base/assert.h"
#include "engine/labels.h"

static void put_number(struct http_session *session, struct buf *text, uint64_t number) {
    (void)buf_printf(
        text,
        "id: %llx-%llu\n",
        (unsigned long long)session->base.host->epoch,
        (unsigned long long)number
    );
}

/* One event; @number 0: it has none, and Last-Event-ID stays what it was. */
void stream_write(
    struct http_session *session, uint64_t number, const char *word, struct slice data
) {
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

void stream_write_word(
    struct http_session *session, const char *word, const char *key, struct slice value
) {
    HOB_AUTO_BUF struct buf text = buf_make(1024);
    struct json_put put = json_put_to(&text);
    json_put_object(&put);
    json_put_key(&put, key);
    json_put_text(&put, value);
    json_put_object_end(&put);
    stream_write(session, session->base.host->ring.number, word, buf_slice(&text));
}

static void stream_free(struct http_session *session) {
    struct host *host = session->base.host;
    session_subscribe(&session->base, false);
    mem_free(host->mem, session->stream, sizeof *session->stream);
    session->stream = NULL;
    host_stream_ended(host);
}

/* The response is whole now: the next request may come. */
void stream_end(struct http_session *session) {
    http_put_stream_end(session->base.out, session->minor);
    stream_free(session);
    session->is_answered = true;
    session->base.resumes = true;
    http_end(session);
}

static void drop(struct http_session *session) {
    session->base.host->streams_dropped++;
    session->keep_alive = false;
    stream_write_word(
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
bool stream_tell(struct http_session *session, const struct ring_event *event) {
    if (!wants(session, event)) return false;
    stream_write(session, event->number, event_word(event->type), event->text);
    bool is_last = event->type == EVENT_DELETED ||
                   (event->type == EVENT_STATE && job_state_is_final(event->state));
    if (!session->stream->ends || !is_last) return false;
    stream_write_word(session, "end", "state", slice_str(job_state_word(event->state)));
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
        (void)stream_tell(session, &latest);
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
    stream_write_word(session, "end", "reason", SLICE("the server stops"));
    stream_end(session);
}

void http_stream_close(struct http_session *session) {
    if (session->stream != NULL) stream_free(session);
}
