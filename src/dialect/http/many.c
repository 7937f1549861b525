/* SPDX-License-Identifier: Apache-2.0 */
/* Cancel, discard, retry and delete many jobs in one request: those with the given ids, or those
 * that a filter finds. Each job is treated for itself, and has its line in the answer; a job that
 * cannot be treated does not stop the others.
 *
 * A request is bounded: MANY_MAX jobs, and a filter looks at a bounded number of jobs. Where it
 * stopped it says by `next`, the cursor to go on with. A filter that names nothing finds all jobs
 * and needs "all": true beside it, so that a forgotten condition does not cancel everything. */
#include "base/assert.h"
#include "dialect/http/core.h"

enum { MANY_MAX = 10000, MANY_DEFAULT = 1000, PAGES_MAX = 64 };

/* Targets of the options: what is done, and to which. */
struct many {
    struct control_command control; /* by, why */
    uint32_t limit;
    struct slice cursor;
    bool all;
    bool dry_run;
    /* no options */
    enum command_type type;
    struct json_value ids;
    struct json_value filter;
    bool has_ids;
    bool has_filter;
    uint32_t done;
    uint32_t refused;
};

static const struct option many_rows[] = {
    {NULL,
     "by",
     OPTION_TEXT,
     offsetof(struct many, control.by),
     OPTION_NO_HAS,
     0,
     WHY_BYTES_MAX,
     NULL},
    {NULL,
     "why",
     OPTION_TEXT,
     offsetof(struct many, control.why),
     OPTION_NO_HAS,
     0,
     WHY_BYTES_MAX,
     NULL},
    {NULL, "limit", OPTION_U32, offsetof(struct many, limit), OPTION_NO_HAS, 1, MANY_MAX, NULL},
    {NULL,
     "cursor",
     OPTION_TEXT,
     offsetof(struct many, cursor),
     OPTION_NO_HAS,
     0,
     CURSOR_BYTES_MAX,
     NULL},
    {NULL, "all", OPTION_FLAG, offsetof(struct many, all), OPTION_NO_HAS, 0, 0, NULL},
    {NULL, "dry_run", OPTION_FLAG, offsetof(struct many, dry_run), OPTION_NO_HAS, 0, 0, NULL},
};
const struct option_set http_many_options = {many_rows, hob_countof(many_rows)};

static struct command command_for(const struct many *many, uint64_t id) {
    struct control_command control = many->control;
    struct command command = {.type = many->type};
    control.id = id;
    if (many->type == COMMAND_CANCEL) {
        command.cancel = control;
    } else if (many->type == COMMAND_DISCARD) {
        command.discard = control;
    } else if (many->type == COMMAND_RETRY) {
        command.retry = control;
    } else {
        hob_assert(many->type == COMMAND_DELETE);
        command.delete = control;
    }
    return command;
}

/* Do it to one job, and tell. */
static void
treat(struct http_session *session, struct many *many, uint64_t id, struct json_put *put) {
    struct answer answer = {.code = ANSWER_OK};
    if (many->dry_run) {
        struct job_view job;
        if (session_job(&session->base, id, &job)) {
            answer.state = job.state;
        } else {
            answer.code = ANSWER_NO_JOB;
        }
    } else {
        struct command command = command_for(many, id);
        session_apply(&session->base, &command, &answer);
    }
    if (answer.code != ANSWER_OK) {
        many->refused++;
        http_put_refusal(session, put, id, &answer);
        return;
    }
    many->done++;
    json_put_object(put);
    json_put_key(put, "id");
    json_put_id(put, id);
    if (many->type != COMMAND_DELETE) {
        json_put_key(put, "state");
        json_put_str(put, job_state_word(answer.state));
    }
    json_put_object_end(put);
}

static void begin(struct http_session *session, struct json_put *put) {
    *put = http_json(session);
    json_put_object(put);
    json_put_key(put, "jobs");
    json_put_array(put);
}

static void
end(struct http_session *session, struct json_put *put, const struct many *many, uint64_t cursor) {
    json_put_array_end(put);
    json_put_key(put, "done");
    json_put_u64(put, many->done);
    json_put_key(put, "refused");
    json_put_u64(put, many->refused);
    json_put_key(put, "next");
    http_put_next(put, cursor);
    json_put_object_end(put);
    http_reply_json(session, 200);
}

/* --- by ids --- */

