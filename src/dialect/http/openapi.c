/* SPDX-License-Identifier: Apache-2.0 */
/* GET /openapi.json: this interface as OpenAPI 3.1, made of the tables that serve it (routes,
 * shapes, options, fields), so that it cannot say what the server does not do. It is made anew for
 * each request: some hundred microseconds, and nobody asks often. */
#include "dialect/http/openapi.h"

#include "base/assert.h"

/* --- small parts --- */

void openapi_text(struct json_put *put, const char *json) {
    HOB_AUTO_BUF struct buf text = buf_make(16 * 1024);
    for (const char *at = json; *at != '\0'; at++) {
        (void)buf_put_char(&text, (char)(*at == '\'' ? '"' : *at));
    }
    json_put_raw(put, buf_slice(&text));
}

void openapi_ref(struct json_put *put, const char *section, struct slice name) {
    HOB_AUTO_BUF struct buf ref = buf_make(256);
    (void)buf_printf(&ref, "#/components/%s/", section);
    (void)buf_put_slice(&ref, name);
    json_put_object(put);
    json_put_key(put, "$ref");
    json_put_text(put, buf_slice(&ref));
    json_put_object_end(put);
}

static void put_member(struct json_put *put, const char *key, const char *text) {
    json_put_key(put, key);
    json_put_str(put, text);
}

/* The first word of *rest, which goes behind it; false at the end. */
static bool next_word(struct slice *rest, struct slice *ret_word) {
    while (rest->size > 0 && rest->bytes[0] == ' ') {
        *rest = slice_of(rest->bytes + 1, rest->size - 1);
    }
    if (rest->size == 0) return false;
    size_t size = 0;
    while (size < rest->size && rest->bytes[size] != ' ') size++;
    *ret_word = slice_of(rest->bytes, size);
    *rest = slice_of(rest->bytes + size, rest->size - size);
    return true;
}

/* --- parameters --- */

/* What the first star of a path is. */
static const char *star_name(const char *path) {
    if (strncmp(path, "/v1/jobs/", 9) == 0) return "id";
    if (strncmp(path, "/v1/limiters/", 13) == 0) return "limiter";
    return strncmp(path, "/problems/", 10) == 0 ? "code" : "name";
}

static void put_path_parameter(struct json_put *put, const char *name) {
    bool is_job = strcmp(name, "id") == 0;
    json_put_object(put);
    put_member(put, "name", name);
    put_member(put, "in", "path");
    json_put_key(put, "required");
    json_put_bool(put, true);
    json_put_key(put, "schema");
    if (strcmp(name, "limiter") == 0) {
        openapi_text(put, "{'type':'string','minLength':1,'maxLength':200}"); /* or a rule */
    } else {
        openapi_ref(put, "schemas", is_job ? SLICE("JobId") : SLICE("Name"));
    }
    json_put_object_end(put);
}

/* One for each star. */
static void put_path_parameters(struct json_put *put, const char *path) {
    const char *star = strchr(path, '*');
    if (star == NULL) return;
    put_path_parameter(put, star_name(path));
    if (strchr(star + 1, '*') != NULL) put_path_parameter(put, "group");
}

static void put_parameters(struct json_put *put, const struct http_route *route) {
    const struct http_shape *shape = http_shape_of(route);
    json_put_key(put, "parameters");
    json_put_array(put);
    put_path_parameters(put, route->path);
    openapi_ref(put, "parameters", SLICE("X-Request-Id"));
    struct slice rest = slice_str(shape->headers);
    struct slice name;
    while (next_word(&rest, &name)) openapi_ref(put, "parameters", name);
    for (size_t i = 0; shape->params != NULL && i < shape->params->count; i++) {
        const struct option *option = &shape->params->options[i];
        if (option->member == NULL) continue;
        json_put_object(put);
        put_member(put, "name", option->member);
        put_member(put, "in", "query");
        json_put_key(put, "schema");
        openapi_option(put, option);
        json_put_object_end(put);
    }
    json_put_array_end(put);
}

