/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of requests: which media type the client accepts (RFC 9110 section 12.5.1), what it
 * prefers (RFC 7240), how it calls its request, what it has already. What is not understood in them
 * is as if it were not there. */
#include "base/assert.h"
#include "base/text.h"
#include "dialect/http/core.h"

static bool is_space(char c) {
    return c == ' ' || c == '\t';
}

static struct slice trim(struct slice text) {
    while (text.size > 0 && is_space(text.bytes[0])) text = slice_of(text.bytes + 1, text.size - 1);
    while (text.size > 0 && is_space(text.bytes[text.size - 1])) text.size--;
    return text;
}

/* The part of *rest up to @separator, trimmed; *rest goes behind it. A separator between quotes
 * counts as one: no header that is read here has quotes that matter. */
static struct slice cut(struct slice *rest, char separator) {
    const char *end = rest->size == 0 ? NULL : memchr(rest->bytes, separator, rest->size);
    size_t size = end == NULL ? rest->size : (size_t)(end - rest->bytes);
    struct slice part = slice_of(rest->bytes, size);
    size_t step = end == NULL ? size : size + 1;
    *rest = slice_of(rest->bytes + step, rest->size - step);
    return trim(part);
}

/* --- Accept --- */

/* "0.8" as 800; what is no quality is 1000. */
static uint32_t quality(struct slice value) {
    uint32_t thousandths = 0;
    if (value.size == 0 || value.size > 5) return 1000;
    if (value.bytes[0] == '1') return 1000;
    if (value.bytes[0] != '0') return 1000;
    uint32_t unit = 100;
    for (size_t i = 2; i < value.size; i++, unit /= 10) {
        if (value.bytes[i] < '0' || value.bytes[i] > '9') return 1000;
        thousandths += unit * (uint32_t)(value.bytes[i] - '0');
    }
    return thousandths;
}

/* How exactly @range names @type: 0 not at all, 1 by * / *, 2 by its half, 3 by name. */
static uint32_t exactness(struct slice range, struct slice type) {
    if (slice_equal(range, SLICE("*/*"))) return 1;
    if (slice_equal_nocase(range, type)) return 3;
    const char *slash = memchr(type.bytes, '/', type.size);
    hob_assert(slash != NULL); /* a media type of this server */
    size_t half = (size_t)(slash - type.bytes) + 1;
    bool is_half = range.size == half + 1 && range.bytes[half] == '*' &&
                   slice_equal_nocase(slice_of(range.bytes, half), slice_of(type.bytes, half));
    return is_half ? 2 : 0;
}

/* The quality that @accept gives to @type: that of the most exact range. */
static uint32_t liking(struct slice accept, struct slice type) {
    uint32_t best_exactness = 0;
    uint32_t best = 0;
    while (accept.size > 0) {
        struct slice range = cut(&accept, ',');
        struct slice name = cut(&range, ';');
        uint32_t exact = exactness(name, type);
        if (exact <= best_exactness) continue;
        uint32_t likes = 1000;
        while (range.size > 0) {
            struct slice parameter = cut(&range, ';');
            struct slice word = cut(&parameter, '=');
            if (slice_equal_nocase(word, SLICE("q"))) likes = quality(parameter);
        }
        best_exactness = exact;
        best = likes;
    }
    return best;
}

struct slice http_best_type(struct slice accept, const char *offers) {
    struct slice rest = slice_str(offers);
    struct slice best = SLICE_NONE;
    uint32_t best_liking = 0;
    while (rest.size > 0) {
        struct slice type = cut(&rest, ' ');
        uint32_t likes = liking(accept, type);
        if (likes <= best_liking) continue;
        best_liking = likes;
        best = type;
    }
    return best;
}

bool http_negotiate(struct http_session *session, const struct http_request *request) {
    const char *offers = http_shape_of(session->route)->offers;
    struct slice accept = SLICE("*/*");
    session->type = SLICE_NONE;
    if (offers == NULL) return true;
    (void)http_header(request, SLICE("Accept"), &accept);
    if (trim(accept).size == 0) accept = SLICE("*/*");
    session->type = http_best_type(accept, offers);
    return session->type.size > 0;
}

