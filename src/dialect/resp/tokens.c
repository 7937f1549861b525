/* SPDX-License-Identifier: Apache-2.0 */
/* AUTH, TOKEN and AUDIT: who is let in, who may let others in, and who did what. */
#include "dialect/resp/core.h"

enum { AUDIT_COUNT_DEFAULT = 100, AUDIT_COUNT_MAX = 10000 };

bool resp_login(struct resp_session *session, struct slice name, struct slice token) {
    struct host *host = session->base.host;
    if (token.size == 0) {
        resp_error(session, "WRONGPASS", SLICE("the token is empty"));
        return false;
    }
    switch (host->ops->login(host->context, &session->base, name, token)) {
    case LOGIN_OK:
        return true;
    case LOGIN_UNKNOWN:
        resp_error(
            session,
            "WRONGPASS",
            SLICE("there is no such token: it never was, has expired, or was "
                  "revoked")
        );
        break;
    case LOGIN_LATER:
        resp_error(session, "WRONGPASS", SLICE("too many wrong tokens: try again later"));
        break;
    }
    /* Each guess costs a connection. */
    session->is_closing = true;
    return false;
}

/* AUTH token, AUTH name token */
void resp_auth(struct resp_session *session, struct args args) {
    struct slice name = args.count == 2 ? args.at[0] : SLICE_NONE;
    if (resp_login(session, name, args.at[args.count - 1])) {
        resp_put_simple(resp_out(session), SLICE("OK"));
    }
}

/* --- TOKEN --- */

struct creation {
    struct token_put_command put;
    struct buf queues; /* the globs, joined */
};

static bool take_scope(struct resp_session *session, struct slice word, uint32_t *scopes) {
    enum scope scope = scope_by_word(word);
    if (scope != SCOPE_NONE) {
        *scopes |= 1u << scope;
        return true;
    }
    struct buf *complaint = &session->base.host->complaint;
    (void)complain(complaint, "SCOPE", word, "one of push work read manage admin");
    resp_refuse(session);
    return false;
}

static bool take_option(
    struct resp_session *session, struct slice word, struct slice value, struct creation *creation
) {
    struct token_put_command *put = &creation->put;
    if (slice_equal_nocase(word, SLICE("SCOPE"))) return take_scope(session, value, &put->scopes);
    if (slice_equal_nocase(word, SLICE("QUEUE"))) {
        if (creation->queues.size > 0) (void)buf_put_char(&creation->queues, ' ');
        (void)buf_put_slice(&creation->queues, value);
        /* A space in a glob would make two of it. */
        if (value.size > 0 && memchr(value.bytes, ' ', value.size) == NULL) return true;
        resp_error(session, "BADARG", SLICE("QUEUE: one glob, as mail.*"));
        return false;
    }
    if (slice_equal_nocase(word, SLICE("BY"))) {
        put->by = value;
        return true;
    }
    if (slice_equal_nocase(word, SLICE("EXPIRES"))) {
        hob_ns span = 0;
        if (!resp_span(session, "EXPIRES", value, DELAY_MAX_NS, &span)) return false;
        put->expires_ns = ns_add(session->base.host->now_ns, span);
        return true;
    }
    resp_error(
        session, "BADARG", SLICE("there are SCOPE word, QUEUE glob, EXPIRES duration, BY who")
    );
    return false;
}

/* The one time that the token itself is told. */
static void create(struct resp_session *session, struct args args) {
    struct host *host = session->base.host;
    HOB_AUTO_BUF struct buf queues = buf_make(TOKEN_QUEUES_BYTES_MAX);
    struct creation creation = {.put = {.name = args.at[0]}, .queues = queues};
    if (args.count % 2 != 1) {
        resp_error(session, "BADARG", SLICE("each option has a value: HELP TOKEN"));
        return;
    }
    bool good = true;
    for (size_t at = 1; good && at < args.count; at += 2) {
        good = take_option(session, args.at[at], args.at[at + 1], &creation);
    }
    queues = creation.queues;
    if (!good) return;
    if (queues.overflowed) {
        resp_error(session, "TOOLARGE", SLICE("the globs have more than 2048 bytes together"));
        return;
    }
    struct secret secret;
    host->ops->token_draw(host->context, &secret);
    creation.put.queues = buf_slice(&queues);
    creation.put.hash = slice_of(secret.hash, sizeof secret.hash);
    struct command command = {.type = COMMAND_TOKEN_PUT, .token_put = creation.put};
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    if (answer.code == ANSWER_OK) {
        resp_put_bulk(resp_out(session), slice_of(secret.text, sizeof secret.text));
    } else {
        resp_answer_error(session, &answer);
    }
}

