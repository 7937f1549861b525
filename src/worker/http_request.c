/* SPDX-License-Identifier: Apache-2.0 */
/* Two sources, one request: what comes from the configuration is put first, what a payload says may
 * replace it, and what every request has is added at the end. */
#include "worker/http_request.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"
#include "worker/why.h"

struct making {
    const struct http_config *config;
    const struct http_source *source;
    struct http_request *request;
    struct slice method;
    bool url_is_made;
    struct buf url;
    struct slice secrets[SIGN_SECRETS_MAX];
    size_t secret_count;
    size_t header_bytes;
    char *why;
};

#define NO(making, ...) why_not((making)->why, REQUEST_WHY_BYTES_MAX, __VA_ARGS__)

static struct slice keep(struct making *making, struct slice text) {
    return slice_of(arena_text(&making->request->arena, text), text.size);
}

/* --- headers --- */

static struct http_header *header_find(struct http_request *request, struct slice name) {
    for (size_t i = 0; i < request->header_count; i++) {
        if (slice_equal_nocase(request->headers[i].name, name)) return &request->headers[i];
    }
    return NULL;
}

/* Set a header; a later value takes the place of an earlier one. */
static bool header_set(struct making *making, struct slice name, struct slice value) {
    struct http_request *request = making->request;
    while (value.size > 0 && (value.bytes[0] == ' ' || value.bytes[0] == '\t')) {
        value = slice_of(value.bytes + 1, value.size - 1);
    }
    making->header_bytes += name.size + value.size;
    if (making->header_bytes > HTTP_HEADER_BYTES_MAX) {
        return NO(making, "the headers of the request are larger than 32 KiB");
    }
    struct http_header *header = header_find(request, name);
    if (header == NULL) {
        if (request->header_count == hob_countof(request->headers)) {
            return NO(making, "the request has more than %d headers", HTTP_HEADERS_MAX);
        }
        header = &request->headers[request->header_count++];
        header->name = keep(making, name);
    }
    header->value = keep(making, value);
    return true;
}

static bool header_add(struct making *making, const char *name, struct slice value) {
    if (header_find(making->request, slice_str(name)) != NULL) return true;
    return header_set(making, slice_str(name), value);
}

static bool value_is_valid(struct slice value) {
    for (size_t i = 0; i < value.size; i++) {
        unsigned char c = (unsigned char)value.bytes[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) return false;
    }
    return true;
}

static bool json_header(struct making *making, struct slice raw_key, struct json_value value) {
    HOB_AUTO_BUF struct buf name = buf_make(raw_key.size + 1);
    HOB_AUTO_BUF struct buf text = buf_make(value.raw.size + 1);
    (void)json_decode_key(raw_key, &name);
    struct slice shown = buf_slice(&name);
    if (shown.size > 60) shown.size = 60;
    if (!http_header_is_valid(buf_slice(&name))) {
        return NO(making, "`%.*s` is no header that a request can set", SLICE_ARG(shown));
    }
    if (value.type != JSON_IS_STRING || !json_decode(value, &text)) {
        return NO(making, "the value of the header `%.*s` is no string", SLICE_ARG(shown));
    }
    if (!value_is_valid(buf_slice(&text))) {
        return NO(
            making,
            "the header `%.*s` has a line break or another control character in it",
            SLICE_ARG(shown)
        );
    }
    return header_set(making, buf_slice(&name), buf_slice(&text));
}

static bool config_headers(struct making *making) {
    const struct http_config *config = making->config;
    char why[TEMPLATE_WHY_BYTES_MAX];
    for (size_t i = 0; i < config->header_count; i++) {
        const struct http_header_config *header = &config->headers[i];
        HOB_AUTO_BUF struct buf value = buf_make(HTTP_HEADER_BYTES_MAX);
        if (!template_put(&header->value, &making->source->values, &value, why)) {
            return NO(making, "the header %s: %s", header->name, why);
        }
        if (!header_set(making, slice_str(header->name), buf_slice(&value))) return false;
    }
    return true;
}

/* --- from templates --- */

