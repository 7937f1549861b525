/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of lines (application/x-ndjson): one JSON object a line, each served for itself and
 * answered by a line of its own, in order. Blank lines are skipped. */
#include "dialect/http/core.h"
#include "dialect/sentence.h"

void http_put_refused(struct json_put *put, const char *code, struct slice detail) {
    json_put_object(put);
    json_put_key(put, "code");
    json_put_str(put, code);
    json_put_key(put, "detail");
    json_put_text(put, detail);
    json_put_object_end(put);
}

void http_put_refusal(
    struct http_session *session, struct json_put *put, uint64_t id, const struct answer *answer
) {
    struct buf *complaint = &session->base.host->complaint;
    sentence_of_answer(complaint, answer);
    json_put_object(put);
    if (id != 0) {
        json_put_key(put, "id");
        json_put_id(put, id);
    }
    json_put_key(put, "code");
    json_put_str(put, answer_word(answer->code));
    json_put_key(put, "detail");
    json_put_text(put, buf_slice(complaint));
    json_put_object_end(put);
}

bool http_line_parse(
    struct http_session *session, struct slice line, struct json_value *ret_object
) {
    struct json_error error = {0};
    bool good = json_parse(line, ret_object, &error);
    if (good && ret_object->type == JSON_IS_OBJECT) return true;
    struct buf *complaint = &session->base.host->complaint;
    buf_reset(complaint);
    (void)buf_put_str(complaint, "the line is no JSON object");
    if (!good) {
        (void)buf_put_str(complaint, ": ");
        (void)buf_put_str(complaint, error.text);
        (void)buf_put_str(complaint, " at byte ");
        (void)buf_put_u64(complaint, error.offset);
    }
    return false;
}

static bool is_blank(struct slice line) {
    for (size_t i = 0; i < line.size; i++) {
        if (line.bytes[i] != ' ' && line.bytes[i] != '\t' && line.bytes[i] != '\r') return false;
    }
    return true;
}

bool http_line_next(struct slice *rest, struct slice *ret_line) {
    while (rest->size > 0) {
        const char *end = memchr(rest->bytes, '\n', rest->size);
        size_t size = end == NULL ? rest->size : (size_t)(end - rest->bytes);
        *ret_line = slice_of(rest->bytes, size);
        size_t step = end == NULL ? size : size + 1;
        *rest = slice_of(rest->bytes + step, rest->size - step);
        if (!is_blank(*ret_line)) return true;
    }
    return false;
}

void http_lines(struct http_session *session, const struct call *call, http_line *serve) {
    struct host *host = session->base.host;
    struct slice rest = call->request->body;
    struct slice line;
    (void)http_json(session);
    while (http_line_next(&rest, &line)) {
        buf_reset(&host->scratch);
        struct json_put put = json_put_to(&host->reply);
        struct json_value object;
        if (http_line_parse(session, line, &object)) {
            serve(session, object, &put);
        } else {
            http_put_refused(&put, "BADARG", buf_slice(&host->complaint));
        }
        (void)buf_put_char(&host->reply, '\n');
    }
    http_reply(session, 200, "application/x-ndjson");
}
