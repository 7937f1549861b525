/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/tokens and /v1/audit: who may ask for what, and who did what. The token itself is told once,
 * to who made it; Cache-Control is no-store, as of every response without an ETag. */
#include "base/assert.h"
#include "dialect/http/core.h"

enum { AUDIT_COUNT_DEFAULT = 100, AUDIT_COUNT_MAX = 10000, NAME_ESCAPED_MAX = 3 * NAME_BYTES_MAX };

/* --- one token --- */

static void put_time(struct json_put *put, const char *key, hob_ns at_ns) {
    json_member_time(put, key, at_ns / NS_PER_MS * NS_PER_MS);
}

static void put_scopes(struct json_put *put, uint32_t scopes) {
    json_put_key(put, "scopes");
    json_put_array(put);
    for (enum scope scope = SCOPE_PUSH; scope <= SCOPE_ADMIN; scope++) {
        if ((scopes & 1u << scope) != 0) json_put_str(put, scope_word(scope));
    }
    json_put_array_end(put);
}

static void put_globs(struct json_put *put, struct slice globs) {
    json_put_key(put, "queues");
    json_put_array(put);
    while (globs.size > 0) {
        const char *space = memchr(globs.bytes, ' ', globs.size);
        size_t size = space == NULL ? globs.size : (size_t)(space - globs.bytes);
        size_t step = space == NULL ? size : size + 1;
        json_put_text(put, slice_of(globs.bytes, size));
        globs = slice_of(globs.bytes + step, globs.size - step);
    }
    json_put_array_end(put);
}

/* @secret: the token itself; nothing when it is not told. */
static void put_token(struct json_put *put, const struct token_view *token, struct slice secret) {
    json_put_object(put);
    json_put_key(put, "name");
    json_put_text(put, token->name);
    if (secret.size > 0) {
        json_put_key(put, "token");
        json_put_text(put, secret);
    }
    put_scopes(put, token->scopes);
    put_globs(put, token->queues);
    put_time(put, "created_at", token->created_ns);
    put_time(put, "expires_at", token->expires_ns);
    put_time(put, "used_at", token->used_ns);
    if (token->by.size > 0) {
        json_put_key(put, "by");
        json_put_text(put, token->by);
    }
    json_put_object_end(put);
}

static bool find(struct http_session *session, struct slice name, struct token_view *ret_token) {
    struct host *host = session->base.host;
    for (uint32_t at = 0; host->ops->token_at(host->context, at, ret_token); at++) {
        if (slice_equal(ret_token->name, name)) return true;
    }
    return false;
}

static bool take_name(struct http_session *session, const struct call *call) {
    if (option_name("token", call->name, &session->base.host->complaint)) return true;
    http_refuse(session);
    return false;
}

void http_token(struct http_session *session, const struct call *call) {
    struct token_view token;
    if (!take_name(session, call)) return;
    if (!find(session, call->name, &token)) {
        struct answer none = {.code = ANSWER_NO_TOKEN};
        http_answer_problem(session, &none);
        return;
    }
    struct json_put put = http_json(session);
    put_token(&put, &token, SLICE_NONE);
    http_reply_json(session, 200);
}

void http_tokens(struct http_session *session, const struct call *call) {
    (void)call;
    struct host *host = session->base.host;
    struct token_view token;
    struct json_put put = http_json(session);
    json_put_object(&put);
    json_put_key(&put, "tokens");
    json_put_array(&put);
    for (uint32_t at = 0; host->ops->token_at(host->context, at, &token); at++) {
        put_token(&put, &token, SLICE_NONE);
    }
    json_put_array_end(&put);
    json_put_object_end(&put);
    http_reply_json(session, 200);
}

/* --- making one --- */

struct token_request {
    struct slice name;
    struct slice by;
    hob_ns expires_in_ns;
    hob_ns expires_ns;
};

#define ROW(member, type, at, min, max) \
    { NULL, member, type, offsetof(struct token_request, at), OPTION_NO_HAS, min, max, NULL }
static const struct option token_rows[] = {
    ROW("name", OPTION_NAME, name, 0, 0),
    ROW("by", OPTION_TEXT, by, 0, WHY_BYTES_MAX),
    ROW("expires_in", OPTION_SPAN, expires_in_ns, NS_PER_SECOND, DELAY_MAX_NS),
    ROW("expires_at", OPTION_TIME, expires_ns, 0, 0),
};
#undef ROW
const struct option_set http_token_options = {token_rows, hob_countof(token_rows)};

