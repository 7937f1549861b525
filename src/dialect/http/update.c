/* SPDX-License-Identifier: Apache-2.0 */
/* PATCH /v1/jobs/ID: the members that are there are changed (RFC 7396, but for `null`, which counts
 * as absent as everywhere here). If-Match is an ETag of the job, or its version in quotes; of an
 * ETag only the version counts, which is what stands before the dash. */
#include "base/text.h"
#include "dialect/http/core.h"
#include "dialect/ondone.h"

/* "7-1a2b", W/"7-1a2b" or "7". */
static bool tag_version(struct slice tag, uint32_t *ret_version) {
    if (tag.size > 2 && memcmp(tag.bytes, "W/", 2) == 0) {
        tag = slice_of(tag.bytes + 2, tag.size - 2);
    }
    if (tag.size < 2 || tag.bytes[0] != '"' || tag.bytes[tag.size - 1] != '"') return false;
    size_t size = 0;
    while (size < tag.size - 2 && tag.bytes[1 + size] != '-') size++;
    uint64_t version = 0;
    if (!text_u64(slice_of(tag.bytes + 1, size), 1, UINT32_MAX, &version)) return false;
    *ret_version = (uint32_t)version;
    return true;
}

static bool
take_match(struct http_session *session, const struct call *call, struct update_command *update) {
    struct slice match = SLICE_NONE;
    if (!http_header(call->request, SLICE("If-Match"), &match)) return true;
    if (slice_equal(match, SLICE("*"))) return true;
    update->has_version = tag_version(match, &update->version);
    if (update->has_version) return true;
    struct buf *complaint = &session->base.host->complaint;
    return complain(complaint, "If-Match", match, "one ETag of the job, or its version: \"3\"");
}

static bool
take_update(struct http_session *session, const struct call *call, struct update_request *request) {
    struct json_walk walk = json_walk(call->json);
    struct slice key;
    struct json_value value;
    while (json_next_member(&walk, &key, &value)) {
        bool good = false;
        if (http_bytes(session, "payload", key, value, &request->update.to.payload, &good)) {
            request->update.has.payload = true;
        } else {
            good = http_member(session, update_options, key, value, request);
        }
        if (!good) return false;
    }
    if (request->on_done.size == 0) return true;
    return on_done_parse(session->base.host, request->on_done, &request->update.to.on_done);
}

void http_update(struct http_session *session, const struct call *call) {
    struct update_request request = {.on_done = SLICE_NONE};
    bool good = http_id(session, call, &request.update.id) &&
                take_match(session, call, &request.update) && take_update(session, call, &request);
    if (!good) {
        http_refuse(session);
        return;
    }
    struct command command = {.type = COMMAND_UPDATE, .update = request.update};
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    if (answer.code == ANSWER_OK) {
        http_reply_job(session, request.update.id);
    } else {
        http_answer_problem(session, &answer);
    }
}
