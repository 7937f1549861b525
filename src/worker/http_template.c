/* SPDX-License-Identifier: Apache-2.0 */
/* A template is a list of parts, each literal text or a field with the escape that its place asks
 * for. That is decided once, when the text is read: in JSON by whether the field stands between
 * quotes, in a URL by whether it is the beginning. */
#include "worker/http_template.h"

#include "base/assert.h"
#include "base/json_put.h"
#include "base/text.h"
#include "worker/why.h"

enum template_source {
    SOURCE_LITERAL,
    SOURCE_PAYLOAD,
    SOURCE_JOB_ID,
    SOURCE_JOB_ATTEMPT,
    SOURCE_JOB_ATTEMPT_MAX,
    SOURCE_JOB_QUEUE,
    SOURCE_JOB_KIND,
    SOURCE_SECRET,
};

enum escape {
    ESCAPE_NOTHING,
    ESCAPE_PERCENT,
    ESCAPE_HEADER,
    ESCAPE_JSON_STRING,
    ESCAPE_JSON_VALUE,
    ESCAPE_XML,
};

struct template_part {
    enum template_source source;
    enum escape escape;
    struct slice text; /* literal; path in the payload, name of the secret */
    struct slice name; /* as it is written, for messages */
};

#define WHY(to, ...) why_not(to, TEMPLATE_WHY_BYTES_MAX, __VA_ARGS__)

static struct slice cut(struct slice text, size_t size_max) {
    if (text.size > size_max) text.size = size_max;
    return text;
}

/* --- reading --- */

struct scan {
    enum template_place place;
    bool in_string;   /* JSON: between quotes */
    bool after_slash; /* JSON: behind a backslash */
    bool past_host;   /* URL */
    size_t slashes;   /* URL: of the "//" before the host */
};

/* Follow literal text, to know what a field behind it stands in. */
static void scan_literal(struct scan *scan, struct slice text) {
    for (size_t i = 0; i < text.size; i++) {
        char c = text.bytes[i];
        if (scan->place == TEMPLATE_URL && !scan->past_host) {
            bool mark = c == '/' || c == '?' || c == '#';
            if (scan->slashes < 2) {
                if (c == '/') scan->slashes++;
            } else if (mark) {
                scan->past_host = true;
            }
        }
        if (scan->place == TEMPLATE_JSON) {
            if (scan->after_slash) {
                scan->after_slash = false;
            } else if (c == '\\' && scan->in_string) {
                scan->after_slash = true;
            } else if (c == '"') {
                scan->in_string = !scan->in_string;
            }
        }
    }
}

static bool escape_choose(struct scan *scan, bool first, enum escape *ret_escape, char *ret_why) {
    switch (scan->place) {
    case TEMPLATE_URL:
        if (first) {
            scan->past_host = true;
            *ret_escape = ESCAPE_NOTHING;
            return true;
        }
        *ret_escape = ESCAPE_PERCENT;
        if (scan->past_host) return true;
        return WHY(
            ret_why,
            "a field stands in the host: it may be the beginning of the whole URL, or in its path "
            "or query"
        );
    case TEMPLATE_HEADER:
        *ret_escape = ESCAPE_HEADER;
        return true;
    case TEMPLATE_JSON:
        *ret_escape = scan->in_string ? ESCAPE_JSON_STRING : ESCAPE_JSON_VALUE;
        if (!scan->after_slash) return true;
        return WHY(ret_why, "a field stands behind a backslash");
    case TEMPLATE_FORM:
        *ret_escape = ESCAPE_PERCENT;
        return true;
    case TEMPLATE_XML:
        *ret_escape = ESCAPE_XML;
        return true;
    case TEMPLATE_TEXT:
        break;
    }
    *ret_escape = ESCAPE_NOTHING;
    return true;
}

/* The part of @path before its first dot; the rest stays in @path, empty at the end. */
static struct slice segment_take(struct slice *path) {
    const char *dot = memchr(path->bytes, '.', path->size);
    size_t size = dot == NULL ? path->size : (size_t)(dot - path->bytes);
    struct slice segment = slice_of(path->bytes, size);
    size_t used = dot == NULL ? size : size + 1;
    *path = slice_of(path->bytes + used, path->size - used);
    return segment;
}

