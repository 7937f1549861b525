/* SPDX-License-Identifier: Apache-2.0 */
/* FETCH, and what keeps workers alive. */
#include "dialect/resp/core.h"

void resp_fetch(struct resp_session *session, struct args args) {
    if (!resp_name(session, "worker", args.at[0])) return;
    struct fetch_request request = {.fetch = {.worker = args.at[0]}};
    size_t at = 1;
    if (!resp_options_until(session, fetch_options, args, &at, "QUEUES", &request)) return;
    struct args queues = {.at = args.at + at, .count = args.count - at};
    if (queues.count == 0 || queues.count > FETCH_QUEUES_MAX) {
        resp_error(session, "BADARG", SLICE("QUEUES: name 1 to 256 queues behind it"));
        return;
    }
    for (size_t i = 0; i < queues.count; i++) {
        if (option_pattern("QUEUES", queues.at[i], &session->base.host->complaint)) continue;
        resp_refuse(session);
        return;
    }
    request.fetch.queues = queues.at;
    request.fetch.queue_count = (uint32_t)queues.count;
    struct command command = {.type = COMMAND_FETCH, .fetch = request.fetch};
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    if (answer.code == ANSWER_WAITING) {
        session->awaited = RESP_AWAITED_JOBS;
        session->form = request.form;
        return;
    }
    resp_put_fetched(session, &answer, request.form);
}

/* WORKER name [SLOTS n] [LABELS a,b] [KINDS n kind ...] */
void resp_worker(struct resp_session *session, struct args args) {
    if (!resp_name(session, "name", args.at[0])) return;
    struct worker_set_command set = {.worker = args.at[0]};
    size_t at = 1;
    while (at < args.count) {
        bool is_slots = slice_equal_nocase(args.at[at], SLICE("SLOTS"));
        bool is_kinds = slice_equal_nocase(args.at[at], SLICE("KINDS"));
        bool is_labels = slice_equal_nocase(args.at[at], SLICE("LABELS"));
        if ((!is_slots && !is_kinds && !is_labels) || at + 1 == args.count) {
            resp_error(
                session, "BADARG", SLICE("WORKER takes SLOTS n, LABELS a,b and KINDS n kind ...")
            );
            return;
        }
        if (is_labels) {
            set.labels = args.at[at + 1];
            at += 2;
            continue;
        }
        uint64_t count = 0;
        uint64_t count_max = is_slots ? WORKER_SLOTS_MAX : WORKER_KINDS_MAX;
        const char *name = is_slots ? "SLOTS" : "KINDS";
        if (!resp_u64(session, name, args.at[at + 1], count_max, &count)) return;
        at += 2;
        if (is_slots) {
            set.slots = (uint32_t)count;
            continue;
        }
        if (count > args.count - at) {
            resp_error(session, "BADARG", SLICE("KINDS: fewer kinds follow than it says"));
            return;
        }
        set.kinds = args.at + at;
        set.kind_count = (uint32_t)count;
        at += (size_t)count;
    }
    struct command command = {.type = COMMAND_WORKER_SET, .worker_set = set};
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    if (answer.code == ANSWER_OK) session_worker_set(&session->base, set.worker);
    resp_answer_ok(session, &answer);
}

void resp_beat(struct resp_session *session, struct args args) {
    struct worker_beat_command beat = {.worker = args.at[0]};
    if (!resp_name(session, "worker", beat.worker)) return;
    if (args.count == 2 && !resp_span(session, "ms", args.at[1], LEASE_MAX_NS, &beat.alive_ns)) {
        return;
    }
    struct command command = {.type = COMMAND_WORKER_BEAT, .worker_beat = beat};
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    resp_answer_ok(session, &answer);
}