static bool method_has_body(struct slice method) {
    return !slice_equal(method, SLICE("GET")) && !slice_equal(method, SLICE("HEAD")) &&
           !slice_equal(method, SLICE("DELETE")) && !slice_equal(method, SLICE("OPTIONS"));
}

static bool from_templates(struct making *making) {
    const struct http_config *config = making->config;
    const struct template_values *values = &making->source->values;
    struct http_request *request = making->request;
    char why[TEMPLATE_WHY_BYTES_MAX];
    if (!template_put(&config->url, values, &making->url, why)) {
        return NO(making, "the URL: %s", why);
    }
    making->url_is_made = config->url.has_fields;
    making->method = config->method == NULL ? SLICE("POST") : slice_str(config->method);
    if (config->has_body) {
        HOB_AUTO_BUF struct buf body = buf_make(HTTP_BODY_BYTES_MAX);
        if (!template_put(&config->body, values, &body, why)) {
            return NO(making, "the body: %s", why);
        }
        request->has_body = true;
        request->body = keep(making, buf_slice(&body));
        return header_add(making, "content-type", SLICE("application/json"));
    }
    if (!method_has_body(making->method)) return true;
    request->has_body = true;
    request->body = keep(making, values->payload);
    bool json = json_valid(values->payload);
    return header_add(
        making, "content-type", json ? SLICE("application/json") : SLICE("application/octet-stream")
    );
}

/* --- from the payload --- */

static bool json_word(struct making *making, struct json_value value, struct slice *ret_text) {
    HOB_AUTO_BUF struct buf text = buf_make(value.raw.size + 1);
    if (value.type != JSON_IS_STRING || !json_decode(value, &text)) return false;
    *ret_text = keep(making, buf_slice(&text));
    return true;
}

static bool member_url(struct making *making, struct json_value value) {
    if (value.type == JSON_IS_STRING && json_decode(value, &making->url)) return true;
    return NO(making, "`url` is no string, or too long");
}

static bool member_method(struct making *making, struct json_value value) {
    if (json_word(making, value, &making->method) && http_method_is_valid(making->method)) {
        return true;
    }
    return NO(making, "`method` is written in A to Z, like \"PUT\"; not CONNECT, not TRACE");
}

static bool member_headers(struct making *making, struct json_value value) {
    if (value.type != JSON_IS_OBJECT) return NO(making, "`headers` is no object of strings");
    struct json_walk walk = json_walk(value);
    struct slice key;
    struct json_value item;
    while (json_next_member(&walk, &key, &item)) {
        if (!json_header(making, key, item)) return false;
    }
    return true;
}

static bool member_body(struct making *making, struct json_value value) {
    struct http_request *request = making->request;
    if (value.type == JSON_IS_NULL) return true;
    request->has_body = true;
    if (value.type == JSON_IS_STRING) return json_word(making, value, &request->body);
    request->body = keep(making, value.raw);
    return true;
}

static bool member_base64(struct making *making, struct json_value value) {
    struct slice text;
    HOB_AUTO_BUF struct buf bytes = buf_make(HTTP_BODY_BYTES_MAX);
    if (!json_word(making, value, &text) || !base64_decode(text, &bytes)) {
        return NO(making, "`body_base64` is no base64");
    }
    making->request->has_body = true;
    making->request->body = keep(making, buf_slice(&bytes));
    return true;
}

/* Whoever can push a job must not have words of their own signed by any secret that there is. */
static bool secret_is_granted(const struct http_config *config, struct slice name) {
    for (size_t i = 0; i < config->secret_count; i++) {
        if (slice_equal(slice_str(config->secrets[i]), name)) return true;
    }
    for (size_t i = 0; i < config->granted_count; i++) {
        if (slice_equal(slice_str(config->granted[i]), name)) return true;
    }
    return false;
}

static bool secret_add(struct making *making, struct json_value value) {
    if (making->secret_count == SIGN_SECRETS_MAX) {
        return NO(making, "more than %d secrets", SIGN_SECRETS_MAX);
    }
    struct slice name;
    if (!json_word(making, value, &name)) {
        return NO(making, "`secret` is the name of a secret, or a list of them");
    }
    if (!secret_is_granted(making->config, name)) {
        if (name.size > 60) name.size = 60;
        return NO(
            making,
            "no job may sign with a secret `%.*s` here: %s does not name it",
            SLICE_ARG(name),
            making->source->is_callback ? "`callbacks.secrets` of the server"
                                        : "`secrets` of the kind"
        );
    }
    making->secrets[making->secret_count++] = name;
    return true;
}