static bool job_source(struct slice name, enum template_source *ret_source) {
    static const struct {
        const char *name;
        enum template_source source;
    } names[] = {
        {"id", SOURCE_JOB_ID},
        {"attempt", SOURCE_JOB_ATTEMPT},
        {"attempt_max", SOURCE_JOB_ATTEMPT_MAX},
        {"queue", SOURCE_JOB_QUEUE},
        {"kind", SOURCE_JOB_KIND},
    };
    for (size_t i = 0; i < hob_countof(names); i++) {
        if (!slice_equal(name, slice_str(names[i].name))) continue;
        *ret_source = names[i].source;
        return true;
    }
    return false;
}

static bool name_is_valid(struct slice name) {
    if (name.size == 0 || name.bytes[0] == '.' || name.bytes[name.size - 1] == '.') return false;
    for (size_t i = 0; i < name.size; i++) {
        unsigned char c = (unsigned char)name.bytes[i];
        if (c <= ' ' || c == 0x7f || strchr("{}\"'\\<>&", c) != NULL) return false;
        if (c == '.' && name.bytes[i + 1] == '.') return false;
    }
    return true;
}

static bool field_read(
    struct slice name, enum template_place place, struct template_part *part, char *ret_why
) {
    while (name.size > 0 && name.bytes[0] == ' ') name = slice_of(name.bytes + 1, name.size - 1);
    while (name.size > 0 && name.bytes[name.size - 1] == ' ') name.size--;
    struct slice shown = cut(name, 60);
    if (!name_is_valid(name)) {
        return WHY(
            ret_why,
            "{{%.*s}} is no field; one looks like {{user.name}}, {{items.0}}, {{job.id}}",
            SLICE_ARG(shown)
        );
    }
    struct slice rest = name;
    struct slice first = segment_take(&rest);
    part->name = name;
    part->text = rest;
    part->source = SOURCE_PAYLOAD;
    if (slice_equal(first, SLICE("payload"))) return true;
    if (slice_equal(first, SLICE("job"))) {
        if (job_source(rest, &part->source)) return true;
        return WHY(
            ret_why,
            "of a job there are id, attempt, attempt_max, queue, kind, not `%.*s`; a field of the "
            "payload called job is {{payload.job}}",
            SLICE_ARG(cut(rest, 40))
        );
    }
    if (slice_equal(first, SLICE("secret"))) {
        part->source = SOURCE_SECRET;
        if (place != TEMPLATE_HEADER) return WHY(ret_why, "a secret can stand only in a header");
        if (rest.size > 0) return true;
        return WHY(ret_why, "which secret? write {{secret.NAME}}");
    }
    part->text = name;
    return true;
}

static struct slice find(struct slice text, struct slice mark) {
    const char *at = text.size == 0 ? NULL : memmem(text.bytes, text.size, mark.bytes, mark.size);
    size_t head = at == NULL ? text.size : (size_t)(at - text.bytes);
    return slice_of(text.bytes + head, text.size - head);
}

bool template_parse(
    struct slice text,
    enum template_place place,
    struct arena *arena,
    struct template *ret_template,
    char ret_why[TEMPLATE_WHY_BYTES_MAX]
) {
    struct slice kept = slice_of(arena_text(arena, text), text.size);
    struct template_part *parts =
        arena_alloc(arena, (2 * (size_t)TEMPLATE_FIELDS_MAX + 1) * sizeof *parts);
    struct template template = {.parts = parts};
    struct scan scan = {.place = place};
    struct slice rest = kept;
    while (rest.size > 0) {
        struct slice from = find(rest, SLICE("{{"));
        struct slice literal = slice_of(rest.bytes, rest.size - from.size);
        if (literal.size > 0) {
            scan_literal(&scan, literal);
            parts[template.count++] =
                (struct template_part){.source = SOURCE_LITERAL, .text = literal};
        }
        if (from.size == 0) break;
        struct slice inside = slice_of(from.bytes + 2, from.size - 2);
        struct slice end = find(inside, SLICE("}}"));
        if (end.size == 0) return WHY(ret_why, "{{ without }} behind it");
        if (template.count + 2 > 2 * (size_t)TEMPLATE_FIELDS_MAX) {
            return WHY(ret_why, "more than %d fields", TEMPLATE_FIELDS_MAX);
        }
        struct template_part *part = &parts[template.count++];
        struct slice name = slice_of(inside.bytes, inside.size - end.size);
        if (!field_read(name, place, part, ret_why)) return false;
        if (!escape_choose(&scan, template.count == 1, &part->escape, ret_why)) return false;
        template.has_fields = true;
        rest = slice_of(end.bytes + 2, end.size - 2);
    }
    *ret_template = template;
    return true;
}

