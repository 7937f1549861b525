/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a kind that is an HTTP request, one small reader each. What can be known before any
 * job comes is refused here: URLs that lead nowhere, bodies that are no JSON, secrets of a wrong
 * form are not, since they may come later. */
#include "worker/http_config.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/text.h"
#include "worker/http_url.h"

enum {
    TEMPLATE_BYTES_MAX = 1024 * 1024,
    STATUSES_MAX = 100,
    GRANTED_MAX = 256,
    BREAKER_MAX = 1000000
};

#define BREAKER_PAUSE_DEFAULT_NS (30 * NS_PER_SECOND)

struct http_reading {
    struct http_config *http;
    struct kind_config *kind;
    yaml_node_t *body; /* read last, when the content type is known */
    const yaml_node_t *granted;
    const yaml_node_t *headers;
};

bool http_method_is_valid(struct slice method) {
    if (method.size == 0 || method.size > HTTP_METHOD_BYTES_MAX) return false;
    for (size_t i = 0; i < method.size; i++) {
        if (method.bytes[i] < 'A' || method.bytes[i] > 'Z') return false;
    }
    return !slice_equal(method, SLICE("CONNECT")) && !slice_equal(method, SLICE("TRACE"));
}

bool http_header_is_valid(struct slice name) {
    static const char *const decided[] = {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "webhook-signature",
        "webhook-timestamp",
    };
    const struct slice proxy = SLICE("proxy-");
    if (name.size == 0 || name.size > 200) return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.bytes[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL)) return false;
    }
    for (size_t i = 0; i < hob_countof(decided); i++) {
        if (slice_equal_nocase(name, slice_str(decided[i]))) return false;
    }
    if (name.size < proxy.size) return true;
    return !slice_equal_nocase(slice_of(name.bytes, proxy.size), proxy);
}

struct secret_uses {
    struct yaml_read *read;
    const yaml_node_t *node;
};

static bool note_secret(void *context, struct slice name) {
    const struct secret_uses *uses = context;
    yaml_read_uses_secret(uses->read, uses->node, name);
    return true;
}

static enum hob_status read_template(
    struct yaml_read *read,
    const yaml_node_t *node,
    const char *wanted,
    enum template_place place,
    struct template *ret_template
) {
    struct slice text;
    char why[TEMPLATE_WHY_BYTES_MAX];
    enum hob_status status = yaml_read_text(read, node, wanted, &text);
    if (status != HOB_OK) return status;
    if (text.size > TEMPLATE_BYTES_MAX) return yaml_read_fail(read, node, "more than 1 MiB");
    if (!template_parse(text, place, read->arena, ret_template, why)) {
        return yaml_read_fail(read, node, "%s", why);
    }
    struct secret_uses uses = {.read = read, .node = node};
    (void)template_secrets(ret_template, note_secret, &uses);
    return HOB_OK;
}

static enum hob_status read_method(struct yaml_read *read, yaml_node_t *node, void *into) {
    const struct http_reading *reading = into;
    struct slice text;
    enum hob_status status = yaml_read_text(read, node, "a method such as POST", &text);
    if (status != HOB_OK) return status;
    if (!http_method_is_valid(text)) {
        return yaml_read_fail(
            read, node, "a method is written in A to Z, like GET or PATCH; not CONNECT, not TRACE"
        );
    }
    reading->http->method = arena_text(read->arena, text);
    return HOB_OK;
}

static enum hob_status read_url(struct yaml_read *read, yaml_node_t *node, void *into) {
    const struct http_reading *reading = into;
    struct http_config *http = reading->http;
    enum hob_status status = read_template(read, node, "a URL", TEMPLATE_URL, &http->url);
    if (status != HOB_OK) return status;
    http->has_url = true;
    if (http->url.has_fields) return HOB_OK;
    struct slice text;
    struct http_url url;
    char why[URL_WHY_BYTES_MAX];
    status = yaml_read_text(read, node, "a URL", &text);
    if (status != HOB_OK) return status;
    if (!http_url_parse(text, false, &url, why)) {
        return yaml_read_fail(read, node, "the URL %s", why);
    }
    http_url_deinit(&url);
    return HOB_OK;
}