static bool member_secret(struct making *making, struct json_value value) {
    making->secret_count = 0;
    if (value.type != JSON_IS_ARRAY) return secret_add(making, value);
    struct json_walk walk = json_walk(value);
    struct json_value item;
    while (json_next_item(&walk, &item)) {
        if (!secret_add(making, item)) return false;
    }
    return true;
}

static bool member_timeout(struct making *making, struct json_value value) {
    struct slice text;
    hob_ns span = 0;
    if (!json_word(making, value, &text) || !text_duration(text, 0, &span) || span == 0) {
        return NO(making, "`timeout` is a span with its unit, like \"10s\"");
    }
    if (span < making->request->timeout_ns) making->request->timeout_ns = span;
    return true;
}

static const struct {
    const char *name;
    bool (*take)(struct making *making, struct json_value value);
} members[] = {
    {"url", member_url},
    {"method", member_method},
    {"headers", member_headers},
    {"body", member_body},
    {"body_base64", member_base64},
    {"secret", member_secret},
    {"timeout", member_timeout},
};

static bool member_take(
    struct making *making,
    struct slice key,
    struct json_value value,
    bool seen[hob_countof(members)]
) {
    for (size_t i = 0; i < hob_countof(members); i++) {
        if (!json_key_is(key, slice_str(members[i].name))) continue;
        if (seen[i]) return NO(making, "`%s` is there twice", members[i].name);
        seen[i] = true;
        return members[i].take(making, value);
    }
    if (key.size > 60) key.size = 60;
    return NO(
        making,
        "the request has a member `%.*s`; there are url, method, headers, body, body_base64, "
        "secret, timeout",
        SLICE_ARG(key)
    );
}

static bool from_payload(struct making *making) {
    struct http_request *request = making->request;
    struct json_value object;
    bool seen[hob_countof(members)] = {false};
    if (!json_parse(making->source->values.payload, &object, NULL) ||
        object.type != JSON_IS_OBJECT) {
        return NO(
            making, "the payload is not the JSON of a request, like {\"url\": \"https://…\"}"
        );
    }
    struct json_walk walk = json_walk(object);
    struct slice key;
    struct json_value value;
    bool body_is_text = false;
    while (json_next_member(&walk, &key, &value)) {
        if (!member_take(making, key, value, seen)) return false;
        if (json_key_is(key, SLICE("body"))) body_is_text = value.type == JSON_IS_STRING;
    }
    if (!seen[0]) return NO(making, "the request has no `url`");
    if (seen[3] && seen[4]) return NO(making, "the request has both body and body_base64");
    if (making->method.size == 0) {
        making->method = request->has_body ? SLICE("POST") : SLICE("GET");
        if (making->config->method != NULL) making->method = slice_str(making->config->method);
    }
    if (!request->has_body) {
        request->has_body = method_has_body(making->method); /* and it is empty */
        return true;
    }
    struct slice type = SLICE("application/json");
    if (body_is_text) type = SLICE("text/plain; charset=utf-8");
    if (seen[4]) type = SLICE("application/octet-stream");
    return header_add(making, "content-type", type);
}

/* --- what every request has --- */