bool http_is_type(const struct http_session *session, struct slice type) {
    return slice_equal(session->type, type);
}

/* --- Prefer --- */

static void take_preference(struct http_prefer *prefer, struct slice preference) {
    struct slice value = cut(&preference, ';');
    struct slice name = cut(&value, '=');
    value = trim(value);
    uint64_t seconds = 0;
    if (slice_equal_nocase(name, SLICE("wait"))) {
        if (prefer->has_wait) return; /* the first one counts */
        if (!text_u64(value, 0, RESULT_WAIT_MAX_NS / NS_PER_SECOND, &seconds)) return;
        prefer->has_wait = true;
        prefer->wait_ns = seconds * NS_PER_SECOND;
    } else if (slice_equal_nocase(name, SLICE("return")) && prefer->returns == RETURN_DEFAULT) {
        if (slice_equal_nocase(value, SLICE("minimal"))) prefer->returns = RETURN_MINIMAL;
        if (slice_equal_nocase(value, SLICE("representation"))) {
            prefer->returns = RETURN_REPRESENTATION;
        }
    }
}

static void take_prefer(struct http_session *session, const struct http_request *request) {
    session->prefer = (struct http_prefer){.returns = RETURN_DEFAULT};
    for (size_t i = 0; i < request->headers_count; i++) {
        if (!slice_equal_nocase(request->headers[i].name, SLICE("Prefer"))) continue;
        struct slice rest = request->headers[i].value;
        while (rest.size > 0) take_preference(&session->prefer, cut(&rest, ','));
    }
}

/* --- names --- */

/* What may stand in a log line without quotes. */
static bool is_request_id(struct slice id) {
    if (id.size == 0 || id.size > REQUEST_ID_BYTES_MAX) return false;
    for (size_t i = 0; i < id.size; i++) {
        char c = id.bytes[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool digit = c >= '0' && c <= '9';
        if (!letter && !digit && memchr("-_.:/+=@", c, 8) == NULL) return false;
    }
    return true;
}

/* A name that no other request of this server has: the time of its turn, its connection, its
 * number there. */
static void make_request_id(struct http_session *session) {
    struct session *base = &session->base;
    HOB_AUTO_BUF struct buf id = buf_make(REQUEST_ID_BYTES_MAX);
    (void)buf_printf(
        &id,
        "%llx-%llx-%llx",
        (unsigned long long)(base->host->now_ns / NS_PER_MS),
        (unsigned long long)base->serial,
        (unsigned long long)++session->served
    );
    session->request_id_size = (uint32_t)id.size;
    memcpy(session->request_id, id.bytes, id.size);
}

static void take_none_match(struct http_session *session, const struct http_request *request) {
    struct slice given = SLICE_NONE;
    (void)http_header(request, SLICE("If-None-Match"), &given);
    session->none_match_size = 0;
    if (given.size == 0 || given.size > NONE_MATCH_BYTES_MAX) return;
    session->none_match_size = (uint32_t)given.size;
    memcpy(session->none_match, given.bytes, given.size);
}

void http_take_headers(struct http_session *session, const struct http_request *request) {
    struct slice id = SLICE_NONE;
    (void)http_header(request, SLICE("X-Request-Id"), &id);
    if (is_request_id(id)) {
        session->request_id_size = (uint32_t)id.size;
        memcpy(session->request_id, id.bytes, id.size);
    } else {
        make_request_id(session);
    }
    take_prefer(session, request);
    take_none_match(session, request);
}

/* --- ETag --- */

bool http_has_tag(const struct http_session *session, struct slice tag) {
    struct slice rest = slice_of(session->none_match, session->none_match_size);
    while (rest.size > 0) {
        struct slice given = cut(&rest, ',');
        if (slice_equal(given, SLICE("*"))) return true;
        /* The weak comparison (RFC 9110 section 8.8.3.2). */
        if (given.size > 2 && memcmp(given.bytes, "W/", 2) == 0) {
            given = slice_of(given.bytes + 2, given.size - 2);
        }
        if (slice_equal(given, tag)) return true;
    }
    return false;
}