static enum hob_status
read_header(struct yaml_read *read, yaml_node_t *key, yaml_node_t *value, void *into) {
    const struct http_reading *reading = into;
    struct slice name;
    enum hob_status status = yaml_read_text(read, key, "the name of a header", &name);
    if (status != HOB_OK) return status;
    if (!http_header_is_valid(name)) {
        return yaml_read_fail(read, key, "this is no header that a request can set for itself");
    }
    char *kept = arena_text(read->arena, name);
    for (char *at = kept; *at != '\0'; at++) {
        if (*at >= 'A' && *at <= 'Z') *at = (char)(*at + ('a' - 'A'));
    }
    struct http_header_config header = {.name = kept};
    status = read_template(read, value, "the value of a header", TEMPLATE_HEADER, &header.value);
    if (status != HOB_OK) return status;
    ((struct http_header_config *)reading->http->headers)[reading->http->header_count++] = header;
    return HOB_OK;
}

static enum hob_status read_headers(struct yaml_read *read, yaml_node_t *node, void *into) {
    struct http_reading *reading = into;
    reading->headers = node;
    reading->http->headers =
        arena_alloc(read->arena, HTTP_HEADERS_MAX * sizeof *reading->http->headers);
    return yaml_read_names(read, node, "each header", HTTP_HEADERS_MAX, read_header, into);
}

static enum hob_status read_body(struct yaml_read *read, yaml_node_t *node, void *into) {
    (void)read;
    ((struct http_reading *)into)->body = node;
    return HOB_OK;
}

/* One word, or a list of them. */
static enum hob_status read_words(
    struct yaml_read *read,
    const yaml_node_t *node,
    const char *wanted,
    size_t count_max,
    const char ***ret_words,
    size_t *ret_count
) {
    if (node->type == YAML_SEQUENCE_NODE) {
        return yaml_read_words(read, node, wanted, count_max, ret_words, ret_count);
    }
    struct slice text;
    enum hob_status status = yaml_read_text(read, node, wanted, &text);
    if (status != HOB_OK) return status;
    *ret_words = arena_alloc(read->arena, 2 * sizeof **ret_words);
    (*ret_words)[0] = arena_text(read->arena, text);
    *ret_count = 1;
    return HOB_OK;
}

static enum hob_status read_secret(struct yaml_read *read, yaml_node_t *node, void *into) {
    const struct http_reading *reading = into;
    const char **names = NULL;
    enum hob_status status = read_words(
        read, node, "names of secrets", SIGN_SECRETS_MAX, &names, &reading->http->secret_count
    );
    if (status != HOB_OK) return status;
    for (size_t i = 0; i < reading->http->secret_count; i++) {
        yaml_read_uses_secret(read, node, slice_str(names[i]));
    }
    reading->http->secrets = names;
    return HOB_OK;
}

static enum hob_status read_granted(struct yaml_read *read, yaml_node_t *node, void *into) {
    struct http_reading *reading = into;
    const char **names = NULL;
    enum hob_status status = read_words(
        read, node, "names of secrets", GRANTED_MAX, &names, &reading->http->granted_count
    );
    if (status != HOB_OK) return status;
    for (size_t i = 0; i < reading->http->granted_count; i++) {
        yaml_read_uses_secret(read, node, slice_str(names[i]));
    }
    reading->http->granted = names;
    reading->granted = node;
    return HOB_OK;
}

static enum hob_status read_timeout(struct yaml_read *read, yaml_node_t *node, void *into) {
    const struct http_reading *reading = into;
    return yaml_read_span(read, node, HTTP_TIMEOUT_MAX_NS, &reading->http->timeout_ns);
}