static bool sign(struct making *making, struct slice id) {
    const struct template_values *values = &making->source->values;
    struct http_request *request = making->request;
    struct sign_key keys[SIGN_SECRETS_MAX];
    for (size_t i = 0; i < making->secret_count; i++) {
        struct slice name = making->secrets[i];
        struct slice text;
        struct slice shown = name;
        if (shown.size > 60) shown.size = 60;
        if (values->secret == NULL || !values->secret(values->secrets, name, &text)) {
            return NO(making, "there is no secret `%.*s`", SLICE_ARG(shown));
        }
        if (!sign_key_parse(text, &keys[i])) {
            return NO(
                making,
                "the secret `%.*s` is none for signatures: " SIGN_SECRET_PREFIX
                " and the base64 of 24 to 64 bytes",
                SLICE_ARG(shown)
            );
        }
    }
    /* What is signed is "id.time.body": with a dot in it, an id could pass for a time and a
     * body. */
    if (memchr(id.bytes, '.', id.size) != NULL) {
        return NO(making, "the header webhook-id of a request that is signed takes no dots");
    }
    uint64_t unix_s = making->source->now_ns / NS_PER_SECOND;
    char seconds[24];
    (void)snprintf(seconds, sizeof seconds, "%llu", (unsigned long long)unix_s);
    HOB_AUTO_BUF struct buf signature = buf_make(1024);
    sign_put(&signature, keys, making->secret_count, id, unix_s, request->body);
    request->is_signed = true;
    return header_set(making, SLICE("webhook-id"), id) &&
           header_set(making, SLICE("webhook-timestamp"), slice_str(seconds)) &&
           header_set(making, SLICE("webhook-signature"), buf_slice(&signature));
}

static bool job_header(struct making *making, const char *name) {
    struct json_value object;
    struct json_value value;
    struct slice headers = making->source->job_headers;
    struct slice text;
    if (headers.size == 0 || !json_parse(headers, &object, NULL)) return true;
    if (!json_get(object, slice_str(name), &value) || !json_word(making, value, &text)) return true;
    return !value_is_valid(text) || header_add(making, name, text);
}

/* Until when the answer is wanted, for the other side to pass on. */
static bool deadline_header(struct making *making) {
    char seconds[24];
    if (making->source->deadline_ms == 0) return true;
    unsigned long long unix_s = making->source->deadline_ms / (NS_PER_SECOND / NS_PER_MS);
    (void)snprintf(seconds, sizeof seconds, "%llu", unix_s);
    return header_add(making, "hob-deadline", slice_str(seconds));
}

static bool headers_complete(struct making *making) {
    const struct http_source *source = making->source;
    char id[80];
    char agent[80];
    (void)snprintf(
        id,
        sizeof id,
        "job_%.*s_%llx",
        SLICE_ARG(source->values.id),
        (unsigned long long)source->created_ms
    );
    (void)snprintf(agent, sizeof agent, "hob/%s", source->version);
    if (!header_add(making, "user-agent", slice_str(agent))) return false;
    if (!job_header(making, "traceparent") || !job_header(making, "tracestate")) return false;
    if (!deadline_header(making)) return false;
    /* A request that has an id of its own keeps it: it is as stable as its job. */
    const struct http_header *own = header_find(making->request, SLICE("webhook-id"));
    struct slice webhook_id = own == NULL || own->value.size == 0 ? slice_str(id) : own->value;
    if (making->secret_count > 0 && !sign(making, webhook_id)) return false;
    return header_add(making, "idempotency-key", webhook_id);
}

bool http_request_make(
    const struct http_config *config,
    const struct http_source *source,
    struct http_request *ret_request,
    char ret_why[REQUEST_WHY_BYTES_MAX]
) {
    struct making making = {
        .config = config,
        .source = source,
        .request = ret_request,
        .url = buf_make(URL_BYTES_MAX),
    };
    making.why = ret_why;
    *ret_request = (struct http_request){.timeout_ns = config->timeout_ns};
    for (size_t i = 0; i < config->secret_count; i++) {
        making.secrets[making.secret_count++] = slice_str(config->secrets[i]);
    }
    bool made = config_headers(&making) &&
                (config->has_url ? from_templates(&making) : from_payload(&making)) &&
                headers_complete(&making);
    char why[URL_WHY_BYTES_MAX];
    if (made &&
        !http_url_parse(buf_slice(&making.url), making.url_is_made, &ret_request->url, why)) {
        made = NO(&making, "the URL %s", why);
    }
    if (made) {
        ret_request->method = keep(&making, making.method).bytes;
    } else {
        http_request_deinit(ret_request);
    }
    buf_deinit(&making.url);
    return made;
}

void http_request_deinit(struct http_request *request) {
    if (request->url.parts != NULL) http_url_deinit(&request->url);
    arena_reset(&request->arena);
}
