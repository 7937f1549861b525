/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to its route, and what is checked on the way, for all routes alike.
 *
 * A browser can be made to send requests to a server on its user's machine by any page it shows.
 * Such requests that change something are refused: they carry an Origin other than this server's,
 * or say that they are cross-site; and the bodies that a page may send without asking first (forms,
 * plain text, no type at all) are no JSON. */
#include "base/assert.h"
#include "dialect/http/core.h"

const struct http_route http_routes[] = {
#define X(method, path, run, scope, body, summary) \
    {HTTP_METHOD_##method, path, run, SCOPE_##scope, body, #run, summary},
    HTTP_ROUTES(X)
#undef X
};
const size_t http_route_count = hob_countof(http_routes);

/* What stands for the stars of a path: the last one, and the one before it. */
struct stars {
    struct slice name;
    struct slice owner;
};

/* Does the path of @request fit the pattern @path? */
static bool
path_fits(const char *path, const struct http_request *request, struct stars *ret_stars) {
    size_t segment = 0;
    const char *at = path;
    *ret_stars = (struct stars){.name = SLICE_NONE};
    while (*at == '/') {
        const char *end = at + 1;
        while (*end != '\0' && *end != '/') end++;
        if (segment == request->segments_count) return false;
        struct slice wanted = slice_of(at + 1, (size_t)(end - at - 1));
        struct slice given = request->segments[segment++];
        if (slice_equal(wanted, SLICE("*"))) {
            *ret_stars = (struct stars){.name = given, .owner = ret_stars->name};
        } else if (!slice_equal(wanted, given)) {
            return false;
        }
        at = end;
    }
    return segment == request->segments_count;
}

/* The pattern of this path: the first that fits, those without * before those with it. NULL: there
 * is no such path. */
static const char *find_path(const struct http_request *request, struct stars *ret_stars) {
    const char *found = NULL;
    for (size_t i = 0; i < http_route_count; i++) {
        const char *path = http_routes[i].path;
        bool has_star = strchr(path, '*') != NULL;
        if (found != NULL && has_star) continue;
        struct stars stars;
        if (!path_fits(path, request, &stars)) continue;
        *ret_stars = stars;
        found = path;
        if (!has_star) break;
    }
    return found;
}

static const struct http_route *find_method(const char *path, enum http_method method) {
    if (method == HTTP_METHOD_HEAD) method = HTTP_METHOD_GET;
    for (size_t i = 0; i < http_route_count; i++) {
        const struct http_route *route = &http_routes[i];
        if (route->method == method && strcmp(route->path, path) == 0) return route;
    }
    return NULL;
}

/* --- paths and methods that are not there --- */

static void no_path(struct http_session *session, const struct http_request *request) {
    struct buf *text = &session->base.host->complaint;
    buf_reset(text);
    (void)buf_put_str(text, "there is no ");
    quote_given(text, request->path);
    (void)buf_put_str(text, ": jobs are at /v1/jobs");
    http_problem(session, 404, "NOROUTE", buf_slice(text));
}

/* What Allow says of @path; NULL: of the server as a whole. */
static void put_allowed(struct buf *allowed, const char *path) {
    static const char *const words[] = {
        [HTTP_METHOD_GET] = "GET, HEAD, ",
        [HTTP_METHOD_POST] = "POST, ",
        [HTTP_METHOD_PUT] = "PUT, ",
        [HTTP_METHOD_PATCH] = "PATCH, ",
        [HTTP_METHOD_DELETE] = "DELETE, ",
    };
    for (size_t method = 0; method < hob_countof(words); method++) {
        if (words[method] == NULL) continue;
        bool is_there = path == NULL || find_method(path, (enum http_method)method) != NULL;
        if (is_there && method != HTTP_METHOD_HEAD) (void)buf_put_str(allowed, words[method]);
    }
    (void)buf_put_str(allowed, "OPTIONS");
}

static void
no_method(struct http_session *session, const struct http_request *request, const char *path) {
    HOB_AUTO_BUF struct buf allowed = buf_make(128);
    put_allowed(&allowed, path);
    if (request->method == HTTP_METHOD_OPTIONS) {
        http_head(session, 204);
        (void)http_put_header(session->base.out, "Allow", buf_slice(&allowed));
        http_put_no_body(session->base.out);
        session->is_answered = true;
        return;
    }
    struct buf *text = &session->base.host->complaint;
    buf_reset(text);
    quote_given(text, request->path);
    (void)buf_put_str(text, " has no ");
    quote_given(text, request->method_text);
    (void)buf_put_str(text, ": it has ");
    (void)buf_put_slice(text, buf_slice(&allowed));
    http_problem_begin(session, 405, "METHOD", buf_slice(text));
    (void)http_put_header(session->base.out, "Allow", buf_slice(&allowed));
    http_reply_body(session);
}

/* --- who may ask --- */

/* Is @origin this server, as the client calls it ("http://" or "https://", then Host)? */
static bool is_own_origin(struct slice origin, struct slice host) {
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < hob_countof(schemes); i++) {
        struct slice scheme = slice_str(schemes[i]);
        if (origin.size <= scheme.size) continue;
        if (memcmp(origin.bytes, scheme.bytes, scheme.size) != 0) continue;
        struct slice rest = slice_of(origin.bytes + scheme.size, origin.size - scheme.size);
        if (slice_equal_nocase(rest, host)) return true;
    }
    return false;
}