static void revoke(struct resp_session *session, struct args args) {
    bool force = args.count == 2 && slice_equal_nocase(args.at[1], SLICE("FORCE"));
    if (args.count > 2 || (args.count == 2 && !force)) {
        resp_error(session, "BADARG", SLICE("TOKEN REVOKE takes a name, and FORCE"));
        return;
    }
    struct command command = {
        .type = COMMAND_TOKEN_DROP,
        .token_drop = {.name = args.at[0], .force = force},
    };
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    resp_answer_ok(session, &answer);
}

static void list(struct resp_session *session) {
    struct host *host = session->base.host;
    struct token_view token;
    uint32_t count = 0;
    while (host->ops->token_at(host->context, count, &token)) count++;
    resp_put_array(resp_out(session), count);
    for (uint32_t i = 0; i < count; i++) {
        bool found = host->ops->token_at(host->context, i, &token);
        if (!found) return;
        HOB_AUTO_FIELDS struct fields fields = fields_make();
        fields_of_token(&fields, &token);
        (void)resp_put_fields(session, &fields);
    }
}

void resp_token(struct resp_session *session, struct args args) {
    struct args rest = {.at = args.at + 1, .count = args.count - 1};
    if (slice_equal_nocase(args.at[0], SLICE("CREATE")) && rest.count > 0) {
        create(session, rest);
    } else if (slice_equal_nocase(args.at[0], SLICE("REVOKE")) && rest.count > 0) {
        revoke(session, rest);
    } else if (slice_equal_nocase(args.at[0], SLICE("LIST")) && rest.count == 0) {
        list(session);
    } else {
        resp_wrong_count(session, resp_command_find(SLICE("TOKEN")));
    }
}

/* --- AUDIT [SINCE time] [COUNT n] --- */

static size_t count_lines(struct slice lines) {
    size_t count = 0;
    for (size_t i = 0; i < lines.size; i++) count += lines.bytes[i] == '\n' ? 1 : 0;
    return count;
}

void resp_audit(struct resp_session *session, struct args args) {
    struct host *host = session->base.host;
    hob_ns since_ns = 0;
    uint64_t count = AUDIT_COUNT_DEFAULT;
    for (size_t at = 0; at < args.count; at += 2) {
        bool is_since = slice_equal_nocase(args.at[at], SLICE("SINCE"));
        bool is_count = slice_equal_nocase(args.at[at], SLICE("COUNT"));
        if ((!is_since && !is_count) || at + 1 == args.count) {
            resp_error(session, "BADARG", SLICE("there are SINCE time and COUNT n"));
            return;
        }
        struct slice value = args.at[at + 1];
        if (is_count && !resp_u64(session, "COUNT", value, AUDIT_COUNT_MAX, &count)) return;
        if (!is_since) continue;
        if (!option_past("SINCE", value, host->now_ns, &since_ns, &host->complaint)) {
            resp_refuse(session);
            return;
        }
    }
    struct hob_error err = {0};
    buf_reset(&host->reply);
    if (host->ops->audit(host->context, since_ns, (uint32_t)count, &host->reply, &err) != HOB_OK) {
        resp_error(session, "ERR", slice_str(err.text));
        return;
    }
    struct slice rest = buf_slice(&host->reply);
    resp_put_array(resp_out(session), count_lines(rest));
    while (rest.size > 0) {
        const char *end = memchr(rest.bytes, '\n', rest.size);
        if (end == NULL) break;
        size_t size = (size_t)(end - rest.bytes);
        resp_put_bulk(resp_out(session), slice_of(rest.bytes, size));
        rest = slice_of(end + 1, rest.size - size - 1);
    }
}
