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

/* FRESH, SLOTS n, LABELS a,b and KINDS n kind ... behind the name, in any order. */
static bool
take_registration(struct resp_session *session, struct args args, struct worker_set_command *set) {
    size_t at = 1;
    while (at < args.count) {
        if (slice_equal_nocase(args.at[at], SLICE("FRESH"))) {
            set->fresh = true;
            at++;
            continue;
        }
        bool is_slots = slice_equal_nocase(args.at[at], SLICE("SLOTS"));
        bool is_kinds = slice_equal_nocase(args.at[at], SLICE("KINDS"));
        bool is_labels = slice_equal_nocase(args.at[at], SLICE("LABELS"));
        if ((!is_slots && !is_kinds && !is_labels) || at + 1 == args.count) {
            struct slice usage =
                SLICE("WORKER takes FRESH, SLOTS n, LABELS a,b and KINDS n kind ...");
            resp_error(session, "BADARG", usage);
            return false;
        }
        if (is_labels) {
            set->labels = args.at[at + 1];
            at += 2;
            continue;
        }
        uint64_t count = 0;
        uint64_t count_max = is_slots ? WORKER_SLOTS_MAX : WORKER_KINDS_MAX;
        const char *name = is_slots ? "SLOTS" : "KINDS";
        if (!resp_u64(session, name, args.at[at + 1], count_max, &count)) return false;
        at += 2;
        if (is_slots) {
            set->slots = (uint32_t)count;
            continue;
        }
        if (count > args.count - at) {
            resp_error(session, "BADARG", SLICE("KINDS: fewer kinds follow than it says"));
            return false;
        }
        set->kinds = args.at + at;
        set->kind_count = (uint32_t)count;
        at += (size_t)count;
    }
    return true;
}

void resp_worker(struct resp_session *session, struct args args) {
    if (!resp_name(session, "name", args.at[0])) return;
    struct worker_set_command set = {.worker = args.at[0]};
    if (!take_registration(session, args, &set)) return;
    struct command command = {.type = COMMAND_WORKER_SET, .worker_set = set};
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    if (answer.code == ANSWER_OK) session_worker_set(&session->base, set.worker);
    resp_answer_ok(session, &answer);
}

/* What is behind HOLDS, in @room; that may be nothing. */
static bool take_holds(
    struct resp_session *session,
    struct args args,
    struct buf *room,
    struct worker_beat_command *beat
) {
    if (args.count % 2 != 0 || args.count / 2 > WORKER_HOLDS_MAX) {
        resp_error(
            session, "BADARG", SLICE("HOLDS: pairs of id and token follow it, at most 100000")
        );
        return false;
    }
    for (size_t at = 0; at < args.count; at += 2) {
        struct lease_ref lease;
        if (!resp_lease(session, args, at, &lease)) return false;
        (void)buf_put(room, &lease, sizeof lease);
    }
    beat->has_holds = true;
    beat->holds = (const struct lease_ref *)(const void *)room->bytes;
    beat->hold_count = (uint32_t)(args.count / 2);
    return true;
}

/* BEAT name [ms] [GRACE ms] [HOLDS id token ...] */
void resp_beat(struct resp_session *session, struct args args) {
    struct worker_beat_command beat = {.worker = args.at[0], .young_ns = HOLDS_GRACE_DEFAULT_NS};
    HOB_AUTO_BUF struct buf room = buf_make(WORKER_HOLDS_MAX * sizeof(struct lease_ref));
    if (!resp_name(session, "worker", beat.worker)) return;
    bool has_grace = false;
    size_t at = 1;
    while (at < args.count && !beat.has_holds) {
        bool is_grace = slice_equal_nocase(args.at[at], SLICE("GRACE"));
        if (slice_equal_nocase(args.at[at], SLICE("HOLDS"))) {
            struct args rest = {.at = args.at + at + 1, .count = args.count - at - 1};
            if (!take_holds(session, rest, &room, &beat)) return;
        } else if (is_grace && !has_grace && at + 1 < args.count) {
            if (!resp_span(session, "GRACE", args.at[at + 1], LEASE_MAX_NS, &beat.young_ns)) return;
            has_grace = true;
            at += 2;
        } else if (at == 1 && !is_grace) {
            if (!resp_span(session, "ms", args.at[1], LEASE_MAX_NS, &beat.alive_ns)) return;
            at++;
        } else {
            struct slice usage =
                SLICE("BEAT takes ms, GRACE ms and HOLDS id token ..., in this order");
            resp_error(session, "BADARG", usage);
            return;
        }
    }
    if (has_grace && !beat.has_holds) {
        resp_error(session, "BADARG", SLICE("GRACE is of HOLDS, which is missing"));
        return;
    }
    struct command command = {.type = COMMAND_WORKER_BEAT, .worker_beat = beat};
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    resp_answer_ok(session, &answer);
}