/* --- bodies --- */

static void put_request_body(struct json_put *put, const struct http_route *route) {
    const struct http_shape *shape = http_shape_of(route);
    if (route->body == BODY_NONE) return;
    json_put_key(put, "requestBody");
    json_put_object(put);
    json_put_key(put, "content");
    json_put_object(put);
    if (route->body != BODY_LINES) {
        json_put_key(put, "application/json");
        json_put_object(put);
        json_put_key(put, "schema");
        openapi_body(put, shape->members, shape->extra);
        json_put_object_end(put);
    }
    if (route->body == BODY_JOBS || route->body == BODY_LINES) {
        json_put_key(put, "application/x-ndjson");
        json_put_object(put);
        json_put_key(put, "schema"); /* of a line: OpenAPI 3.1 has no word for that */
        openapi_body(put, shape->members, shape->extra);
        json_put_object_end(put);
    }
    json_put_object_end(put);
    json_put_object_end(put);
}

/* What a line is when the whole is @schema. */
static struct slice line_of(struct slice schema) {
    static const struct {
        const char *whole;
        const char *line;
    } lines[] = {
        {"JobPage", "JobRow"},
        {"QueuePage", "Queue"},
        {"WorkerPage", "Worker"},
        {"Log", "LogLine"},
        {"PushedOrJob", "PushedLine"},
        {"Audit", "AuditLine"},
    };
    for (size_t i = 0; i < hob_countof(lines); i++) {
        if (slice_equal(schema, slice_str(lines[i].whole))) return slice_str(lines[i].line);
    }
    return schema;
}

static void put_content(struct json_put *put, const struct http_shape *shape, const char *schema) {
    json_put_key(put, "content");
    json_put_object(put);
    struct slice rest = slice_str(shape->offers == NULL ? "*/*" : shape->offers);
    struct slice type;
    while (next_word(&rest, &type)) {
        bool is_json = slice_equal(type, SLICE("application/json"));
        bool is_lines = slice_equal(type, SLICE("application/x-ndjson"));
        json_put_key_slice(put, type);
        json_put_object(put);
        json_put_key(put, "schema");
        if (schema != NULL && is_json) {
            openapi_ref(put, "schemas", slice_str(schema));
        } else if (schema != NULL && is_lines) {
            openapi_ref(put, "schemas", line_of(slice_str(schema)));
        } else {
            openapi_text(put, shape->offers == NULL ? "{}" : "{'type':'string'}");
        }
        json_put_object_end(put);
    }
    json_put_object_end(put);
}

static void put_response_headers(struct json_put *put, const struct http_shape *shape) {
    struct slice rest = slice_str(shape->gives);
    struct slice name;
    json_put_key(put, "headers");
    json_put_object(put);
    json_put_key(put, "X-Request-Id");
    openapi_ref(put, "headers", SLICE("X-Request-Id"));
    while (next_word(&rest, &name)) {
        json_put_key_slice(put, name);
        openapi_ref(put, "headers", name);
    }
    json_put_object_end(put);
}

static void put_responses(struct json_put *put, const struct http_shape *shape) {
    json_put_key(put, "responses");
    json_put_object(put);
    for (size_t i = 0; i < HTTP_ANSWERS_MAX && shape->answers[i].status != 0; i++) {
        unsigned status = shape->answers[i].status;
        HOB_AUTO_BUF struct buf key = buf_make(8);
        (void)buf_put_u64(&key, status);
        json_put_key_slice(put, buf_slice(&key));
        json_put_object(put);
        put_member(put, "description", http_status_text(status));
        put_response_headers(put, shape);
        if (status != 204 && status != 304) put_content(put, shape, shape->answers[i].schema);
        json_put_object_end(put);
    }
    json_put_key(put, "4XX");
    openapi_ref(put, "responses", SLICE("Problem"));
    json_put_key(put, "5XX");
    openapi_ref(put, "responses", SLICE("Problem"));
    json_put_object_end(put);
}