static bool
take_scopes(struct http_session *session, struct json_value value, uint32_t *ret_scopes) {
    struct host *host = session->base.host;
    struct json_walk walk = json_walk(value);
    struct json_value item;
    uint32_t scopes = 0;
    while (json_next_item(&walk, &item)) {
        struct slice word = SLICE_NONE;
        bool is_text = json_text(item, &host->scratch, &word);
        enum scope scope = is_text ? scope_by_word(word) : SCOPE_NONE;
        if (scope == SCOPE_NONE) {
            const char *allowed = "one of push work read manage admin";
            return complain(&host->complaint, "scopes", is_text ? word : item.raw, allowed);
        }
        scopes |= 1u << scope;
    }
    *ret_scopes = scopes;
    if (value.type == JSON_IS_ARRAY && scopes != 0) return true;
    return complain(&host->complaint, "scopes", value.raw, "an array of scopes, as [\"push\"]");
}

/* The globs go to @to with a space between them; the engine knows what a glob may be. */
static bool take_globs(struct http_session *session, struct json_value value, struct buf *to) {
    struct host *host = session->base.host;
    struct json_walk walk = json_walk(value);
    struct json_value item;
    if (value.type != JSON_IS_ARRAY) {
        return complain(&host->complaint, "queues", value.raw, "an array of globs, as [\"a.*\"]");
    }
    while (json_next_item(&walk, &item)) {
        struct slice glob = SLICE_NONE;
        bool is_text = json_text(item, &host->scratch, &glob);
        /* A space in a glob would make two of it. */
        if (!is_text || glob.size == 0 || memchr(glob.bytes, ' ', glob.size) != NULL) {
            return complain(&host->complaint, "queues", item.raw, "a glob, as \"mail.*\"");
        }
        if (to->size > 0) (void)buf_put_char(to, ' ');
        (void)buf_put_slice(to, glob);
    }
    if (!to->overflowed) return true;
    buf_reset(&host->complaint);
    (void)buf_put_str(&host->complaint, "queues: more than 2048 bytes together");
    return false;
}

static bool take_token(
    struct http_session *session,
    const struct call *call,
    struct token_put_command *put,
    struct buf *globs
) {
    struct token_request request = {.expires_ns = 0};
    struct json_walk walk = json_walk(call->json);
    struct slice key;
    struct json_value value;
    while (json_next_member(&walk, &key, &value)) {
        bool good = false;
        if (json_key_is(key, SLICE("scopes"))) {
            good = take_scopes(session, value, &put->scopes);
        } else if (json_key_is(key, SLICE("queues"))) {
            buf_reset(globs);
            good = value.type == JSON_IS_NULL || take_globs(session, value, globs);
        } else {
            good = http_member(session, http_token_options, key, value, &request);
        }
        if (!good) return false;
    }
    if (request.name.size == 0) return http_missing(session, "name");
    if (put->scopes == 0) return http_missing(session, "scopes");
    if (request.expires_ns != 0 && request.expires_in_ns != 0) {
        struct buf *complaint = &session->base.host->complaint;
        buf_reset(complaint);
        return buf_put_str(complaint, "expires_at and expires_in: give one of them") && false;
    }
    put->name = request.name;
    put->by = request.by;
    put->queues = buf_slice(globs);
    put->expires_ns = request.expires_ns;
    if (request.expires_in_ns != 0) {
        put->expires_ns = ns_add(session->base.host->now_ns, request.expires_in_ns);
    }
    return true;
}