static bool is_cross_site(const struct http_request *request) {
    struct slice value;
    struct slice host = SLICE_NONE;
    (void)http_header(request, SLICE("Host"), &host);
    if (http_header(request, SLICE("Origin"), &value) && !is_own_origin(value, host)) return true;
    return http_header(request, SLICE("Sec-Fetch-Site"), &value) &&
           (slice_equal_nocase(value, SLICE("cross-site")) ||
            slice_equal_nocase(value, SLICE("same-site")));
}

void http_deny(struct http_session *session) {
    struct answer denied = session_denied(&session->base);
    http_answer_problem(session, &denied);
}

/* --- what it may carry --- */

static bool type_is(struct slice type, struct slice wanted) {
    size_t end = 0;
    while (end < type.size && type.bytes[end] != ';' && type.bytes[end] != ' ') end++;
    return slice_equal_nocase(slice_of(type.bytes, end), wanted);
}

static bool check_type(struct http_session *session, enum http_body body, struct call *call) {
    struct slice type = SLICE_NONE;
    struct slice coding = SLICE_NONE;
    bool has_coding = http_header(call->request, SLICE("Content-Encoding"), &coding) &&
                      !slice_equal_nocase(coding, SLICE("identity"));
    bool has_type = http_header(call->request, SLICE("Content-Type"), &type);
    bool is_json = type_is(type, SLICE("application/json"));
    bool is_lines = type_is(type, SLICE("application/x-ndjson"));
    bool may_be_lines = body == BODY_JOBS || body == BODY_LINES;
    call->is_lines = may_be_lines && is_lines;
    if (has_coding) {
        http_problem(session, 415, "TYPE", SLICE("Content-Encoding: send the body as it is"));
        return false;
    }
    if (call->is_lines || (is_json && body != BODY_LINES)) return true;
    bool is_empty = !has_type && call->request->body.size == 0;
    if (is_empty && body != BODY_LINES) return true;
    static const char *const texts[] = {
        [BODY_NONE] = "",
        [BODY_JSON] = "the body must be application/json: say so in Content-Type",
        [BODY_JOBS] = "the body must be application/json, or application/x-ndjson",
        [BODY_LINES] = "the body must be application/x-ndjson: a JSON object a line",
    };
    http_problem(session, 415, "TYPE", slice_str(texts[body]));
    return false;
}

static bool parse_json(struct http_session *session, struct call *call) {
    struct slice body = call->request->body;
    if (body.size == 0) body = SLICE("{}");
    struct buf *text = &session->base.host->complaint;
    struct json_error error = {0};
    buf_reset(text);
    if (!json_parse(body, &call->json, &error)) {
        (void)buf_put_str(text, "the body is no JSON: ");
        (void)buf_put_str(text, error.text);
        (void)buf_put_str(text, " at byte ");
        (void)buf_put_u64(text, error.offset);
    } else if (call->json.type != JSON_IS_OBJECT) {
        (void)buf_put_str(text, "the body must be a JSON object, as {\"queue\": \"mail\"}");
    } else {
        return true;
    }
    http_refuse(session);
    return false;
}

static void not_acceptable(struct http_session *session) {
    struct buf *text = &session->base.host->complaint;
    buf_reset(text);
    (void)buf_put_str(text, "this path answers ");
    (void)buf_put_str(text, http_shape_of(session->route)->offers);
    http_problem(session, 406, "ACCEPT", buf_slice(text));
}

