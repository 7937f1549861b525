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
    {HTTP_METHOD_##method, path, run, SCOPE_##scope, body, summary},
    HTTP_ROUTES(X)
#undef X
};
const size_t http_route_count = hob_countof(http_routes);

/* Does the path of @request fit the pattern @path? *ret_name is its *. */
static bool
path_fits(const char *path, const struct http_request *request, struct slice *ret_name) {
    size_t segment = 0;
    const char *at = path;
    while (*at == '/') {
        const char *end = at + 1;
        while (*end != '\0' && *end != '/') end++;
        if (segment == request->segments_count) return false;
        struct slice wanted = slice_of(at + 1, (size_t)(end - at - 1));
        struct slice given = request->segments[segment++];
        if (slice_equal(wanted, SLICE("*"))) {
            *ret_name = given;
        } else if (!slice_equal(wanted, given)) {
            return false;
        }
        at = end;
    }
    return segment == request->segments_count;
}

static const char *method_word(enum http_method method) {
    static const char *const words[] = {
        [HTTP_METHOD_GET] = "GET, HEAD",
        [HTTP_METHOD_HEAD] = "HEAD",
        [HTTP_METHOD_POST] = "POST",
        [HTTP_METHOD_PUT] = "PUT",
        [HTTP_METHOD_PATCH] = "PATCH",
        [HTTP_METHOD_DELETE] = "DELETE",
        [HTTP_METHOD_OPTIONS] = "OPTIONS",
        [HTTP_METHOD_OTHER] = "",
    };
    return words[method];
}

/* The route, or NULL; *ret_allowed gets the methods that the path has. */
static const struct http_route *
find_route(const struct http_request *request, struct slice *ret_name, struct buf *ret_allowed) {
    enum http_method method = request->method;
    if (method == HTTP_METHOD_HEAD) method = HTTP_METHOD_GET;
    for (size_t i = 0; i < http_route_count; i++) {
        const struct http_route *route = &http_routes[i];
        if (!path_fits(route->path, request, ret_name)) continue;
        if (route->method == method) return route;
        if (ret_allowed->size > 0) (void)buf_put_str(ret_allowed, ", ");
        (void)buf_put_str(ret_allowed, method_word(route->method));
    }
    return NULL;
}

static void
no_route(struct http_session *session, const struct http_request *request, struct slice allowed) {
    struct buf *text = &session->base.host->complaint;
    buf_reset(text);
    if (allowed.size == 0) {
        (void)buf_put_str(text, "there is no ");
        quote_given(text, request->path);
        (void)buf_put_str(text, ": jobs are at /v1/jobs");
        http_problem(session, 404, "NOROUTE", buf_slice(text));
        return;
    }
    http_put_status(session->base.out, 405, session->keep_alive);
    (void)http_put_header(session->base.out, "Allow", allowed);
    http_put_body(session->base.out, SLICE_NONE);
    session->is_answered = true;
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
    bool has_type = http_header(call->request, SLICE("Content-Type"), &type);
    if (!has_type && call->request->body.size == 0) return true;
    if (type_is(type, SLICE("application/json"))) return true;
    call->is_lines = body == BODY_JOBS && type_is(type, SLICE("application/x-ndjson"));
    if (call->is_lines) return true;
    http_problem(
        session,
        415,
        "ERR",
        body == BODY_JOBS ? SLICE("the body must be application/json, or application/x-ndjson")
                          : SLICE("the body must be application/json: say so in Content-Type")
    );
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

void http_dispatch(struct http_session *session, const struct http_request *request) {
    HOB_AUTO_BUF struct buf allowed = buf_make(256);
    struct call call = {.request = request};
    session->is_head = request->method == HTTP_METHOD_HEAD;
    const struct http_route *route = find_route(request, &call.name, &allowed);
    if (route == NULL) {
        no_route(session, request, buf_slice(&allowed));
        return;
    }
    if (route->method != HTTP_METHOD_GET && is_cross_site(request)) {
        http_problem(
            session, 403, "ORIGIN", SLICE("a page of another site may not change anything here")
        );
        return;
    }
    if (!session_begin(&session->base, route->scope)) {
        http_deny(session);
        return;
    }
    if (route->body != BODY_NONE) {
        if (!check_type(session, route->body, &call)) return;
        if (!call.is_lines && !parse_json(session, &call)) return;
    }
    /* Decoded strings are slices of this room, which must not move while they are in use. Decoding
     * never makes longer; base64 is read from text that may itself have been decoded. */
    buf_reset(&session->base.host->scratch);
    (void)buf_reserve(&session->base.host->scratch, 2 * request->body.size + 1);
    route->run(session, &call);
}
