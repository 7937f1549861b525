/* SPDX-License-Identifier: Apache-2.0 */
/* The trace context of a push (W3C Trace Context): its headers become headers of the job, so that
 * whoever runs the job goes on with the trace. A job that has a traceparent of its own keeps it.
 *
 * What is not as the specification has it is left out, as it says: a traceparent that comes twice
 * or has another form, a tracestate beside it or of another form. Nothing is made up here. */
#include "base/assert.h"
#include "dialect/http/core.h"
#include "engine/labels.h"

enum { TRACESTATE_BYTES_MAX = 512, TRACESTATE_MEMBERS_MAX = 32, TRACESTATE_PART_BYTES_MAX = 256 };

/* section 3.3.1.3.1: key = ( lcalpha / DIGIT ) 0*255( lcalpha / DIGIT / "_" / "-" / "*" / "/" / "@"
 * ) */
static bool is_key(struct slice key) {
    if (key.size == 0 || key.size > TRACESTATE_PART_BYTES_MAX) return false;
    for (size_t i = 0; i < key.size; i++) {
        char c = key.bytes[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain && (i == 0 || memchr("_-*/@", c, 5) == NULL)) return false;
    }
    return true;
}

/* section 3.3.1.3.2: visible ASCII and inner spaces, without , and = */
static bool is_value(struct slice value) {
    if (value.size == 0 || value.size > TRACESTATE_PART_BYTES_MAX) return false;
    for (size_t i = 0; i < value.size; i++) {
        char c = value.bytes[i];
        if (c < ' ' || c > '~' || c == ',' || c == '=') return false;
    }
    return value.bytes[value.size - 1] != ' ';
}

static struct slice trim(struct slice text) {
    while (text.size > 0 && (text.bytes[0] == ' ' || text.bytes[0] == '\t')) {
        text = slice_of(text.bytes + 1, text.size - 1);
    }
    while (text.size > 0 && (text.bytes[text.size - 1] == ' ' || text.bytes[text.size - 1] == '\t')
    ) {
        text.size--;
    }
    return text;
}

static bool is_tracestate(struct slice state) {
    uint32_t members = 0;
    if (state.size == 0 || state.size > TRACESTATE_BYTES_MAX) return false;
    while (state.size > 0) {
        const char *comma = memchr(state.bytes, ',', state.size);
        size_t size = comma == NULL ? state.size : (size_t)(comma - state.bytes);
        struct slice member = trim(slice_of(state.bytes, size));
        size_t step = comma == NULL ? size : size + 1;
        state = slice_of(state.bytes + step, state.size - step);
        if (member.size == 0) continue; /* an empty one is allowed */
        const char *equal = memchr(member.bytes, '=', member.size);
        if (equal == NULL || ++members > TRACESTATE_MEMBERS_MAX) return false;
        size_t key = (size_t)(equal - member.bytes);
        if (!is_key(slice_of(member.bytes, key))) return false;
        if (!is_value(slice_of(equal + 1, member.size - key - 1))) return false;
    }
    return members > 0;
}

/* The value of a header; false unless it comes exactly once. */
static bool
header_once(const struct http_request *request, struct slice name, struct slice *ret_value) {
    uint32_t count = 0;
    for (size_t i = 0; i < request->headers_count; i++) {
        if (!slice_equal_nocase(request->headers[i].name, name)) continue;
        *ret_value = request->headers[i].value;
        count++;
    }
    return count == 1;
}

/* All tracestate headers as one, with commas between (RFC 9110 section 5.3). */
static void join_tracestate(struct buf *to, const struct http_request *request) {
    for (size_t i = 0; i < request->headers_count; i++) {
        if (!slice_equal_nocase(request->headers[i].name, SLICE("tracestate"))) continue;
        if (to->size > 0) (void)buf_put_char(to, ',');
        (void)buf_put_slice(to, request->headers[i].value);
    }
}

/* The members of @headers behind those that were put. */
static void put_rest(struct json_put *put, struct slice headers) {
    struct json_value object;
    if (headers.size == 0 || !json_parse(headers, &object, NULL)) return;
    struct json_walk walk = json_walk(object);
    struct slice key;
    struct json_value value;
    while (json_next_member(&walk, &key, &value)) {
        if (json_key_is(key, SLICE("tracestate"))) continue; /* of no traceparent */
        HOB_AUTO_BUF struct buf name = buf_make(HEADERS_BYTES_MAX);
        if (!json_decode_key(key, &name)) return;
        json_put_key_slice(put, buf_slice(&name));
        json_put_raw(put, value.raw);
    }
}

void http_take_trace(
    struct http_session *session, const struct http_request *request, struct slice *headers
) {
    struct slice parent = SLICE_NONE;
    if (!header_once(request, SLICE("traceparent"), &parent)) return;
    if (headers_fault(*headers) != NULL) return; /* the engine says why */
    if (header_raw(*headers, SLICE("traceparent")).size > 0) return;
    HOB_AUTO_BUF struct buf state = buf_make(TRACESTATE_BYTES_MAX);
    join_tracestate(&state, request);
    /* The scratch room must not move: it was reserved with room for this. */
    struct buf *scratch = &session->base.host->scratch;
    size_t at = scratch->size;
    hob_assert(scratch->capacity - at >= TRACE_BYTES_MAX);
    HOB_AUTO_BUF struct buf text = buf_make(TRACE_BYTES_MAX);
    struct json_put put = json_put_to(&text);
    json_put_object(&put);
    json_put_key(&put, "traceparent");
    json_put_text(&put, parent);
    if (!state.overflowed && is_tracestate(buf_slice(&state))) {
        json_put_key(&put, "tracestate");
        json_put_text(&put, buf_slice(&state));
    }
    put_rest(&put, *headers);
    json_put_object_end(&put);
    if (text.overflowed || headers_fault(buf_slice(&text)) != NULL) return;
    (void)buf_put_slice(scratch, buf_slice(&text));
    *headers = slice_of(scratch->bytes + at, text.size);
}
