/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of settings.h as a table, and what can be said of a row by itself. */
#include "config/settings.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/text.h"

const struct setting settings[SETTING_COUNT] = {
#define X(id, path, type, letter, flag, variable, fallback, min, max, change, value, help) \
    [SETTING_##id] = {                                                                     \
        path,                                                                              \
        SETTING_TYPE_##type,                                                               \
        letter,                                                                            \
        flag,                                                                              \
        variable,                                                                          \
        fallback,                                                                          \
        min,                                                                               \
        max,                                                                               \
        SETTING_##change,                                                                  \
        value,                                                                             \
        help},
    SETTINGS(X)
#undef X
};

bool setting_is_below(const struct setting *setting, struct slice section) {
    struct slice path = slice_str(setting->path);
    if (section.size == 0) return true;
    if (path.size < section.size || memcmp(path.bytes, section.bytes, section.size) != 0) {
        return false;
    }
    return path.size == section.size || path.bytes[section.size] == '.';
}

bool setting_is_first_of(unsigned at, size_t size) {
    struct slice section = slice_of(settings[at].path, size);
    for (unsigned i = 0; i < at; i++) {
        if (setting_is_below(&settings[i], section)) return false;
    }
    return true;
}

bool setting_is_list(const struct setting *setting) {
    return setting->type == SETTING_TYPE_ADDRESSES || setting->type == SETTING_TYPE_PATTERNS ||
           setting->type == SETTING_TYPE_NAMES || setting->type == SETTING_TYPE_WORDS;
}

bool setting_choice(const struct setting *setting, struct slice word, uint64_t *ret_at) {
    const char *at = setting->value;
    for (uint64_t number = 0; at != NULL; number++) {
        const char *end = strchr(at, ' ');
        size_t size = end == NULL ? strlen(at) : (size_t)(end - at);
        if (slice_equal(word, slice_of(at, size))) {
            *ret_at = number;
            return true;
        }
        at = end == NULL ? NULL : end + 1;
    }
    return false;
}

static void put_range(const struct setting *setting, struct buf *out) {
    bool is_span = setting->type == SETTING_TYPE_SPAN;
    (void)buf_put_str(out, ", from ");
    (void)(is_span ? text_put_duration(out, setting->min) : text_put_size(out, setting->min));
    (void)buf_put_str(out, " to ");
    (void)(is_span ? text_put_duration(out, setting->max) : text_put_size(out, setting->max));
}

static void put_choices(const struct setting *setting, struct buf *out) {
    (void)buf_put_str(out, "one of ");
    for (const char *c = setting->value; *c != '\0'; c++) {
        (void)(*c == ' ' ? buf_put_str(out, ", ") : buf_put_char(out, *c));
    }
}

void setting_wanted(const struct setting *setting, char *to, size_t size) {
    static const char *const texts[SETTING_TYPE_COUNT] = {
        [SETTING_TYPE_TEXT] = "some text",
        [SETTING_TYPE_PATH] = "a path",
        [SETTING_TYPE_FILE] = "a path, or credential:NAME",
        [SETTING_TYPE_KEY_FILE] = "a path, or credential:NAME",
        [SETTING_TYPE_ADDRESS] = "an address: HOST:PORT or unix:PATH",
        [SETTING_TYPE_ADDRESSES] = "addresses: HOST:PORT or unix:PATH",
        [SETTING_TYPE_NAME] = "a name: 1 to 200 of A-Z a-z 0-9 - + / ; : . $ _ ( ), no - in front",
        [SETTING_TYPE_NAMES] =
            "names, each 1 to 200 of A-Z a-z 0-9 - + / ; : . $ _ ( ), no - in front",
        [SETTING_TYPE_PATTERNS] =
            "names or globs (* any run, ? one byte), with a ! before what is excluded",
        [SETTING_TYPE_WORDS] = "words",
        [SETTING_TYPE_SPAN] = "a span of time, such as 250ms, 30s, 5m, 2h",
        [SETTING_TYPE_SIZE] = "a size, such as 512MiB or 2GiB",
        [SETTING_TYPE_BOOL] = "true or false",
    };
    HOB_AUTO_BUF struct buf out = buf_make(size - 1);
    if (setting->type == SETTING_TYPE_NUMBER) {
        unsigned long long min = setting->min;
        (void)buf_printf(&out, "a number from %llu to %llu", min, (unsigned long long)setting->max);
    } else if (setting->type == SETTING_TYPE_CHOICE) {
        put_choices(setting, &out);
    } else {
        hob_assert(texts[setting->type] != NULL);
        (void)buf_put_str(&out, texts[setting->type]);
        bool ranged = setting->type == SETTING_TYPE_SPAN || setting->type == SETTING_TYPE_SIZE;
        if (ranged) put_range(setting, &out);
    }
    (void)snprintf(to, size, "%.*s", SLICE_ARG(buf_slice(&out)));
}