/* --- paths --- */

/* The part behind /v1/; what has none is of the server. */
static struct slice tag_of(const char *path) {
    if (strncmp(path, "/v1/", 4) != 0) return SLICE("server");
    return slice_of(path + 4, strcspn(path + 4, "/"));
}

static void put_operation(struct json_put *put, const struct http_route *route) {
    static const char *const words[] = {
        [HTTP_METHOD_GET] = "get",
        [HTTP_METHOD_POST] = "post",
        [HTTP_METHOD_PUT] = "put",
        [HTTP_METHOD_PATCH] = "patch",
        [HTTP_METHOD_DELETE] = "delete",
    };
    hob_assert(route->method < hob_countof(words));
    hob_assert(words[route->method] != NULL);
    json_put_key(put, words[route->method]);
    json_put_object(put);
    put_member(put, "operationId", route->name + strlen("http_"));
    put_member(put, "summary", route->summary);
    HOB_AUTO_BUF struct buf text = buf_make(256);
    (void)buf_printf(&text, "Scope: %s.", scope_word(route->scope));
    json_put_key(put, "description");
    json_put_text(put, buf_slice(&text));
    json_put_key(put, "tags");
    json_put_array(put);
    json_put_text(put, tag_of(route->path));
    json_put_array_end(put);
    if (route->scope == SCOPE_NONE) {
        json_put_key(put, "security");
        openapi_text(put, "[]");
    }
    put_parameters(put, route);
    put_request_body(put, route);
    put_responses(put, http_shape_of(route));
    json_put_object_end(put);
}

static bool came_before(size_t at) {
    for (size_t i = 0; i < at; i++) {
        if (strcmp(http_routes[i].path, http_routes[at].path) == 0) return true;
    }
    return false;
}

static void put_path_key(struct json_put *put, const char *path) {
    HOB_AUTO_BUF struct buf key = buf_make(256);
    const char *star = strchr(path, '*');
    size_t size = star == NULL ? strlen(path) : (size_t)(star - path);
    (void)buf_put(&key, path, size);
    const char *rest = star == NULL ? NULL : star + 1;
    const char *second = rest == NULL ? NULL : strchr(rest, '*');
    if (star != NULL) (void)buf_printf(&key, "{%s}", star_name(path));
    if (second != NULL) {
        (void)buf_printf(&key, "%.*s{group}", (int)(second - rest), rest);
        rest = second + 1;
    }
    if (rest != NULL) (void)buf_put_str(&key, rest);
    json_put_key_slice(put, buf_slice(&key));
}

static void put_paths(struct json_put *put) {
    json_put_key(put, "paths");
    json_put_object(put);
    for (size_t i = 0; i < http_route_count; i++) {
        if (came_before(i)) continue;
        put_path_key(put, http_routes[i].path);
        json_put_object(put);
        for (size_t at = i; at < http_route_count; at++) {
            bool same = strcmp(http_routes[at].path, http_routes[i].path) == 0;
            if (same) put_operation(put, &http_routes[at]);
        }
        json_put_object_end(put);
    }
    json_put_object_end(put);
}

static bool tag_came_before(size_t at) {
    for (size_t i = 0; i < at; i++) {
        if (slice_equal(tag_of(http_routes[i].path), tag_of(http_routes[at].path))) return true;
    }
    return false;
}

static void put_tags(struct json_put *put) {
    json_put_key(put, "tags");
    json_put_array(put);
    for (size_t i = 0; i < http_route_count; i++) {
        if (tag_came_before(i)) continue;
        json_put_object(put);
        json_put_key(put, "name");
        json_put_text(put, tag_of(http_routes[i].path));
        put_member(put, "description", http_routes[i].summary);
        json_put_object_end(put);
    }
    json_put_array_end(put);
}

/* --- the whole --- */