static bool check_ids(struct http_session *session, struct json_value ids) {
    struct buf *complaint = &session->base.host->complaint;
    struct json_walk walk = json_walk(ids);
    struct json_value item;
    uint32_t count = 0;
    uint64_t id = 0;
    while (json_next_item(&walk, &item)) {
        if (!http_id_member(session, "ids", item, &id)) return false;
        if (++count > MANY_MAX) break;
    }
    if (ids.type == JSON_IS_ARRAY && count >= 1 && count <= MANY_MAX) return true;
    return complain(complaint, "ids", ids.raw, "an array of 1 to 10000 ids");
}

static void by_ids(struct http_session *session, struct many *many) {
    if (!check_ids(session, many->ids)) {
        http_refuse(session);
        return;
    }
    struct json_put put;
    begin(session, &put);
    struct json_walk walk = json_walk(many->ids);
    struct json_value item;
    uint64_t id = 0;
    while (json_next_item(&walk, &item)) {
        if (http_id_member(session, "ids", item, &id)) treat(session, many, id, &put);
    }
    end(session, &put, many, 0);
}

/* --- by a filter --- */

static bool
take_filter(struct http_session *session, const struct many *many, struct host_list *list) {
    struct list_request request = {.cursor = many->cursor};
    struct buf *complaint = &session->base.host->complaint;
    if (many->filter.type != JSON_IS_OBJECT) {
        return complain(complaint, "filter", many->filter.raw, "an object");
    }
    if (!http_members(session, list_options, many->filter, &request)) return false;
    if (!http_take_list(session, &request, list)) return false;
    struct json_walk walk = json_walk(many->filter);
    struct slice key;
    struct json_value value;
    if (many->all || json_next_member(&walk, &key, &value)) return true;
    return complain(
        complaint, "filter", SLICE("{}"), "a condition; say \"all\": true for all jobs"
    );
}

static void by_filter(struct http_session *session, struct many *many) {
    struct host_list list = {0};
    if (!take_filter(session, many, &list)) {
        http_refuse(session);
        return;
    }
    uint32_t left = many->limit == 0 ? MANY_DEFAULT : many->limit;
    struct json_put put;
    begin(session, &put);
    uint64_t ids[LIST_IDS_MAX];
    bool more = true;
    for (uint32_t page = 0; page < PAGES_MAX && more && left > 0; page++) {
        uint32_t count = 0;
        list.count_max = left < LIST_IDS_MAX ? left : LIST_IDS_MAX;
        list.before_id = session_list(&session->base, &list, ids, &count);
        for (uint32_t i = 0; i < count; i++) treat(session, many, ids[i], &put);
        left -= count;
        /* A page that is not full has looked at as many jobs as one turn may; the cursor goes
         * on. */
        more = list.before_id != 0 && count == list.count_max;
    }
    end(session, &put, many, list.before_id);
}

static bool take(struct http_session *session, const struct call *call, struct many *many) {
    struct json_walk walk = json_walk(call->json);
    struct slice key;
    struct json_value value;
    while (json_next_member(&walk, &key, &value)) {
        if (json_key_is(key, SLICE("ids"))) {
            many->ids = value;
            many->has_ids = true;
        } else if (json_key_is(key, SLICE("filter"))) {
            many->filter = value;
            many->has_filter = true;
        } else if (!http_member(session, http_many_options, key, value, many)) {
            return false;
        }
    }
    if (many->has_ids != many->has_filter) return true;
    struct buf *complaint = &session->base.host->complaint;
    buf_reset(complaint);
    (void)buf_put_str(complaint, "ids and filter: give one of them");
    return false;
}

static void
treat_many(struct http_session *session, const struct call *call, enum command_type type) {
    struct many many = {.type = type};
    if (!take(session, call, &many)) {
        http_refuse(session);
    } else if (many.has_ids) {
        by_ids(session, &many);
    } else {
        by_filter(session, &many);
    }
}

void http_cancel_many(struct http_session *session, const struct call *call) {
    treat_many(session, call, COMMAND_CANCEL);
}

void http_discard_many(struct http_session *session, const struct call *call) {
    treat_many(session, call, COMMAND_DISCARD);
}

void http_retry_many(struct http_session *session, const struct call *call) {
    treat_many(session, call, COMMAND_RETRY);
}

void http_delete_many(struct http_session *session, const struct call *call) {
    treat_many(session, call, COMMAND_DELETE);
}