static enum hob_status read_connect(struct yaml_read *read, yaml_node_t *node, void *into) {
    const struct http_reading *reading = into;
    return yaml_read_span(read, node, HTTP_TIMEOUT_MAX_NS, &reading->http->connect_timeout_ns);
}

static enum hob_status
read_statuses(struct yaml_read *read, yaml_node_t *node, struct status_set *ret_set) {
    static const char wanted[] = "statuses, like [200-299, 404]";
    const char **words = NULL;
    size_t count = 0;
    enum hob_status status = read_words(read, node, wanted, STATUSES_MAX, &words, &count);
    if (status != HOB_OK) return status;
    struct status_set set = {0};
    for (size_t i = 0; i < count; i++) {
        if (!status_set_add(&set, slice_str(words[i]))) {
            return yaml_read_fail(read, node, "`%s` is no status; wanted: %s", words[i], wanted);
        }
    }
    *ret_set = set;
    return HOB_OK;
}

static enum hob_status read_success(struct yaml_read *read, yaml_node_t *node, void *into) {
    const struct http_reading *reading = into;
    return read_statuses(read, node, &reading->http->rules.success);
}

static enum hob_status read_retry(struct yaml_read *read, yaml_node_t *node, void *into) {
    const struct http_reading *reading = into;
    return read_statuses(read, node, &reading->http->rules.retry);
}

static enum hob_status read_allow(struct yaml_read *read, yaml_node_t *node, void *into) {
    static const char wanted[] =
        "networks, addresses or hosts, like [10.0.0.0/8, db.internal:8080]";
    const struct http_reading *reading = into;
    const char **words = NULL;
    size_t count = 0;
    enum hob_status status = read_words(read, node, wanted, GUARD_ALLOW_MAX, &words, &count);
    if (status != HOB_OK) return status;
    struct guard_entry *entries = arena_alloc(read->arena, count * sizeof *entries);
    for (size_t i = 0; i < count; i++) {
        if (!guard_entry_parse(slice_str(words[i]), &entries[i])) {
            return yaml_read_fail(read, node, "`%s` is none; wanted: %s", words[i], wanted);
        }
    }
    reading->http->guard.allow = entries;
    reading->http->guard.allow_count = count;
    return HOB_OK;
}

static enum hob_status read_plain(struct yaml_read *read, yaml_node_t *node, void *into) {
    const struct http_reading *reading = into;
    return yaml_read_bool(read, node, &reading->http->guard.http);
}

static enum hob_status read_response(struct yaml_read *read, yaml_node_t *node, void *into) {
    const struct http_reading *reading = into;
    struct slice text;
    uint64_t size = 0;
    enum hob_status status = yaml_read_text(read, node, "a size such as 64KiB", &text);
    if (status != HOB_OK) return status;
    if (!text_size(text, &size) || size > HTTP_RESPONSE_BYTES_MAX) {
        return yaml_read_fail(read, node, "wanted: a size such as 64KiB, at most 1MiB");
    }
    reading->http->response_bytes_max = (size_t)size;
    return HOB_OK;
}

static enum hob_status read_ca_file(struct yaml_read *read, yaml_node_t *node, void *into) {
    const struct http_reading *reading = into;
    return yaml_read_path(read, node, &reading->http->ca_file);
}

static enum hob_status read_at_once(struct yaml_read *read, yaml_node_t *node, void *into) {
    const struct http_reading *reading = into;
    uint64_t count = 0;
    enum hob_status status = yaml_read_u64(read, node, 1, UINT16_MAX, &count);
    if (status == HOB_OK) reading->http->limits.at_once = (uint32_t)count;
    return status;
}

static enum hob_status read_failures(struct yaml_read *read, yaml_node_t *node, void *into) {
    const struct http_reading *reading = into;
    uint64_t count = 0;
    enum hob_status status = yaml_read_u64(read, node, 1, BREAKER_MAX, &count);
    if (status == HOB_OK) reading->http->limits.breaker_failures = (uint32_t)count;
    return status;
}

