/* SPDX-License-Identifier: Apache-2.0 */
/* What the holder of a lease says of its job. Each body has the token, and members of its own. */
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
static const struct option_set lease_set = {lease_rows, hob_countof(lease_rows)};
static const struct option_set delay_set = {delay_rows, hob_countof(delay_rows)};
static const struct option_set progress_set = {progress_rows, hob_countof(progress_rows)};
static const struct option_set no_set = {NULL, 0};

static bool take_token(struct http_session *session, struct json_value value, uint64_t *ret_token) {
    struct buf *complaint = &session->base.host->complaint;
    struct slice text = value.raw;
    if (value.type == JSON_IS_STRING && !json_text(value, &session->base.host->scratch, &text)) {
        return false;
    }
    return option_id("token", text, ret_token, complaint);
}

/* What one of these requests is read into. */
struct held {
    struct lease_ref lease;
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

/* id from the path, token and the rest from the body. */
static bool take(
    struct http_session *session,
    const struct call *call,
    struct option_set set,
    void *target,
    struct held *held
) {
    if (!http_id(session, call, &held->lease.id)) return false;
    bool may_have_lines = held->has_lines;
    held->has_lines = false;
    struct json_walk walk = json_walk(call->json);
    struct slice key;
    struct json_value value;
    while (json_next_member(&walk, &key, &value)) {
        bool good = false;
        if (json_key_is(key, SLICE("token"))) {
            good = take_token(session, value, &held->lease.token);
        } else if (may_have_lines && json_key_is(key, SLICE("lines"))) {
            held->lines = value;
            held->has_lines = true;
            good = true;
        } else if (!take_bytes(session, held, key, value, &good)) {
            good = http_member(session, set, key, value, target);
        }
        if (!good) return false;
    }
    return held->lease.token != 0 || http_missing(session, "token");
}

void http_ack(struct http_session *session, const struct call *call) {
    struct held held = {.bytes_name = "result"};
    if (!take(session, call, no_set, NULL, &held)) {
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
    if (!take(session, call, fail_options, &command.fail, &held)) {
        http_refuse(session);
        return;
    }
    command.fail.lease = held.lease;
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    http_reply_state(session, &answer);
}

void http_release(struct http_session *session, const struct call *call) {
    struct held held = {.bytes_name = NULL};
    struct members members = {0};
    if (!take(session, call, delay_set, &members, &held)) {
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
    if (!take(session, call, lease_set, &members, &held)) {
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
    if (!take(session, call, no_set, NULL, &held)) {
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
    if (!take(session, call, progress_set, &members, &held)) {
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
    if (!take(session, call, no_set, NULL, &held) ||
        !(held.has_lines || http_missing(session, "lines")) || !check_lines(session, held.lines)) {
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