bool template_begins_with_field(const struct template *template) {
    return template->count > 0 && template->parts[0].source != SOURCE_LITERAL;
}

bool template_secrets(
    const struct template *template, bool (*each)(void *context, struct slice name), void *context
) {
    for (size_t i = 0; i < template->count; i++) {
        const struct template_part *part = &template->parts[i];
        if (part->source == SOURCE_SECRET && !each(context, part->text)) return false;
    }
    return true;
}

bool template_is_json(const struct template *template) {
    HOB_AUTO_BUF struct buf text = buf_make(SIZE_MAX / 2);
    for (size_t i = 0; i < template->count; i++) {
        const struct template_part *part = &template->parts[i];
        bool literal = part->source == SOURCE_LITERAL;
        (void)(literal ? buf_put_slice(&text, part->text) : buf_put_str(&text, "null"));
    }
    return json_valid(buf_slice(&text));
}

/* --- filling in --- */

static bool value_find(struct json_value value, struct slice path, struct json_value *ret_value) {
    while (path.size > 0) {
        struct slice name = segment_take(&path);
        if (value.type == JSON_IS_OBJECT) {
            if (!json_get(value, name, &value)) return false;
            continue;
        }
        uint64_t at = 0;
        if (value.type != JSON_IS_ARRAY || !text_u64(name, 0, UINT32_MAX, &at)) return false;
        struct json_walk walk = json_walk(value);
        do {
            if (!json_next_item(&walk, &value)) return false;
        } while (at-- > 0);
    }
    *ret_value = value;
    return true;
}

static bool put_percent(struct buf *out, struct slice text) {
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.bytes[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (word || (c != '\0' && strchr("-._~", c) != NULL)) {
            (void)buf_put_char(out, (char)c);
        } else {
            const char three[] = {'%', digits[c >> 4], digits[c & 15]};
            (void)buf_put(out, three, sizeof three);
        }
    }
    return true;
}

static bool put_xml(struct buf *out, struct slice text) {
    for (size_t i = 0; i < text.size; i++) {
        char c = text.bytes[i];
        const char *name = NULL;
        if (c == '&') name = "&amp;";
        if (c == '<') name = "&lt;";
        if (c == '>') name = "&gt;";
        if (c == '"') name = "&quot;";
        if (c == '\'') name = "&#39;";
        /* XML 1.0 has no other control characters, not even as references. */
        if ((unsigned char)c < ' ' && c != '\t' && c != '\n' && c != '\r') return false;
        (void)(name == NULL ? buf_put_char(out, c) : buf_put_str(out, name));
    }
    return true;
}

static bool put_header(struct buf *out, struct slice text) {
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.bytes[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) return false;
    }
    return buf_put_slice(out, text) || true;
}

static bool put_json_string(struct buf *out, struct slice text) {
    HOB_AUTO_BUF struct buf quoted = buf_make(6 * text.size + 2);
    json_quote(&quoted, text);
    (void)buf_put(out, quoted.bytes + 1, quoted.size - 2);
    return true;
}

