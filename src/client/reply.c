/* SPDX-License-Identifier: Apache-2.0 */
/* One table says what each error word of the protocol means to who asked. */
#include "client/reply.h"

#include "base/assert.h"

/* clang-format off */
static const struct {
    const char *word;
    enum hob_status status;
} words[] = {
    {"NOJOB", HOB_NOT_FOUND},
    {"NOQUEUE", HOB_NOT_FOUND},
    {"UNKNOWN", HOB_NOT_FOUND},
    {"STALE", HOB_CONFLICT},
    {"LEASEOVER", HOB_CONFLICT},
    {"STATE", HOB_CONFLICT},
    {"NOSLOT", HOB_CONFLICT},
    {"BADARG", HOB_USAGE},
    {"NOAUTH", HOB_NOT_ALLOWED},
    {"NOPERM", HOB_NOT_ALLOWED},
    {"WRONGPASS", HOB_NOT_ALLOWED},
    {"NOTOKEN", HOB_NOT_FOUND},
    {"EXISTS", HOB_CONFLICT},
    {"CONFLICT", HOB_CONFLICT},
    {"CHANGED", HOB_CONFLICT},
    {"UNIQUE", HOB_CONFLICT},
    {"QUEUEFULL", HOB_LATER},
    {"FULL", HOB_LATER},
    {"MEMORY", HOB_LATER},
    {"LIMIT", HOB_LATER},
};
/* clang-format on */

const struct resp_node *reply_get(const struct resp_node *map, const char *key) {
    const struct resp_node *value = resp_node_get(map, slice_str(key));
    return reply_is_set(value) ? value : NULL;
}

struct slice reply_text(const struct resp_node *map, const char *key) {
    const struct resp_node *value = reply_get(map, key);
    if (value == NULL || reply_is_aggregate(value)) return SLICE_NONE;
    return value->text;
}

uint64_t reply_u64(const struct resp_node *map, const char *key, uint64_t fallback) {
    const struct resp_node *value = reply_get(map, key);
    uint64_t number = fallback;
    if (value != NULL && !resp_node_u64(value, &number)) return fallback;
    return number;
}

const struct resp_node *reply_item(const struct resp_node *array, size_t index) {
    if (!reply_is_aggregate(array) || index >= array->children_count) return NULL;
    const struct resp_node *item = resp_first(array);
    for (size_t i = 0; i < index; i++) item = resp_next(item);
    return item;
}

static struct slice first_word(struct slice text) {
    const char *space = text.size == 0 ? NULL : memchr(text.bytes, ' ', text.size);
    return space == NULL ? text : slice_of(text.bytes, (size_t)(space - text.bytes));
}

enum hob_status reply_status(const struct resp_node *reply, struct hob_error *err) {
    if (reply->type != RESP_FAILURE) return HOB_OK;
    struct slice word = first_word(reply->text);
    enum hob_status status = HOB_FAILED;
    for (size_t i = 0; i < hob_countof(words); i++) {
        if (slice_equal(word, slice_str(words[i].word))) status = words[i].status;
    }
    struct slice text = reply->text;
    if (text.size > 200) text.size = 200;
    return fail(err, status, "%.*s", SLICE_ARG(text));
}

bool reply_is_error(const struct resp_node *reply, const char *word) {
    return reply->type == RESP_FAILURE && slice_equal(first_word(reply->text), slice_str(word));
}
