/* SPDX-License-Identifier: Apache-2.0 */
/* One reader a type. The spelling that is kept reads back as the same value. */
#include "config/value.h"

#include <limits.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/glob.h"
#include "base/text.h"
#include "config/yaml_read.h"

/* HOST:PORT, [IPV6]:PORT or unix:PATH; what the host is, the network says later. */
static bool address_is_valid(struct slice text) {
    static const char unix_word[] = "unix:";
    size_t unix_size = sizeof unix_word - 1;
    if (text.size >= unix_size && memcmp(text.bytes, unix_word, unix_size) == 0) {
        return text.size > unix_size;
    }
    size_t colon = text.size;
    while (colon > 0 && text.bytes[colon - 1] != ':') colon--;
    if (colon < 2 || memchr(text.bytes, ' ', text.size) != NULL) return false;
    struct slice host = slice_of(text.bytes, colon - 1);
    struct slice port = slice_of(text.bytes + colon, text.size - colon);
    bool bracket = host.bytes[0] == '[' && host.bytes[host.size - 1] == ']' && host.size > 2;
    bool is_plain = memchr(host.bytes, ':', host.size) == NULL && host.bytes[0] != '[';
    uint64_t number = 0;
    return (bracket || is_plain) && text_u64(port, 0, 65535, &number);
}

/* "hob://" and "hobs://" (with TLS) may stand before the address of a server. */
static struct slice without_scheme(struct slice text) {
    static const char *const schemes[] = {"hob://", "hobs://"};
    for (size_t i = 0; i < hob_countof(schemes); i++) {
        size_t size = strlen(schemes[i]);
        if (text.size > size && memcmp(text.bytes, schemes[i], size) == 0) {
            return slice_of(text.bytes + size, text.size - size);
        }
    }
    return text;
}

static const char *path_from(const char *folder, struct slice path, struct arena *arena) {
    if (folder == NULL || path.bytes[0] == '/') return arena_text(arena, path);
    HOB_AUTO_BUF struct buf joined = buf_make(path.size + PATH_MAX + 1);
    (void)buf_printf(&joined, "%s/%.*s", folder, SLICE_ARG(path));
    return arena_text(arena, buf_slice(&joined));
}

static bool
number_read(const struct setting *setting, struct slice item, struct buf *out, uint64_t *ret) {
    uint64_t number = 0;
    switch (setting->type) {
    case SETTING_TYPE_NUMBER:
        if (!text_u64(item, setting->min, setting->max, &number)) return false;
        (void)buf_put_u64(out, number);
        break;
    case SETTING_TYPE_SPAN:
        if (!text_duration(item, 0, &number)) return false;
        (void)text_put_duration(out, number);
        break;
    case SETTING_TYPE_SIZE:
        if (!text_size(item, &number)) return false;
        (void)text_put_size(out, number);
        break;
    case SETTING_TYPE_BOOL:
        if (!slice_equal(item, SLICE("true")) && !slice_equal(item, SLICE("false"))) return false;
        number = item.size == 4;
        *ret = number;
        return buf_put_slice(out, item);
    case SETTING_TYPE_CHOICE:
        (void)buf_put_slice(out, item);
        return setting_choice(setting, item, ret);
    case SETTING_TYPE_TEXT:
    case SETTING_TYPE_PATH:
    case SETTING_TYPE_FILE:
    case SETTING_TYPE_KEY_FILE:
    case SETTING_TYPE_ADDRESS:
    case SETTING_TYPE_ADDRESSES:
    case SETTING_TYPE_NAME:
    case SETTING_TYPE_NAMES:
    case SETTING_TYPE_PATTERNS:
    case SETTING_TYPE_WORDS:
    case SETTING_TYPE_COUNT:
        hob_assert(false && "a type of numbers");
    }
    if (number < setting->min || number > setting->max) return false;
    *ret = number;
    return true;
}

/* A file in $CREDENTIALS_DIRECTORY, or any other. */
static const char *file_from(const struct value_reading *reading, struct slice item) {
    static const char word[] = "credential:";
    size_t size = sizeof word - 1;
    if (item.size < size || memcmp(item.bytes, word, size) != 0) {
        return path_from(reading->folder, item, reading->arena);
    }
    struct slice name = slice_of(item.bytes + size, item.size - size);
    const char *folder =
        reading->variable == NULL ? NULL : reading->variable("CREDENTIALS_DIRECTORY");
    if (folder == NULL || name.size == 0) return NULL;
    if (memchr(name.bytes, '/', name.size) != NULL) return NULL;
    return path_from(folder, name, reading->arena);
}

