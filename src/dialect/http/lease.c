/* SPDX-License-Identifier: Apache-2.0 */
/* What the holder of a lease says of its job. Each body has the token, and members of its own. ACK
 * and FAIL also take many jobs, one a line, each with its id. */
#include "base/assert.h"
#include "base/text.h"
#include "dialect/http/core.h"
#include "dialect/logging.h"

/* All members that these requests have beside token, bytes, lines, and what FAIL has. */
struct members {
    hob_ns lease_ns;
    hob_ns delay_ns;
    uint32_t percent;
    struct slice text;
};

static const struct option lease_rows[] = {
    {NULL,
     "lease",
     OPTION_SPAN,
     offsetof(struct members, lease_ns),
     OPTION_NO_HAS,
     LEASE_MIN_NS,
     LEASE_MAX_NS,
     NULL},
};
static const struct option delay_rows[] = {
    {NULL,
     "delay",
     OPTION_SPAN,
     offsetof(struct members, delay_ns),
     OPTION_NO_HAS,
     0,
     DELAY_MAX_NS,
     NULL},
};
static const struct option progress_rows[] = {
    {NULL, "percent", OPTION_U32, offsetof(struct members, percent), OPTION_NO_HAS, 0, 100, NULL},
    {NULL,
     "text",
     OPTION_TEXT,
     offsetof(struct members, text),
     OPTION_NO_HAS,
     0,
     PROGRESS_TEXT_BYTES_MAX,
     NULL},
};
const struct option_set http_extend_options = {lease_rows, hob_countof(lease_rows)};
const struct option_set http_release_options = {delay_rows, hob_countof(delay_rows)};
const struct option_set http_progress_options = {progress_rows, hob_countof(progress_rows)};

/* What one of these requests is read into. */
struct held {
    struct lease_ref lease;
    bool has_id;            /* the id is a member too: the path has none */
    const char *bytes_name; /* the member with bytes; NULL: none */
    struct slice bytes;
    struct json_value lines;
    bool has_lines; /* in: is the member `lines` allowed? out: was it there? */
};

static bool take_bytes(
    struct http_session *session,
    struct held *held,
    struct slice key,
    struct json_value value,
    bool *ret_good
) {
    if (held->bytes_name == NULL) return false;
    return http_bytes(session, held->bytes_name, key, value, &held->bytes, ret_good);
}

/* The token and what belongs to it; the options as the shape of the route says. */
static bool take_object(
    struct http_session *session, struct json_value object, void *target, struct held *held
) {
    const struct option_set *set = http_shape_of(session->route)->members;
    struct option_set options = set == NULL ? (struct option_set){NULL, 0} : *set;
    bool may_have_lines = held->has_lines;
    held->has_lines = false;
    struct json_walk walk = json_walk(object);
    struct slice key;
    struct json_value value;
    while (json_next_member(&walk, &key, &value)) {
        bool good = false;
        if (json_key_is(key, SLICE("token"))) {
            good = http_id_member(session, "token", value, &held->lease.token);
        } else if (held->has_id && json_key_is(key, SLICE("id"))) {
            good = http_id_member(session, "id", value, &held->lease.id);
        } else if (may_have_lines && json_key_is(key, SLICE("lines"))) {
            held->lines = value;
            held->has_lines = true;
            good = true;
        } else if (!take_bytes(session, held, key, value, &good)) {
            good = http_member(session, options, key, value, target);
        }
        if (!good) return false;
    }
    if (held->lease.id == 0) return http_missing(session, "id");
    return held->lease.token != 0 || http_missing(session, "token");
}

/* The same with the id from the path. */
static bool
take(struct http_session *session, const struct call *call, void *target, struct held *held) {
    if (!http_id(session, call, &held->lease.id)) return false;
    return take_object(session, call->json, target, held);
}

void http_ack(struct http_session *session, const struct call *call) {
    struct held held = {.bytes_name = "result"};
    if (!take(session, call, NULL, &held)) {
        http_refuse(session);
        return;
    }
    struct command command = {
        .type = COMMAND_ACK,
        .ack = {.lease = held.lease, .result = held.bytes},
    };
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    if (answer.code == ANSWER_OK) answer.state = JOB_COMPLETED;
    http_reply_state(session, &answer);
}

void http_fail(struct http_session *session, const struct call *call) {
    struct held held = {.bytes_name = NULL};
    struct command command = {.type = COMMAND_FAIL};
    if (!take(session, call, &command.fail, &held)) {
        http_refuse(session);
        return;
    }
    command.fail.lease = held.lease;
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    http_reply_state(session, &answer);
}

/* --- many, one a line --- */

static void put_state(
    struct http_session *session, struct json_put *put, uint64_t id, const struct answer *answer
) {
    if (answer->code != ANSWER_OK) {
        http_put_refusal(session, put, id, answer);
        return;
    }
    json_put_object(put);
    json_put_key(put, "id");
    json_put_id(put, id);
    json_put_key(put, "state");
    json_put_str(put, job_state_word(answer->state));
    json_put_object_end(put);
}

