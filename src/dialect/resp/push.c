/* SPDX-License-Identifier: Apache-2.0 */
/* PUSH and MPUSH. */
#include "base/text.h"
#include "dialect/ondone.h"
#include "dialect/resp/core.h"
#include "dialect/uniqueby.h"

enum { PUSH_PLACED = 3 }; /* queue kind payload */

static void put_verbose(struct resp_session *session, const struct answer *answer) {
    struct buf *out = resp_out(session);
    resp_put_map(out, session->version, 3);
    resp_put_str(session, "id");
    resp_put_bulk_u64(out, answer->id);
    resp_put_str(session, "duplicate");
    resp_put_bool(out, session->version, answer->duplicate);
    resp_put_str(session, "state");
    resp_put_str(session, job_state_word(answer->state));
}

static bool
take_on_done(struct resp_session *session, struct slice json, struct slice *ret_on_done) {
    struct host *host = session->base.host;
    buf_reset(&host->scratch);
    (void)buf_reserve(&host->scratch, 2 * json.size + 1);
    if (on_done_parse(host, json, ret_on_done)) return true;
    resp_refuse(session);
    return false;
}

/* Push one job and write its reply, which may be an error.
 *
 * @placed   queue, kind, payload
 * @options  the option words
 */
static void push(struct resp_session *session, const struct slice *placed, struct args options) {
    if (!resp_name(session, "queue", placed[0]) || !resp_name(session, "kind", placed[1])) return;
    struct push_request request = {
        .push = {.queue = placed[0], .kind = placed[1], .payload = placed[2]},
    };
    if (!resp_options(session, push_options, options, 0, &request)) return;
    if (!unique_take(session->base.host, &request)) {
        resp_refuse(session);
        return;
    }
    struct slice *to = &request.push.on_done;
    if (request.on_done.size > 0 && !take_on_done(session, request.on_done, to)) return;
    struct command command = {.type = COMMAND_PUSH, .push = request.push};
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    if (answer.code != ANSWER_OK) {
        resp_answer_error(session, &answer);
    } else if (request.verbose) {
        put_verbose(session, &answer);
    } else {
        resp_put_u64(resp_out(session), session->version, answer.id);
    }
}

void resp_update(struct resp_session *session, struct args args) {
    struct update_request request = {.on_done = SLICE_NONE};
    if (!resp_id(session, "id", args.at[0], &request.update.id)) return;
    if (!resp_options(session, update_options, args, 1, &request)) return;
    struct slice *to = &request.update.to.on_done;
    if (request.on_done.size > 0 && !take_on_done(session, request.on_done, to)) return;
    struct command command = {.type = COMMAND_UPDATE, .update = request.update};
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    if (answer.code == ANSWER_OK) {
        resp_put_u64(resp_out(session), session->version, answer.version);
    } else {
        resp_answer_error(session, &answer);
    }
}

void resp_push(struct resp_session *session, struct args args) {
    struct args options = {.at = args.at + PUSH_PLACED, .count = args.count - PUSH_PLACED};
    push(session, args.at, options);
}

/* The number of arguments of the job at @at, optc included; 0 when they do not fit. */
static size_t job_args(struct args args, size_t at) {
    if (args.count - at < PUSH_PLACED + 1) return 0;
    size_t rest = args.count - at - PUSH_PLACED - 1;
    uint64_t options = 0;
    if (!text_u64(args.at[at + PUSH_PLACED], 0, rest, &options)) return 0;
    return PUSH_PLACED + 1 + (size_t)options;
}

/* Do the counts add up? Looked at before anything is pushed. */
static bool counts_are_right(struct args args, uint64_t jobs) {
    size_t at = 1;
    for (uint64_t i = 0; i < jobs; i++) {
        size_t size = job_args(args, at);
        if (size == 0) return false;
        at += size;
    }
    return at == args.count;
}

void resp_mpush(struct resp_session *session, struct args args) {
    uint64_t jobs = 0;
    if (!resp_u64(session, "n", args.at[0], args.count, &jobs)) return;
    if (jobs == 0 || !counts_are_right(args, jobs)) {
        resp_error(
            session,
            "ERR",
            SLICE(
                "wrong number of arguments: nothing was pushed: n must be the number of jobs, and "
                "optc the number of option words of each: HELP MPUSH"
            )
        );
        return;
    }
    resp_put_array(resp_out(session), jobs);
    size_t at = 1;
    for (uint64_t i = 0; i < jobs; i++) {
        size_t size = job_args(args, at);
        struct args options = {
            .at = args.at + at + PUSH_PLACED + 1,
            .count = size - PUSH_PLACED - 1,
        };
        push(session, args.at + at, options);
        at += size;
    }
}