#define PARAMETERS                                                                            \
    "{'X-Request-Id':{'name':'X-Request-Id','in':'header','description':'A name for this "    \
    "request; it comes back, and is logged.','schema':{'type':'string','maxLength':64}},"     \
    "'Prefer':{'name':'Prefer','in':'header','description':'RFC 7240: wait=SECONDS until "    \
    "the job is final; return=minimal or return=representation.','schema':"                   \
    "{'type':'string'}},"                                                                     \
    "'Idempotency-Key':{'name':'Idempotency-Key','in':'header','description':'A second "      \
    "push with it answers with the first job.','schema':{'type':'string','minLength':1,"      \
    "'maxLength':255}},"                                                                      \
    "'If-None-Match':{'name':'If-None-Match','in':'header','description':'An ETag: 304 if "   \
    "nothing has changed.','schema':{'type':'string'}},"                                      \
    "'If-Match':{'name':'If-Match','in':'header','description':'The ETag that the change is " \
    "made of: 412 if the job has changed since.','schema':{'type':'string'}},"                \
    "'traceparent':{'name':'traceparent','in':'header','description':'W3C Trace Context: "    \
    "becomes a header of the job.','schema':{'type':'string'}},"                              \
    "'tracestate':{'name':'tracestate','in':'header','description':'W3C Trace Context.',"     \
    "'schema':{'type':'string'}},"                                                            \
    "'Last-Event-ID':{'name':'Last-Event-ID','in':'header','description':'Go on behind "      \
    "this event.','schema':{'type':'string','maxLength':64}}}"

#define HEADERS                                                                         \
    "{'X-Request-Id':{'schema':{'type':'string'}},"                                     \
    "'Location':{'schema':{'type':'string','format':'uri-reference'}},"                 \
    "'Retry-After':{'description':'Seconds.','schema':{'type':'integer','minimum':1}}," \
    "'Preference-Applied':{'schema':{'type':'string'}},"                                \
    "'ETag':{'schema':{'type':'string'}},"                                              \
    "'Link':{'description':'rel=next: the next page.','schema':{'type':'string'}}}"

#define PROBLEM                                                                     \
    "{'Problem':{'description':'A problem (RFC 9457).','content':"                  \
    "{'application/problem+json':{'schema':{'$ref':'#/components/schemas/Problem'}" \
    "}}}}"

void http_openapi(struct http_session *session, const struct call *call) {
    (void)call;
    const struct host *host = session->base.host;
    struct json_put put = http_json(session);
    json_put_object(&put);
    put_member(&put, "openapi", "3.1.0");
    json_put_key(&put, "info");
    json_put_object(&put);
    put_member(&put, "title", "Hob");
    put_member(&put, "version", host->version);
    put_member(
        &put,
        "description",
        "Hob keeps background jobs: push a job, get its result later. What an object shows may "
        "grow by members: readers ignore what they do not know."
    );
    json_put_key(&put, "license");
    openapi_text(&put, "{'name':'Apache 2.0','identifier':'Apache-2.0'}");
    json_put_object_end(&put);
    json_put_key(&put, "servers");
    openapi_text(&put, "[{'url':'/'}]");
    json_put_key(&put, "security");
    openapi_text(&put, "[{'token':[]},{}]");
    put_tags(&put);
    put_paths(&put);
    json_put_key(&put, "components");
    json_put_object(&put);
    openapi_schemas(&put, host);
    json_put_key(&put, "parameters");
    openapi_text(&put, PARAMETERS);
    json_put_key(&put, "headers");
    openapi_text(&put, HEADERS);
    json_put_key(&put, "responses");
    openapi_text(&put, PROBLEM);
    json_put_key(&put, "securitySchemes");
    openapi_text(&put, "{'token':{'type':'http','scheme':'bearer'}}");
    json_put_object_end(&put);
    json_put_object_end(&put);
    http_reply_tagged(session, 0, 0);
}
