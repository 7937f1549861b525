/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments of RESP commands: options in any order, and the few that have a place. Whatever is
 * wrong with one is replied to here, so that a command only says `return`. */
#include "base/assert.h"
#include "base/text.h"
#include "dialect/resp/core.h"

/* Options of one request, while they are taken. */
struct taking {
    struct option_set set;
    void *target;
    uint64_t seen; /* bits by place in the set */
};

/* The same option twice is a mistake whose second half would win in silence; of states there may be
 * several. */
static bool is_repeated(struct taking *taking, const struct option *option) {
    uint64_t bit = UINT64_C(1) << (option - taking->set.options);
    bool repeated = (taking->seen & bit) != 0 && option->type != OPTION_STATES;
    taking->seen |= bit;
    return repeated;
}

static bool refuse_option(struct resp_session *session, const char *word, const char *why) {
    struct buf *complaint = &session->base.host->complaint;
    buf_reset(complaint);
    (void)buf_put_str(complaint, word);
    (void)buf_put_str(complaint, why);
    resp_refuse(session);
    return false;
}

/* One option at @at; moves behind it. */
static bool
take_option(struct resp_session *session, struct taking *taking, struct args args, size_t *at) {
    struct option_set set = taking->set;
    hob_assert(set.count <= 64);
    struct buf *complaint = &session->base.host->complaint;
    struct slice word = args.at[*at];
    const struct option *option = option_by_word(set, word);
    if (option == NULL) {
        (void)option_unknown_word(set, word, complaint);
        resp_refuse(session);
        return false;
    }
    if (is_repeated(taking, option)) {
        return refuse_option(session, option->word, ": given twice");
    }
    struct slice value = SLICE("true");
    if (option->type != OPTION_FLAG) {
        if (*at + 1 == args.count) {
            return refuse_option(session, option->word, ": its value is missing");
        }
        value = args.at[++*at];
    }
    ++*at;
    hob_ns now_ns = session->base.host->now_ns;
    if (option_put(option, option->word, value, now_ns, taking->target, complaint)) return true;
    resp_refuse(session);
    return false;
}

bool resp_options(
    struct resp_session *session, struct option_set set, struct args args, size_t from, void *target
) {
    struct taking taking = {.set = set, .target = target};
    size_t at = from;
    while (at < args.count) {
        if (!take_option(session, &taking, args, &at)) return false;
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
    struct taking taking = {.set = set, .target = target};
    while (*at < args.count) {
        if (slice_equal_nocase(args.at[*at], slice_str(stop))) {
            ++*at;
            return true;
        }
        if (!take_option(session, &taking, args, at)) return false;
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
