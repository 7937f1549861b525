/* SPDX-License-Identifier: Apache-2.0 */
/* Each field of a job has a word of PUSH; what the value means is the server's to say. */
#include "cli/push_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"

/* Fields of a job and the words of the protocol for them. */
static const struct {
    const char *field;
    const char *word;
    bool is_time;
} fields[] = {
    {"key", "KEY", false},
    {"ref", "REF", false},
    {"unique", "UNIQUE", false},
    {"unique_by", "UNIQUEBY", false},
    {"unique_scope", "UNIQUESCOPE", false},
    {"on_conflict", "ONCONFLICT", false},
    {"unique_for", "UNIQUEFOR", false},
    {"throttle", "THROTTLE", false},
    {"debounce", "DEBOUNCE", true},
    {"max_wait", "MAXWAIT", false},
    {"merge", "MERGE", false},
    {"merge_max", "MERGEMAX", false},
    {"priority", "PRIORITY", false},
    {"group", "GROUP", false},
    {"limiters", "LIMITERS", false},
    {"run_at", "AT", true},
    {"delay", "DELAY", true},
    {"attempt_max", "ATTEMPTS", false},
    {"timeout", "TIMEOUT", false},
    {"keep", "KEEP", false},
    {"backoff", "BACKOFF", false},
    {"tags", "TAGS", false},
    {"headers", "HEADERS", false},
    {"content_type", "TYPE", false},
    {"on_done", "ONDONE", false},
    {"expires_at", "EXPIRES", false},
    {"expires_in", "EXPIRESIN", false},
    {"front", "FRONT", false},
    {"deadline", "DEADLINE", false},
    {"deadline_in", "DEADLINEIN", false},
    {"margin", "MARGIN", false},
    {"parent", "PARENT", false},
    {"needs", "NEEDS", false},
    {"cost", "COST", false},
    /* as a job is read: */
    {"timeout_ms", "TIMEOUT", false},
    {"keep_ms", "KEEP", false},
    {"margin_ms", "MARGIN", false},
    {"unique_for_ms", "UNIQUEFOR", false},
};

static bool parsed_fail(struct push_line *parsed, const char *fault, struct slice detail) {
    parsed->fault = fault;
    parsed->fault_detail = detail;
    return false;
}

/* The text of a string, or a number as it is written. */
static bool value_text(struct push_line *parsed, struct json_value value, struct slice *ret_text) {
    if (value.type == JSON_IS_NUMBER) {
        *ret_text = value.raw;
        return true;
    }
    if (value.type != JSON_IS_STRING) return parsed_fail(parsed, "not a text: ", value.raw);
    size_t start = parsed->scratch->size;
    if (!json_decode(value, parsed->scratch)) return parsed_fail(parsed, "too long", SLICE(""));
    *ret_text = slice_of(parsed->scratch->bytes + start, parsed->scratch->size - start);
    return true;
}

/* Several words, with commas between. */
static bool list_text(struct push_line *parsed, struct json_value list, struct slice *ret_text) {
    size_t start = parsed->scratch->size;
    struct json_walk walk = json_walk(list);
    struct json_value item;
    while (json_next_item(&walk, &item)) {
        struct slice text;
        if (parsed->scratch->size > start) (void)buf_put_char(parsed->scratch, ',');
        if (!value_text(parsed, item, &text)) return false;
    }
    *ret_text = slice_of(parsed->scratch->bytes + start, parsed->scratch->size - start);
    return true;
}

/* What an option takes: a text, a list of words, or an object as it is written. */
static bool option_text(struct push_line *parsed, struct json_value value, struct slice *ret_text) {
    if (value.type == JSON_IS_ARRAY) return list_text(parsed, value, ret_text);
    if (value.type != JSON_IS_OBJECT) return value_text(parsed, value, ret_text);
    *ret_text = value.raw;
    return true;
}

static bool take_payload_base64(struct push_line *parsed, struct json_value value) {
    struct slice text;
    if (!value_text(parsed, value, &text)) return false;
    size_t start = parsed->scratch->size;
    if (!base64_decode(text, parsed->scratch)) {
        return parsed_fail(parsed, "payload_base64 is no base64", SLICE(""));
    }
    parsed->payload = slice_of(parsed->scratch->bytes + start, parsed->scratch->size - start);
    return true;
}

/* What an exported job says that a push does not take. */
static bool take_told(struct push_line *parsed, struct slice key, struct json_value value) {
    if (json_key_is(key, SLICE("id"))) return value_text(parsed, value, &parsed->id);
    if (json_key_is(key, SLICE("state"))) return value_text(parsed, value, &parsed->state);
    if (json_key_is(key, SLICE("created_at"))) return value_text(parsed, value, &parsed->created);
    if (!json_key_is(key, SLICE("payload_encoding"))) return true;
    return value_text(parsed, value, &parsed->encoding);
}