/* What all routes check of a request; false when the response is a problem. */
static bool admit(struct http_session *session, struct call *call) {
    const struct http_route *route = session->route;
    if (route->method != HTTP_METHOD_GET && is_cross_site(call->request)) {
        http_problem(
            session, 403, "ORIGIN", SLICE("a page of another site may not change anything here")
        );
        return false;
    }
    if (!session_begin(&session->base, route->scope)) {
        http_deny(session);
        return false;
    }
    if (!http_negotiate(session, call->request)) {
        not_acceptable(session);
        return false;
    }
    if (http_shape_of(route)->params == NULL && !http_query(session, call, NULL)) {
        http_refuse(session);
        return false;
    }
    if (route->body == BODY_NONE) return true;
    if (!check_type(session, route->body, call)) return false;
    return call->is_lines || parse_json(session, call);
}

/* --- who asks, and whom --- */

/* A page whose name was made to point here (DNS rebinding) calls this server by a foreign name. */
static bool check_host(struct http_session *session, const struct http_request *request) {
    struct host *host = session->base.host;
    struct slice name;
    if (!http_header(request, SLICE("Host"), &name)) return true; /* HTTP/1.0 only, no browser */
    if (host->ops->host_is_own(host->context, &session->base, name)) return true;
    struct buf *text = &host->complaint;
    buf_reset(text);
    (void)buf_put_str(text, "this server is not called ");
    quote_given(text, name);
    (void)buf_put_str(text, ": name it with --host if it is");
    http_problem(session, 421, "HOST", buf_slice(text));
    return false;
}

/* "Authorization: Bearer TOKEN" (RFC 6750), for this request alone. */
static bool check_login(struct http_session *session, const struct http_request *request) {
    struct host *host = session->base.host;
    struct slice token = SLICE_NONE;
    struct slice scheme = SLICE("Bearer ");
    size_t count = 0;
    for (size_t i = 0; i < request->headers_count; i++) {
        if (!slice_equal_nocase(request->headers[i].name, SLICE("Authorization"))) continue;
        token = request->headers[i].value;
        count++;
    }
    bool is_bearer =
        token.size > scheme.size && slice_equal_nocase(slice_of(token.bytes, scheme.size), scheme);
    if (is_bearer) token = slice_of(token.bytes + scheme.size, token.size - scheme.size);
    enum login login = LOGIN_UNKNOWN;
    if (count == 0 || (count == 1 && is_bearer)) {
        login = host->ops->login(host->context, &session->base, SLICE_NONE, token);
    }
    if (login == LOGIN_OK) return true;
    session->keep_alive = false; /* each guess costs a connection */
    if (login == LOGIN_LATER) {
        struct answer later = {.code = ANSWER_LIMIT, .retry_after_ns = NS_PER_SECOND};
        later.detail = "too many wrong tokens";
        http_answer_problem(session, &later);
        return false;
    }
    struct answer denied = {
        .code = ANSWER_LOGIN,
        .detail = "there is no such token: it never was, has expired, or was revoked "
                  "(wanted: Authorization: Bearer TOKEN)",
    };
    http_answer_problem(session, &denied);
    return false;
}

void http_dispatch(struct http_session *session, const struct http_request *request) {
    struct call call = {.request = request};
    session->is_head = request->method == HTTP_METHOD_HEAD;
    if (!check_host(session, request) || !check_login(session, request)) return;
    struct stars stars = {.name = SLICE_NONE};
    const char *path = find_path(request, &stars);
    call.name = stars.name;
    call.owner = stars.owner;
    bool is_server = request->segments_count == 0 && slice_equal(request->target, SLICE("*"));
    if (path == NULL && !is_server) {
        no_path(session, request);
        return;
    }
    if (path != NULL) session->route = find_method(path, request->method);
    if (session->route == NULL) {
        no_method(session, request, path);
        return;
    }
    if (!admit(session, &call)) return;
    /* Decoded strings are slices of this room, which must not move while they are in use. Decoding
     * never makes longer; base64 is read from text that may itself have been decoded. The headers
     * of a job may grow by a trace context. */
    buf_reset(&session->base.host->scratch);
    (void)buf_reserve(&session->base.host->scratch, 2 * request->body.size + 1 + TRACE_BYTES_MAX);
    session->route->run(session, &call);
}
