/* SPDX-License-Identifier: Apache-2.0 */
/* What the holder of a lease says of its job. */
#include "dialect/logging.h"
#include "dialect/resp/core.h"

static void ack(struct resp_session *session, struct args args, size_t from, struct slice result) {
    struct command command = {.type = COMMAND_ACK, .ack = {.result = result}};
    if (!resp_lease(session, args, from, &command.ack.lease)) return;
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    resp_answer_ok(session, &answer);
}

void resp_ack(struct resp_session *session, struct args args) {
    ack(session, args, 0, args.count == 3 ? args.at[2] : SLICE_NONE);
}

/* Arguments from @from on are pairs of id and token. */
static bool are_pairs(struct resp_session *session, struct args args, size_t from) {
    if (args.count > from && (args.count - from) % 2 == 0) return true;
    resp_error(session, "ERR", SLICE("wrong number of arguments: each id needs its token"));
    return false;
}

void resp_mack(struct resp_session *session, struct args args) {
    if (!are_pairs(session, args, 0)) return;
    resp_put_array(resp_out(session), args.count / 2);
    for (size_t at = 0; at < args.count; at += 2) ack(session, args, at, SLICE_NONE);
}

static void fail_job(struct resp_session *session, const struct fail_command *fail) {
    struct command command = {.type = COMMAND_FAIL, .fail = *fail};
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    resp_answer_state(session, &answer);
}

void resp_fail_job(struct resp_session *session, struct args args) {
    struct fail_command fail = {.text = args.at[2]};
    if (!resp_lease(session, args, 0, &fail.lease)) return;
    if (!resp_options(session, fail_options, args, 3, &fail)) return;
    fail_job(session, &fail);
}

void resp_mfail(struct resp_session *session, struct args args) {
    if (!are_pairs(session, args, 1)) return;
    resp_put_array(resp_out(session), args.count / 2);
    for (size_t at = 1; at < args.count; at += 2) {
        struct fail_command fail = {.text = args.at[0]};
        if (resp_lease(session, args, at, &fail.lease)) fail_job(session, &fail);
    }
}

void resp_release(struct resp_session *session, struct args args) {
    struct command command = {.type = COMMAND_RELEASE};
    if (!resp_lease(session, args, 0, &command.release.lease)) return;
    if (args.count > 2) {
        if (args.count != 4 || !slice_equal_nocase(args.at[2], SLICE("DELAY"))) {
            resp_error(session, "BADARG", SLICE("RELEASE takes DELAY ms, and nothing else"));
            return;
        }
        hob_ns *delay = &command.release.delay_ns;
        if (!resp_span(session, "DELAY", args.at[3], DELAY_MAX_NS, delay)) return;
    }
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    resp_answer_state(session, &answer);
}

void resp_extend(struct resp_session *session, struct args args) {
    struct command command = {.type = COMMAND_EXTEND};
    if (!resp_lease(session, args, 0, &command.extend.lease)) return;
    hob_ns *lease = &command.extend.lease_ns;
    if (args.count == 3 && !resp_span(session, "ms", args.at[2], LEASE_MAX_NS, lease)) return;
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    if (answer.code != ANSWER_OK) {
        resp_answer_error(session, &answer);
        return;
    }
    hob_ns now = session->base.host->now_ns;
    hob_ns left = answer.lease_until_ns > now ? answer.lease_until_ns - now : 0;
    resp_put_i64(resp_out(session), (int64_t)(left / NS_PER_MS));
}

void resp_checkpoint(struct resp_session *session, struct args args) {
    struct command command = {.type = COMMAND_CHECKPOINT, .checkpoint = {.bytes = args.at[2]}};
    if (!resp_lease(session, args, 0, &command.checkpoint.lease)) return;
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    resp_answer_ok(session, &answer);
}

void resp_log(struct resp_session *session, struct args args) {
    struct lease_ref lease;
    if (!resp_lease(session, args, 0, &lease)) return;
    struct log_line line = {.stream = LOG_STDOUT, .level = LOG_INFO};
    size_t at = 2;
    if (!resp_options_until(session, line_options, args, &at, "LINES", &line)) return;
    struct logging logging = logging_begin(&session->base, lease);
    for (; at < args.count; at++) {
        line.text = args.at[at];
        if (!logging_add(&logging, &line)) break;
    }
    logging_end(&logging);
    resp_answer_ok(session, &logging.answer);
}

void resp_progress(struct resp_session *session, struct args args) {
    struct command command = {.type = COMMAND_PROGRESS};
    if (!resp_lease(session, args, 0, &command.progress.lease)) return;
    uint64_t percent = 0;
    if (!resp_u64(session, "percent", args.at[2], 100, &percent)) return;
    command.progress.percent = (uint32_t)percent;
    if (args.count == 4) command.progress.text = args.at[3];
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    resp_answer_ok(session, &answer);
}
