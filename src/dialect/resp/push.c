/* SPDX-License-Identifier: Apache-2.0 */
/* PUSH and MPUSH. */
#include "base/text.h"
#include "dialect/bulk.h"
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

/* A job as it was given; false: the error is the reply.
 *
 * @placed   queue, kind, payload
 * @options  the option words
 */
static bool take_job(
    struct resp_session *session,
    const struct slice *placed,
    struct args options,
    struct push_request *request
) {
    if (!resp_name(session, "queue", placed[0]) || !resp_name(session, "kind", placed[1])) {
        return false;
    }
    request->push.queue = placed[0];
    request->push.kind = placed[1];
    request->push.payload = placed[2];
    if (!resp_options(session, push_options, options, 0, request)) return false;
    if (!unique_take(session->base.host, request)) {
        resp_refuse(session);
        return false;
    }
    struct slice *to = &request->push.on_done;
    return request->on_done.size == 0 || take_on_done(session, request->on_done, to);
}

static void put_pushed(struct resp_session *session, bool verbose, const struct answer *answer) {
    if (verbose) {
        put_verbose(session, answer);
    } else {
        resp_put_u64(resp_out(session), session->version, answer->id);
    }
}

/* Push one job and write its reply, which may be an error. */
static void push(struct resp_session *session, const struct push_request *request) {
    struct command command = {.type = COMMAND_PUSH, .push = request->push};
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    if (answer.code == ANSWER_OK) {
        put_pushed(session, request->verbose, &answer);
    } else {
        resp_answer_error(session, &answer);
    }
}

void resp_update(struct resp_session *session, struct args args) {
    struct update_request request = {.on_done = SLICE_NONE};
    if (!resp_id(session, "id", args.at[0], &request.update.id)) return;
    if (!resp_options(session, update_options, args, 1, &request)) return;
    if (request.no_front && request.update.has.front) {
        resp_error(session, "BADARG", SLICE("FRONT and NOFRONT: give one of them"));
        return;
    }
    request.update.has.front = request.update.has.front || request.no_front;
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
    struct push_request request = {.verbose = false};
    if (take_job(session, args.at, options, &request)) push(session, &request);
}

/* --- several --- */

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
    size_t at = 0;
    for (uint64_t i = 0; i < jobs; i++) {
        size_t size = job_args(args, at);
        if (size == 0) return false;
        at += size;
    }
    return at == args.count;
}

/* The next job of the list, at @at, which moves behind it. */
static bool take_next(
    struct resp_session *session, struct args args, size_t *at, struct push_request *request
) {
    size_t size = job_args(args, *at);
    struct args options = {
        .at = args.at + *at + PUSH_PLACED + 1,
        .count = size - PUSH_PLACED - 1,
    };
    const struct slice *placed = args.at + *at;
    *at += size;
    return take_job(session, placed, options, request);
}

static bool spread(
    struct resp_session *session,
    const struct bulk_request *bulk,
    struct push_command *push,
    uint64_t at,
    uint64_t count
) {
    if (bulk_spread(session->base.host, bulk, push, at, count)) return true;
    resp_refuse(session);
    return false;
}

/* The reply from @before on is an error, about one of the list; now it says so. */
static void name_item(struct resp_session *session, size_t before, uint32_t item) {
    struct buf *out = resp_out(session);
    struct slice error = slice_of(out->bytes + before + 1, out->size - before - 1);
    size_t word = 0;
    while (word < error.size && error.bytes[word] != ' ' && error.bytes[word] != '\r') word++;
    HOB_AUTO_BUF struct buf text = buf_make(2 * COMPLAINT_BYTES_MAX);
    (void)buf_put(&text, error.bytes, word);
    (void)buf_put_char(&text, '\0');
    bulk_put_item(&text, item);
    size_t end = error.size - strlen("\r\n");
    if (word < end) (void)buf_put(&text, error.bytes + word + 1, end - word - 1);
    out->size = before;
    struct slice whole = slice_of(text.bytes + word + 1, text.size - word - 1);
    resp_error(session, text.bytes, whole);
}

/* All of them or none: the reply is an array of ids, or one error. */
static void push_all(
    struct resp_session *session, struct args args, uint64_t jobs, const struct bulk_request *asked
) {
    if (!bulk_count_fits(session->base.host, jobs)) {
        resp_refuse(session);
        return;
    }
    HOB_AUTO_BULK struct bulk bulk = bulk_make((uint32_t)jobs);
    bool verbose = false;
    size_t at = 0;
    while (bulk.count < jobs) {
        struct push_request request = {.verbose = false};
        size_t before = resp_out(session)->size;
        if (!take_next(session, args, &at, &request) ||
            !spread(session, asked, &request.push, bulk.count, jobs)) {
            name_item(session, before, bulk.count + 1);
            return;
        }
        verbose = verbose || request.verbose;
        bulk_add(&bulk, &request);
    }
    struct answer answer;
    bulk_push(&session->base, &bulk, &answer);
    if (answer.code != ANSWER_OK) {
        resp_answer_error(session, &answer);
        return;
    }
    resp_put_array(resp_out(session), answer.pushed_count);
    for (uint32_t i = 0; i < answer.pushed_count; i++) {
        const struct pushed *pushed = &answer.pushed[i];
        const struct answer one = {
            .id = pushed->id, .duplicate = pushed->duplicate, .state = pushed->state};
        put_pushed(session, verbose, &one);
    }
}

/* ATOMIC and SPREAD stand before the number of jobs. */
static bool take_bulk(
    struct resp_session *session, struct args *args, uint64_t *ret_jobs, struct bulk_request *bulk
) {
    size_t count = 0;
    while (count < args->count) {
        const struct option *option = option_by_word(bulk_options, args->at[count]);
        if (option == NULL) break;
        count += option->type == OPTION_FLAG ? 1 : 2;
    }
    if (count > args->count) count = args->count;
    struct args options = {.at = args->at, .count = count};
    if (!resp_options(session, bulk_options, options, 0, bulk)) return false;
    struct slice number = count == args->count ? SLICE_NONE : args->at[count];
    if (!resp_u64(session, "n", number, args->count, ret_jobs)) return false;
    *args = (struct args){.at = args->at + count + 1, .count = args->count - count - 1};
    return true;
}

void resp_mpush(struct resp_session *session, struct args args) {
    uint64_t jobs = 0;
    struct bulk_request bulk = {.atomic = false};
    if (!take_bulk(session, &args, &jobs, &bulk)) return;
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
    if (bulk.atomic) {
        push_all(session, args, jobs, &bulk);
        return;
    }
    resp_put_array(resp_out(session), jobs);
    size_t at = 0;
    for (uint64_t i = 0; i < jobs; i++) {
        struct push_request request = {.verbose = false};
        if (!take_next(session, args, &at, &request)) continue;
        if (spread(session, &bulk, &request.push, i, jobs)) push(session, &request);
    }
}