/* Names have characters that end a segment of a path. */
static void put_location(struct http_session *session, struct slice name) {
    static const char digits[] = "0123456789ABCDEF";
    HOB_AUTO_BUF struct buf path = buf_make(NAME_ESCAPED_MAX + 16);
    (void)buf_put_str(&path, "/v1/tokens/");
    for (size_t i = 0; i < name.size; i++) {
        unsigned char c = (unsigned char)name.bytes[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (letter || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_') {
            (void)buf_put_char(&path, (char)c);
        } else {
            char escaped[3] = {'%', digits[c >> 4], digits[c & 15]};
            (void)buf_put(&path, escaped, sizeof escaped);
        }
    }
    (void)http_put_header(session->base.out, "Location", buf_slice(&path));
}

void http_token_create(struct http_session *session, const struct call *call) {
    struct host *host = session->base.host;
    HOB_AUTO_BUF struct buf globs = buf_make(TOKEN_QUEUES_BYTES_MAX);
    struct command command = {.type = COMMAND_TOKEN_PUT};
    if (!take_token(session, call, &command.token_put, &globs)) {
        http_refuse(session);
        return;
    }
    struct secret secret;
    host->ops->token_draw(host->context, &secret);
    command.token_put.hash = slice_of(secret.hash, sizeof secret.hash);
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    if (answer.code != ANSWER_OK) {
        http_answer_problem(session, &answer);
        return;
    }
    struct token_view token;
    bool found = find(session, command.token_put.name, &token);
    hob_assert(found); /* it was made a moment ago */
    struct json_put put = http_json(session);
    put_token(&put, &token, slice_of(secret.text, sizeof secret.text));
    (void)buf_put_char(&host->reply, '\n');
    http_reply_head(session, 201, "application/json");
    put_location(session, token.name);
    http_reply_body(session);
}

/* --- revoking one --- */

struct revocation {
    bool force;
};

static const struct option revocation_rows[] = {
    {NULL, "force", OPTION_FLAG, offsetof(struct revocation, force), OPTION_NO_HAS, 0, 0, NULL},
};
const struct option_set http_revoke_options = {revocation_rows, hob_countof(revocation_rows)};

void http_token_revoke(struct http_session *session, const struct call *call) {
    struct revocation revocation = {.force = false};
    if (!http_query(session, call, &revocation)) {
        http_refuse(session);
        return;
    }
    if (!take_name(session, call)) return;
    struct command command = {
        .type = COMMAND_TOKEN_DROP,
        .token_drop = {.name = call->name, .force = revocation.force},
    };
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    if (answer.code == ANSWER_OK) {
        http_reply_empty(session, 204);
    } else {
        http_answer_problem(session, &answer);
    }
}

/* --- the audit trail --- */

struct audit_request {
    hob_ns since_ns;
    uint32_t count;
};

#define ROW(member, type, at, min, max) \
    { NULL, member, type, offsetof(struct audit_request, at), OPTION_NO_HAS, min, max, NULL }
static const struct option audit_rows[] = {
    ROW("since", OPTION_PAST, since_ns, 0, 0),
    ROW("limit", OPTION_U32, count, 1, AUDIT_COUNT_MAX),
};
#undef ROW
const struct option_set http_audit_options = {audit_rows, hob_countof(audit_rows)};

/* The lines as the trail has them: objects already. */
static void put_lines(struct json_put *put, struct slice lines) {
    json_put_object(put);
    json_put_key(put, "lines");
    json_put_array(put);
    while (lines.size > 0) {
        const char *end = memchr(lines.bytes, '\n', lines.size);
        if (end == NULL) break; /* torn by a crash */
        size_t size = (size_t)(end - lines.bytes);
        if (size > 0) json_put_raw(put, slice_of(lines.bytes, size));
        lines = slice_of(end + 1, lines.size - size - 1);
    }
    json_put_array_end(put);
    json_put_object_end(put);
}

void http_audit(struct http_session *session, const struct call *call) {
    struct host *host = session->base.host;
    struct audit_request request = {.count = AUDIT_COUNT_DEFAULT};
    if (!http_query(session, call, &request)) {
        http_refuse(session);
        return;
    }
    bool is_lines = http_is_type(session, SLICE("application/x-ndjson"));
    struct buf *to = is_lines ? &host->reply : &host->scratch;
    struct hob_error err = {0};
    buf_reset(to);
    if (host->ops->audit(host->context, request.since_ns, request.count, to, &err) != HOB_OK) {
        http_problem(session, 500, "ERR", slice_str(err.text));
        return;
    }
    if (is_lines) {
        http_reply(session, 200, "application/x-ndjson");
        return;
    }
    struct json_put put = http_json(session);
    put_lines(&put, buf_slice(&host->scratch));
    http_reply_json(session, 200);
}