/* Text that is no JSON value itself. */
static bool
text_put(const struct template_part *part, struct slice text, struct buf *out, char *ret_why) {
    bool fits = true;
    switch (part->escape) {
    case ESCAPE_NOTHING:
        (void)buf_put_slice(out, text);
        break;
    case ESCAPE_PERCENT:
        fits = put_percent(out, text);
        break;
    case ESCAPE_HEADER:
        fits = put_header(out, text);
        break;
    case ESCAPE_JSON_STRING:
        fits = put_json_string(out, text);
        break;
    case ESCAPE_JSON_VALUE:
        json_quote(out, text);
        break;
    case ESCAPE_XML:
        fits = put_xml(out, text);
        break;
    }
    if (fits) return true;
    return WHY(
        ret_why,
        "the field `%.*s` has a line break or another control character, which cannot stand here",
        SLICE_ARG(cut(part->name, 60))
    );
}

static bool payload_put(
    const struct template_part *part, struct slice payload, struct buf *out, char *ret_why
) {
    struct slice shown = cut(part->name, 60);
    struct json_value value;
    if (!json_parse(payload, &value, NULL)) {
        return WHY(ret_why, "the payload is not JSON, so it has no field `%.*s`", SLICE_ARG(shown));
    }
    if (!value_find(value, part->text, &value)) {
        return WHY(ret_why, "the payload has no field `%.*s`", SLICE_ARG(shown));
    }
    if (part->escape == ESCAPE_JSON_VALUE) {
        (void)buf_put_slice(out, value.raw);
        return true;
    }
    switch (value.type) {
    case JSON_IS_STRING:
        break;
    case JSON_IS_NUMBER:
    case JSON_IS_FALSE:
    case JSON_IS_TRUE:
        return text_put(part, value.raw, out, ret_why);
    case JSON_IS_NULL:
    case JSON_IS_ARRAY:
    case JSON_IS_OBJECT:
        return WHY(
            ret_why,
            "the field `%.*s` of the payload is %s; text, a number, true or false can stand here",
            SLICE_ARG(shown),
            value.type == JSON_IS_NULL    ? "null"
            : value.type == JSON_IS_ARRAY ? "a list"
                                          : "an object"
        );
    }
    HOB_AUTO_BUF struct buf text = buf_make(value.raw.size);
    bool decoded = json_decode(value, &text);
    hob_assert(decoded);
    return text_put(part, buf_slice(&text), out, ret_why);
}

static bool secret_put(
    const struct template_part *part,
    const struct template_values *values,
    struct buf *out,
    char *ret_why
) {
    struct slice secret;
    if (values->secret != NULL && values->secret(values->secrets, part->text, &secret)) {
        return text_put(part, secret, out, ret_why);
    }
    return WHY(ret_why, "there is no secret `%.*s`", SLICE_ARG(cut(part->text, 60)));
}

static bool part_put(
    const struct template_part *part,
    const struct template_values *values,
    struct buf *out,
    char *ret_why
) {
    switch (part->source) {
    case SOURCE_LITERAL:
        (void)buf_put_slice(out, part->text);
        return true;
    case SOURCE_PAYLOAD:
        return payload_put(part, values->payload, out, ret_why);
    case SOURCE_JOB_ID:
        return text_put(part, values->id, out, ret_why);
    case SOURCE_JOB_ATTEMPT:
        (void)buf_put_u64(out, values->attempt);
        return true;
    case SOURCE_JOB_ATTEMPT_MAX:
        (void)buf_put_u64(out, values->attempt_max);
        return true;
    case SOURCE_JOB_QUEUE:
        return text_put(part, values->queue, out, ret_why);
    case SOURCE_JOB_KIND:
        return text_put(part, values->kind, out, ret_why);
    case SOURCE_SECRET:
        break;
    }
    return secret_put(part, values, out, ret_why);
}

bool template_put(
    const struct template *template,
    const struct template_values *values,
    struct buf *out,
    char ret_why[TEMPLATE_WHY_BYTES_MAX]
) {
    for (size_t i = 0; i < template->count; i++) {
        if (!part_put(&template->parts[i], values, out, ret_why)) return false;
    }
    if (out->overflowed) return WHY(ret_why, "with the fields of this job it is too long");
    return true;
}