/* The payload was put as text or base64 when it is not JSON itself. */
static bool import_payload(struct push_line *parsed) {
    if (parsed->encoding.size == 0) return true;
    if (slice_equal(parsed->encoding, SLICE("base64"))) {
        return take_payload_base64(parsed, parsed->payload_value);
    }
    return value_text(parsed, parsed->payload_value, &parsed->payload);
}

/* A second import of the same lines finds the jobs of the first by this key. */
static bool import_key(struct push_line *parsed) {
    if (parsed->has_key || parsed->id.size == 0) return true;
    size_t start = parsed->scratch->size;
    (void)buf_printf(
        parsed->scratch, "import/%.*s/%.*s", SLICE_ARG(parsed->created), SLICE_ARG(parsed->id)
    );
    cli_word(&parsed->options, "KEY");
    struct slice key = {parsed->scratch->bytes + start, parsed->scratch->size - start};
    cli_word_slice(&parsed->options, key);
    return true;
}

static bool take_member(struct push_line *parsed, struct slice key, struct json_value value) {
    if (json_key_is(key, SLICE("queue"))) return value_text(parsed, value, &parsed->queue);
    if (json_key_is(key, SLICE("kind"))) return value_text(parsed, value, &parsed->kind);
    if (json_key_is(key, SLICE("payload_text"))) return value_text(parsed, value, &parsed->payload);
    if (json_key_is(key, SLICE("payload_base64"))) return take_payload_base64(parsed, value);
    if (json_key_is(key, SLICE("payload"))) {
        parsed->payload = value.raw;
        parsed->payload_value = value;
        return true;
    }
    if (json_key_is(key, SLICE("key"))) parsed->has_key = true;
    /* An id of the server that it comes from: here it is another job's, or nobody's. */
    if (parsed->imports && json_key_is(key, SLICE("parent"))) return true;
    for (size_t i = 0; i < hob_countof(fields); i++) {
        if (!json_key_is(key, slice_str(fields[i].field))) continue;
        struct slice text;
        if (value.type == JSON_IS_NULL || value.type == JSON_IS_FALSE) return true;
        bool is_flag = value.type == JSON_IS_TRUE;
        if (!is_flag && !option_text(parsed, value, &text)) return false;
        if (parsed->options.count + 2 > CLI_REQUEST_WORDS_MAX - 5) {
            return parsed_fail(parsed, "too many fields", SLICE(""));
        }
        parsed->has_time = parsed->has_time || fields[i].is_time;
        cli_word(&parsed->options, fields[i].word);
        if (!is_flag) cli_word_slice(&parsed->options, text);
        return true;
    }
    if (parsed->imports) return take_told(parsed, key, value);
    return parsed_fail(parsed, "there is no field ", key);
}

bool push_line_parse(struct slice line, struct push_line *parsed) {
    struct json_value job;
    struct json_error error;
    if (!json_parse(line, &job, &error)) return parsed_fail(parsed, error.text, SLICE(""));
    if (job.type != JSON_IS_OBJECT) return parsed_fail(parsed, "not a JSON object", SLICE(""));
    struct json_walk walk = json_walk(job);
    struct slice key;
    struct json_value value;
    while (json_next_member(&walk, &key, &value)) {
        if (!take_member(parsed, key, value)) return false;
    }
    if (parsed->queue.size == 0) return parsed_fail(parsed, "queue is missing", SLICE(""));
    if (parsed->kind.size == 0) return parsed_fail(parsed, "kind is missing", SLICE(""));
    return !parsed->imports || (import_payload(parsed) && import_key(parsed));
}

bool push_line_spread(
    struct push_line *parsed, hob_ns spread_ns, uint64_t at, uint64_t count, char delay[24]
) {
    if (parsed->has_time) {
        return parsed_fail(
            parsed, "it has a time of its own, and --spread gives it one", SLICE("")
        );
    }
    uint64_t ms = spread_ns / NS_PER_MS;
    (void)snprintf(delay, 24, "%" PRIu64, ms / count * at + ms % count * at / count);
    cli_word(&parsed->options, "DELAY");
    cli_word(&parsed->options, delay);
    return true;
}

bool push_line_is_blank(struct slice line) {
    return line.size == 0;
}

bool push_line_next(struct slice *rest, struct slice *ret_line) {
    if (rest->size == 0) return false;
    const char *end = memchr(rest->bytes, '\n', rest->size);
    size_t size = end == NULL ? rest->size : (size_t)(end - rest->bytes);
    size_t step = end == NULL ? size : size + 1;
    *ret_line = slice_of(rest->bytes, size);
    if (size > 0 && rest->bytes[size - 1] == '\r') ret_line->size--;
    *rest = slice_of(rest->bytes + step, rest->size - step);
    return true;
}

uint64_t push_line_count(struct slice text) {
    uint64_t count = 0;
    struct slice line;
    while (push_line_next(&text, &line)) count += push_line_is_blank(line) ? 0 : 1;
    return count;
}