/* As the engine takes it in a fetch. */
static bool pattern_is_valid(struct slice item) {
    struct slice rest = item;
    bool excludes = rest.bytes[0] == '!';
    if (excludes) rest = slice_of(rest.bytes + 1, rest.size - 1);
    if (!excludes && !glob_has_wildcard(rest)) return yaml_name_is_valid(rest);
    return yaml_glob_is_valid(rest);
}

/* The item as it is kept, or NULL when it is not valid. */
static const char *item_read(
    const struct setting *setting,
    struct slice item,
    const struct value_reading *reading,
    uint64_t *ret_number
) {
    struct arena *arena = reading->arena;
    if (item.size == 0 || memchr(item.bytes, '\0', item.size) != NULL) return NULL;
    switch (setting->type) {
    case SETTING_TYPE_TEXT:
    case SETTING_TYPE_WORDS:
        return arena_text(arena, item);
    case SETTING_TYPE_PATH:
        return path_from(reading->folder, item, arena);
    case SETTING_TYPE_FILE:
    case SETTING_TYPE_KEY_FILE:
        return file_from(reading, item);
    case SETTING_TYPE_ADDRESS:
        return address_is_valid(without_scheme(item)) ? arena_text(arena, item) : NULL;
    case SETTING_TYPE_ADDRESSES:
        return address_is_valid(item) ? arena_text(arena, item) : NULL;
    case SETTING_TYPE_NAME:
    case SETTING_TYPE_NAMES:
        return yaml_name_is_valid(item) ? arena_text(arena, item) : NULL;
    case SETTING_TYPE_PATTERNS:
        return pattern_is_valid(item) ? arena_text(arena, item) : NULL;
    case SETTING_TYPE_NUMBER:
    case SETTING_TYPE_SPAN:
    case SETTING_TYPE_SIZE:
    case SETTING_TYPE_BOOL:
    case SETTING_TYPE_CHOICE:
    case SETTING_TYPE_COUNT:
        break;
    }
    HOB_AUTO_BUF struct buf out = buf_make(item.size + 64);
    if (!number_read(setting, item, &out, ret_number)) return NULL;
    return arena_text(arena, buf_slice(&out));
}

static bool
refuse(struct value_reading *reading, const struct setting *setting, struct slice item) {
    char wanted[200];
    setting_wanted(setting, wanted, sizeof wanted);
    int size = item.size > 60 ? 60 : (int)item.size;
    char *why = reading->why;
    size_t room = sizeof reading->why;
    (void)snprintf(why, room, "`%.*s` is not it; wanted: %s", size, item.bytes, wanted);
    return false;
}

bool value_read(
    struct value_reading *reading,
    const struct setting *setting,
    const struct slice *items,
    size_t count,
    struct value *ret_value
) {
    size_t least = setting_is_list(setting) ? (size_t)setting->min : 1;
    size_t most = setting_is_list(setting) ? (size_t)setting->max : 1;
    hob_assert(most <= VALUE_WORDS_MAX);
    if (count < least || count > most) {
        char *why = reading->why;
        (void)snprintf(why, sizeof reading->why, "wanted: a list of %zu to %zu", least, most);
        return false;
    }
    const char **words = arena_alloc(reading->arena, (count + 1) * sizeof *words);
    uint64_t number = 0;
    for (size_t i = 0; i < count; i++) {
        words[i] = item_read(setting, items[i], reading, &number);
        if (words[i] == NULL) return refuse(reading, setting, items[i]);
    }
    ret_value->words = words;
    ret_value->count = count;
    ret_value->number = number;
    return true;
}

bool value_read_text(
    struct value_reading *reading,
    const struct setting *setting,
    const char *text,
    struct value *ret_value
) {
    struct slice items[VALUE_WORDS_MAX + 1];
    size_t count = 0;
    const char *at = text;
    if (!setting_is_list(setting)) items[count++] = slice_str(text);
    while (setting_is_list(setting) && at != NULL && count <= VALUE_WORDS_MAX) {
        const char *end = strchr(at, ',');
        items[count++] = end == NULL ? slice_str(at) : slice_of(at, (size_t)(end - at));
        at = end == NULL ? NULL : end + 1;
    }
    return value_read(reading, setting, items, count, ret_value);
}

bool value_equal(const struct value *a, const struct value *b) {
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->words[i], b->words[i]) != 0) return false;
    }
    return true;
}
