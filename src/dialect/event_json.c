/* SPDX-License-Identifier: Apache-2.0 */
/* Members stand in the order in which one reads: what, which job, what became of it, when, why. */
#include "dialect/event_json.h"

#include "base/json_put.h"
#include "engine/logline.h"

static void put_span(struct json_put *put, const char *key, hob_ns span) {
    if (span == 0) return;
    json_put_key(put, key);
    json_put_u64(put, span / NS_PER_MS);
}

static void put_at(struct json_put *put, hob_ns at_ns) {
    json_member_time(put, "at", at_ns / NS_PER_MS * NS_PER_MS);
}

static void put_error(struct json_put *put, const struct event *event) {
    json_put_key(put, "error");
    json_put_object(put);
    json_put_key(put, "cause");
    json_put_str(put, error_cause_word(event->cause));
    if (event->code != 0) {
        json_put_key(put, "code");
        json_put_i64(put, event->code);
    }
    json_member_text(put, "what", event->what);
    json_member_text(put, "text", event->text);
    json_put_object_end(put);
}

static void put_job(struct json_put *put, const struct event *event) {
    json_put_key(put, "id");
    json_put_id(put, event->id);
    json_put_key(put, "queue");
    json_put_text(put, event->queue);
    json_put_key(put, "kind");
    json_put_text(put, event->kind);
    if (event->type == EVENT_STATE && !event->is_new) {
        json_put_key(put, "from");
        json_put_str(put, job_state_word(event->from));
    }
    json_put_key(put, "state");
    json_put_str(put, job_state_word(event->state));
    json_put_key(put, "attempt");
    json_put_u64(put, event->attempt);
}

static void put_lines(struct json_put *put, struct slice entries) {
    struct log_line line;
    bool bad = false;
    json_put_key(put, "lines");
    json_put_array(put);
    while (log_line_next(&entries, &line, &bad)) {
        json_put_object(put);
        put_at(put, line.at_ns);
        json_put_key(put, "stream");
        json_put_str(put, log_stream_word(line.stream));
        json_put_key(put, "level");
        json_put_str(put, log_level_word(line.level));
        json_put_key(put, "text");
        json_put_text(put, line.text);
        json_put_object_end(put);
    }
    json_put_array_end(put);
}

static void put_event(struct buf *out, const struct event *event, bool with_lines) {
    struct json_put put = json_put_to(out);
    json_put_object(&put);
    json_put_key(&put, "type");
    json_put_str(&put, event_word(event->type));
    if (event->id != 0) {
        put_job(&put, event);
    } else {
        json_member_text(&put, "queue", event->queue);
    }
    put_at(&put, event->at_ns);
    json_member_text(&put, "worker", event->worker);
    if (event->type == EVENT_STATE) {
        put_span(&put, "waited_ms", event->waited_ns);
        put_span(&put, "ran_ms", event->ran_ns);
        if (event->has_error) put_error(&put, event);
    }
    if (event->type == EVENT_PROGRESS) {
        json_put_key(&put, "percent");
        json_put_u64(&put, event->percent);
        json_member_text(&put, "text", event->text);
    }
    if (event->type == EVENT_QUEUE) {
        json_put_key(&put, "paused");
        json_put_bool(&put, event->paused);
    }
    if (event->type == EVENT_LOGGED && with_lines) put_lines(&put, event->lines);
    json_member_text(&put, "by", event->by);
    json_member_text(&put, "why", event->why);
    json_put_object_end(&put);
}

void event_json_put(struct buf *out, const struct event *event) {
    put_event(out, event, false);
}

void event_json_put_lines(struct buf *out, const struct event *event) {
    put_event(out, event, true);
}
