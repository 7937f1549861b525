/* SPDX-License-Identifier: Apache-2.0 */
/* The schemas of what requests carry: options by their tables, and the members that are none. */
#include "base/assert.h"
#include "dialect/http/openapi.h"

/* --- options --- */

static void put_limits(
    struct json_put *put,
    const char *type,
    const char *min_key,
    const char *max_key,
    const struct option *option
) {
    json_put_object(put);
    json_put_key(put, "type");
    json_put_str(put, type);
    json_put_key(put, min_key);
    json_put_u64(put, option->min);
    if (option->max <= UINT64_C(1) << 53) { /* beyond, a number of JSON is not exact */
        json_put_key(put, max_key);
        json_put_u64(put, option->max);
    }
    json_put_object_end(put);
}

static void put_words(struct json_put *put, const char *const *words) {
    json_put_object(put);
    json_put_key(put, "type");
    json_put_str(put, "string");
    json_put_key(put, "enum");
    json_put_array(put);
    for (size_t i = 0; words[i] != NULL; i++) json_put_str(put, words[i]);
    json_put_array_end(put);
    json_put_object_end(put);
}

void openapi_option(struct json_put *put, const struct option *option) {
    switch (option->type) {
    case OPTION_FLAG:
        openapi_text(put, "{'type':'boolean'}");
        break;
    case OPTION_TEXT:
        put_limits(put, "string", "minLength", "maxLength", option);
        break;
    case OPTION_NAME:
        openapi_text(put, OPENAPI_REF("Name"));
        break;
    case OPTION_U32:
    case OPTION_U64:
        put_limits(put, "integer", "minimum", "maximum", option);
        break;
    case OPTION_I32:
        openapi_text(put, "{'type':'integer','format':'int32'}");
        break;
    case OPTION_SPAN:
        openapi_text(put, OPENAPI_REF("Span"));
        break;
    case OPTION_TIME:
        openapi_text(put, OPENAPI_REF("Moment"));
        break;
    case OPTION_PAST:
        openapi_text(put, OPENAPI_REF("Past"));
        break;
    case OPTION_WORD:
        put_words(put, option->words);
        break;
    case OPTION_STATES:
        openapi_text(put, OPENAPI_REF("States"));
        break;
    case OPTION_BACKOFF:
        openapi_text(put, OPENAPI_REF("Backoff"));
        break;
    case OPTION_TAGS:
        openapi_text(put, OPENAPI_REF("Tags"));
        break;
    case OPTION_RATE:
        openapi_text(put, OPENAPI_REF("Rate"));
        break;
    case OPTION_LIMITS:
        openapi_text(put, OPENAPI_REF("Limiters"));
        break;
    case OPTION_JSON:
        openapi_text(put, "{}");
        break;
    }
}

/* Members that are no options. ! behind a name: it must be there. */
struct extra {
    const char *name;
    const char *members; /* without the braces */
};

#define BYTES(name) \
    "'" name "':{},'" name "_text':{'type':'string'},'" name "_base64':{'type':'string'}"

static const struct extra extras[] = {
    {"id", "'id':" OPENAPI_REF("JobRef")},
    {"token", "'token':" OPENAPI_REF("JobRef")},
    {"payload", BYTES("payload")},
    {"result", BYTES("result")},
    {"checkpoint", BYTES("checkpoint")},
    {"queues",
     "'queues':{'type':'array','minItems':1,'maxItems':256,'items':" OPENAPI_REF("Pattern") "}"},
    {"kinds",
     "'kinds':{'type':'array','minItems':1,'maxItems':256,'items':" OPENAPI_REF("Name") "}"},
    {"lines",
     "'lines':{'type':'array','items':{'oneOf':[{'type':'string'}," OPENAPI_REF("NewLine") "]}}"},
    {"ids",
     "'ids':{'type':'array','minItems':1,'maxItems':10000,'items':" OPENAPI_REF("JobRef") "}"},
    {"scopes", "'scopes':{'type':'array','minItems':1,'items':" OPENAPI_REF("Scope") "}"},
    {"globs", "'queues':{'type':'array','maxItems':16,'items':{'type':'string','minLength':1}}"},
    {"holds",
     "'holds':{'type':'array','maxItems':100000,'items':{'type':'object',"
     "'required':['id','token'],'additionalProperties':false,'properties':{"
     "'id':" OPENAPI_REF("JobRef") ",'token':" OPENAPI_REF("JobRef") "}}}"},
    {"filter", "'filter':" OPENAPI_REF("Filter")},
};

static const struct extra *extra_find(struct slice name) {
    for (size_t i = 0; i < hob_countof(extras); i++) {
        if (slice_equal(slice_str(extras[i].name), name)) return &extras[i];
    }
    hob_assert(false && "a shape names a member that is not described here");
    return NULL;
}

/* The first word of *rest without its !; false at the end. */
static bool next_extra(struct slice *rest, struct slice *ret_name, bool *ret_must) {
    size_t size = 0;
    if (rest->size == 0) return false;
    while (size < rest->size && rest->bytes[size] != ' ') size++;
    *ret_must = rest->bytes[size - 1] == '!';
    *ret_name = slice_of(rest->bytes, *ret_must ? size - 1 : size);
    size_t step = size < rest->size ? size + 1 : size;
    *rest = slice_of(rest->bytes + step, rest->size - step);
    return true;
}

static bool is_required(const struct option_set *set, const struct option *option) {
    if (set == &push_options) {
        return strcmp(option->member, "queue") == 0 || strcmp(option->member, "kind") == 0;
    }
    if (set == &http_token_options) return strcmp(option->member, "name") == 0;
    return set == &fetch_options && strcmp(option->member, "worker") == 0;
}

static void put_required(struct json_put *put, const struct option_set *set, const char *extra) {
    struct slice rest = slice_str(extra);
    struct slice name;
    bool must = false;
    json_put_key(put, "required");
    json_put_array(put);
    for (size_t i = 0; set != NULL && i < set->count; i++) {
        const struct option *option = &set->options[i];
        if (option->member == NULL) continue;
        if (is_required(set, option)) json_put_str(put, option->member);
    }
    while (next_extra(&rest, &name, &must)) {
        if (must) json_put_text(put, name);
    }
    json_put_array_end(put);
}

void openapi_body(struct json_put *put, const struct option_set *set, const char *extra) {
    struct slice rest = slice_str(extra);
    struct slice name;
    bool must = false;
    json_put_object(put);
    json_put_key(put, "type");
    json_put_str(put, "object");
    put_required(put, set, extra);
    json_put_key(put, "properties");
    json_put_object(put);
    for (size_t i = 0; set != NULL && i < set->count; i++) {
        if (set->options[i].member == NULL) continue;
        json_put_key(put, set->options[i].member);
        openapi_option(put, &set->options[i]);
    }
    while (next_extra(&rest, &name, &must)) {
        HOB_AUTO_BUF struct buf text = buf_make(1024);
        (void)buf_put_str(&text, extra_find(name)->members);
        for (size_t i = 0; i < text.size; i++) {
            if (text.bytes[i] == '\'') text.bytes[i] = '"';
        }
        if (put->comma) (void)buf_put_char(put->out, ',');
        (void)buf_put_slice(put->out, buf_slice(&text));
        put->comma = true;
    }
    json_put_object_end(put);
    json_put_key(put, "additionalProperties");
    json_put_bool(put, false);
    json_put_object_end(put);
}