static enum hob_status read_pause(struct yaml_read *read, yaml_node_t *node, void *into) {
    const struct http_reading *reading = into;
    return yaml_read_span(read, node, NS_PER_HOUR, &reading->http->limits.breaker_pause_ns);
}

static const struct yaml_key breaker_keys[] = {
    {.name = "failures",
     .read = read_failures,
     .required = true,
     .value = "N",
     .help = "requests to a host that fail in a row (no connection, timeout, 5xx)"},
    {.name = "pause",
     .read = read_pause,
     .value = "SPAN",
     .help = "how long it is left alone then; doubles up to 5m; default 30s"},
};

static enum hob_status read_breaker(struct yaml_read *read, yaml_node_t *node, void *into) {
    return yaml_read_map(read, node, "`breaker`", breaker_keys, hob_countof(breaker_keys), into);
}

static const struct yaml_key http_keys[] = {
    {.name = "url",
     .read = read_url,
     .value = "URL",
     .help = "may have fields such as {{user.id}}; default: the payload is the whole request"},
    {.name = "method", .read = read_method, .value = "METHOD", .help = "default POST"},
    {.name = "headers",
     .read = read_headers,
     .value = "{NAME: VALUE, …}",
     .help = "may have fields, and secrets as {{secret.NAME}}"},
    {.name = "body",
     .read = read_body,
     .value = "TEXT",
     .help = "may have fields; default: the payload"},
    {.name = "secret",
     .read = read_secret,
     .value = "NAME",
     .help = "sign by Standard Webhooks with this secret, or with each of a list"},
    {.name = "secrets",
     .read = read_granted,
     .value = "[NAME, …]",
     .help = "without `url`: what a payload may name to sign with, beside `secret`; default none"},
    {.name = "timeout", .read = read_timeout, .value = "SPAN", .help = "in all; default 30s"},
    {.name = "connect_timeout",
     .read = read_connect,
     .value = "SPAN",
     .help = "until TLS stands; default 5s"},
    {.name = "success",
     .read = read_success,
     .value = "[200-299, …]",
     .help = "statuses that are success; default 200-299"},
    {.name = "retry",
     .read = read_retry,
     .value = "[429, 500-599, …]",
     .help = "statuses to try again after; default 408, 425, 429, 500-599"},
    {.name = "allow",
     .read = read_allow,
     .value = "[10.0.0.0/8, HOST:PORT, …]",
     .help = "inside addresses, other ports and plain http, for these; default none"},
    {.name = "plain_http",
     .read = read_plain,
     .value = "true|false",
     .help = "allow http to public addresses; default false"},
    {.name = "response_max",
     .read = read_response,
     .value = "SIZE",
     .help = "of the body that is kept as result; default 64KiB"},
    {.name = "ca_file",
     .read = read_ca_file,
     .value = "FILE",
     .help = "certificates to trust instead of the system's"},
    {.name = "host_max",
     .read = read_at_once,
     .value = "N",
     .help = "requests to one host at once; default: as many as there are slots"},
    {.name = "breaker",
     .read = read_breaker,
     .value = "{failures: N, pause: SPAN}",
     .help = "leave a host alone that fails again and again; default: no"},
};

static enum template_place place_of(struct slice type) {
    static const struct {
        const char *word;
        enum template_place place;
    } words[] = {
        {"json", TEMPLATE_JSON},
        {"x-www-form-urlencoded", TEMPLATE_FORM},
        {"xml", TEMPLATE_XML},
        {"html", TEMPLATE_XML},
    };
    for (size_t i = 0; i < hob_countof(words); i++) {
        size_t size = strlen(words[i].word);
        if (type.size >= size && memmem(type.bytes, type.size, words[i].word, size) != NULL) {
            return words[i].place;
        }
    }
    return TEMPLATE_TEXT;
}