static void ack_line(struct http_session *session, struct json_value object, struct json_put *put) {
    struct held held = {.has_id = true, .bytes_name = "result"};
    if (!take_object(session, object, NULL, &held)) {
        http_put_refused(put, "BADARG", buf_slice(&session->base.host->complaint));
        return;
    }
    struct command command = {
        .type = COMMAND_ACK,
        .ack = {.lease = held.lease, .result = held.bytes},
    };
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    if (answer.code == ANSWER_OK) answer.state = JOB_COMPLETED;
    put_state(session, put, held.lease.id, &answer);
}

static void
fail_line(struct http_session *session, struct json_value object, struct json_put *put) {
    struct held held = {.has_id = true};
    struct command command = {.type = COMMAND_FAIL};
    if (!take_object(session, object, &command.fail, &held)) {
        http_put_refused(put, "BADARG", buf_slice(&session->base.host->complaint));
        return;
    }
    command.fail.lease = held.lease;
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    put_state(session, put, held.lease.id, &answer);
}

void http_ack_many(struct http_session *session, const struct call *call) {
    http_lines(session, call, ack_line);
}

void http_fail_many(struct http_session *session, const struct call *call) {
    http_lines(session, call, fail_line);
}

void http_release(struct http_session *session, const struct call *call) {
    struct held held = {.bytes_name = NULL};
    struct members members = {0};
    if (!take(session, call, &members, &held)) {
        http_refuse(session);
        return;
    }
    struct command command = {
        .type = COMMAND_RELEASE,
        .release = {.lease = held.lease, .delay_ns = members.delay_ns},
    };
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    http_reply_state(session, &answer);
}

void http_extend(struct http_session *session, const struct call *call) {
    struct held held = {.bytes_name = NULL};
    struct members members = {0};
    if (!take(session, call, &members, &held)) {
        http_refuse(session);
        return;
    }
    struct command command = {
        .type = COMMAND_EXTEND,
        .extend = {.lease = held.lease, .lease_ns = members.lease_ns},
    };
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    if (answer.code != ANSWER_OK) {
        http_answer_problem(session, &answer);
        return;
    }
    struct json_put put = http_json(session);
    HOB_AUTO_BUF struct buf until = buf_make(64);
    (void)text_put_time(&until, answer.lease_until_ns / NS_PER_MS * NS_PER_MS);
    json_put_object(&put);
    json_put_key(&put, "lease_until");
    json_put_text(&put, buf_slice(&until));
    json_put_object_end(&put);
    http_reply_json(session, 200);
}

void http_checkpoint(struct http_session *session, const struct call *call) {
    struct held held = {.bytes_name = "checkpoint"};
    if (!take(session, call, NULL, &held)) {
        http_refuse(session);
        return;
    }
    struct command command = {
        .type = COMMAND_CHECKPOINT,
        .checkpoint = {.lease = held.lease, .bytes = held.bytes},
    };
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    http_reply_done(session, &answer);
}

void http_progress(struct http_session *session, const struct call *call) {
    struct held held = {.bytes_name = NULL};
    struct members members = {0};
    if (!take(session, call, &members, &held)) {
        http_refuse(session);
        return;
    }
    struct command command = {
        .type = COMMAND_PROGRESS,
        .progress = {.lease = held.lease, .percent = members.percent, .text = members.text},
    };
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    http_reply_done(session, &answer);
}

/* --- log --- */

/* A line is a string, or an object with `text`. */
static bool take_line(struct http_session *session, struct json_value item, struct log_line *line) {
    if (item.type == JSON_IS_STRING) {
        return json_text(item, &session->base.host->scratch, &line->text);
    }
    if (item.type == JSON_IS_OBJECT) return http_members(session, line_options, item, line);
    struct buf *complaint = &session->base.host->complaint;
    return complain(complaint, "lines", item.raw, "a string, or an object with text");
}

/* All lines are read before the first is applied: a request is valid or it is not. */
static bool check_lines(struct http_session *session, struct json_value lines) {
    struct json_walk walk = json_walk(lines);
    struct json_value item;
    while (json_next_item(&walk, &item)) {
        struct log_line line = {.stream = LOG_STDOUT};
        if (!take_line(session, item, &line)) return false;
    }
    if (lines.type == JSON_IS_ARRAY) return true;
    return complain(&session->base.host->complaint, "lines", lines.raw, "an array");
}

void http_log(struct http_session *session, const struct call *call) {
    struct held held = {.has_lines = true};
    if (!take(session, call, NULL, &held) || !(held.has_lines || http_missing(session, "lines")) ||
        !check_lines(session, held.lines)) {
        http_refuse(session);
        return;
    }
    struct logging logging = logging_begin(&session->base, held.lease);
    struct json_walk walk = json_walk(held.lines);
    struct json_value item;
    bool good = true;
    while (good && json_next_item(&walk, &item)) {
        struct log_line line = {.stream = LOG_STDOUT, .level = LOG_INFO};
        good = take_line(session, item, &line) && logging_add(&logging, &line);
    }
    logging_end(&logging);
    http_reply_done(session, &logging.answer);
}
