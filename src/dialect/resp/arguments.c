/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments of RESP commands: options in any order, and the few that have a place. Whatever is
 * wrong with one is replied to here, so that a command only says `return`. */
#include "base/text.h"
#include "dialect/resp/core.h"

/* One option at @at; moves behind it. */
static bool take_option(
    struct resp_session *session, struct option_set set, struct args args, size_t *at, void *target
) {
    struct buf *complaint = &session->base.host->complaint;
    struct slice word = args.at[*at];
    const struct option *option = option_by_word(set, word);
    if (option == NULL) {
        (void)option_unknown_word(set, word, complaint);
        resp_refuse(session);
        return false;
    }
    struct slice value = SLICE("true");
    if (option->type != OPTION_FLAG) {
        if (*at + 1 == args.count) {
            buf_reset(complaint);
            (void)buf_put_str(complaint, option->word);
            (void)buf_put_str(complaint, ": its value is missing");
            resp_refuse(session);
            return false;
        }
        value = args.at[++*at];
    }
    ++*at;
    if (option_put(option, option->word, value, target, complaint)) return true;
    resp_refuse(session);
    return false;
}

bool resp_options(
    struct resp_session *session, struct option_set set, struct args args, size_t from, void *target
) {
    size_t at = from;
    while (at < args.count) {
        if (!take_option(session, set, args, &at, target)) return false;
    }
    return true;
}

bool resp_options_until(
    struct resp_session *session,
    struct option_set set,
    struct args args,
    size_t *at,
    const char *stop,
    void *target
) {
    while (*at < args.count) {
        if (slice_equal_nocase(args.at[*at], slice_str(stop))) {
            ++*at;
            return true;
        }
        if (!take_option(session, set, args, at, target)) return false;
    }
    struct buf *complaint = &session->base.host->complaint;
    buf_reset(complaint);
    (void)buf_put_str(complaint, stop);
    (void)buf_put_str(complaint, " and what belongs to it is missing");
    resp_refuse(session);
    return false;
}

bool resp_id(struct resp_session *session, const char *name, struct slice given, uint64_t *ret_id) {
    if (option_id(name, given, ret_id, &session->base.host->complaint)) return true;
    resp_refuse(session);
    return false;
}

bool resp_u64(
    struct resp_session *session,
    const char *name,
    struct slice given,
    uint64_t max,
    uint64_t *ret_value
) {
    if (option_u64(name, given, max, ret_value, &session->base.host->complaint)) return true;
    resp_refuse(session);
    return false;
}

bool resp_span(
    struct resp_session *session, const char *name, struct slice given, hob_ns max, hob_ns *ret_span
) {
    if (option_span(name, given, max, ret_span, &session->base.host->complaint)) return true;
    resp_refuse(session);
    return false;
}

bool resp_name(struct resp_session *session, const char *name, struct slice given) {
    if (option_name(name, given, &session->base.host->complaint)) return true;
    resp_refuse(session);
    return false;
}

bool resp_lease(
    struct resp_session *session, struct args args, size_t from, struct lease_ref *ret_lease
) {
    return resp_id(session, "id", args.at[from], &ret_lease->id) &&
           resp_id(session, "token", args.at[from + 1], &ret_lease->token);
}