/* What the header content-type says; JSON unless it does. */
static enum hob_status body_place(
    struct yaml_read *read, const struct http_reading *reading, enum template_place *ret_place
) {
    *ret_place = TEMPLATE_JSON;
    for (size_t i = 0; i < reading->http->header_count; i++) {
        const struct http_header_config *header = &reading->http->headers[i];
        if (strcmp(header->name, "content-type") != 0) continue;
        if (header->value.has_fields) {
            return yaml_read_fail(
                read, reading->body, "with a `body` the header content-type has no fields"
            );
        }
        char why[TEMPLATE_WHY_BYTES_MAX];
        const struct template_values values = {0};
        HOB_AUTO_BUF struct buf type = buf_make(1000);
        if (template_put(&header->value, &values, &type, why)) {
            *ret_place = place_of(buf_slice(&type));
        }
    }
    return HOB_OK;
}

static enum hob_status body_take(struct yaml_read *read, const struct http_reading *reading) {
    struct http_config *http = reading->http;
    enum template_place place = TEMPLATE_JSON;
    if (!http->has_url) {
        return yaml_read_fail(
            read, reading->body, "without `url` the whole request, with its body, is the payload"
        );
    }
    enum hob_status status = body_place(read, reading, &place);
    if (status != HOB_OK) return status;
    status = read_template(read, reading->body, "a text", place, &http->body);
    http->has_body = status == HOB_OK;
    if (status != HOB_OK || place != TEMPLATE_JSON) return status;
    if (template_is_json(&http->body)) return HOB_OK;
    return yaml_read_fail(
        read, reading->body, "the body is no JSON; set the header content-type if it is not to be"
    );
}

/* A URL that begins with a field, or none: the payload says where the request goes. */
static bool payload_chooses_host(const struct http_config *http) {
    return !http->has_url || template_begins_with_field(&http->url);
}

static bool no_secret(void *context, struct slice name) {
    (void)context;
    (void)name;
    return false;
}

/* Who chooses where a request goes must not be sent a secret with it. */
static enum hob_status check_secrets(struct yaml_read *read, const struct http_reading *reading) {
    const struct http_config *http = reading->http;
    if (reading->granted != NULL && http->has_url) {
        return yaml_read_fail(
            read, reading->granted, "with `url` no payload names secrets; to sign, write `secret`"
        );
    }
    if (!payload_chooses_host(http)) return HOB_OK;
    for (size_t i = 0; i < http->header_count; i++) {
        if (template_secrets(&http->headers[i].value, no_secret, NULL)) continue;
        return yaml_read_fail(
            read,
            reading->headers,
            "the header %s holds a secret, and the payload says which host gets it; write a `url` "
            "with its host",
            http->headers[i].name
        );
    }
    return HOB_OK;
}

static enum hob_status
read_http(struct yaml_read *read, yaml_node_t *part, struct kind_config *kind) {
    struct http_config *http = arena_alloc(read->arena, sizeof *http);
    *http = (struct http_config){
        .timeout_ns = HTTP_TIMEOUT_DEFAULT_NS,
        .connect_timeout_ns = HTTP_CONNECT_TIMEOUT_DEFAULT_NS,
        .rules = http_rules_default(),
        .limits = {.breaker_pause_ns = BREAKER_PAUSE_DEFAULT_NS},
        .response_bytes_max = HTTP_RESPONSE_BYTES_DEFAULT,
    };
    kind->settings = http;
    kind->grace_ns = 0;
    struct http_reading reading = {.http = http, .kind = kind};
    enum hob_status status =
        yaml_read_map(read, part, "`http`", http_keys, hob_countof(http_keys), &reading);
    if (status == HOB_OK && reading.body != NULL) status = body_take(read, &reading);
    if (status == HOB_OK) status = check_secrets(read, &reading);
    return status;
}

const struct kind_reader http_reader = {
    .key = "http",
    .keys = http_keys,
    .key_count = hob_countof(http_keys),
    .read = read_http,
};
