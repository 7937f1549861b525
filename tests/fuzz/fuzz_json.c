/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: what is accepted can be walked to its last value; each value is a valid document by itself;
 * each string decodes to UTF-8 and, written again, decodes to the same. Where jansson is there,
 * both must agree on what JSON is. */
#include "fuzz.h"

#ifdef HAVE_JANSSON
#    include <jansson.h>
#endif

#include "base/json.h"
#include "base/json_put.h"
#include "base/number.h"
#include "base/utf8.h"

enum { VALUES_MAX = 4096 };

struct stack {
    struct json_value values[VALUES_MAX];
    size_t count;
};

static void push(struct stack *stack, struct json_value value) {
    if (stack->count < VALUES_MAX) stack->values[stack->count++] = value;
}

static void check_string(struct json_value value) {
    HOB_AUTO_BUF struct buf decoded = buf_make(value.raw.size);
    HOB_AUTO_BUF struct buf quoted = buf_make(value.raw.size * 6);
    HOB_AUTO_BUF struct buf again = buf_make(value.raw.size * 6);
    FUZZ_CHECK(json_decode(value, &decoded));
    FUZZ_CHECK(utf8_valid(buf_slice(&decoded)));
    json_quote(&quoted, buf_slice(&decoded));
    FUZZ_CHECK(!quoted.overflowed);
    struct json_value back;
    FUZZ_CHECK(json_parse(buf_slice(&quoted), &back, NULL));
    FUZZ_CHECK(json_decode(back, &again));
    FUZZ_CHECK(slice_equal(buf_slice(&decoded), buf_slice(&again)));
    struct slice raw_key = slice_of(value.raw.bytes + 1, value.raw.size - 2);
    FUZZ_CHECK(json_key_is(raw_key, buf_slice(&decoded)));
}

static void check_number(struct json_value value) {
    char text[64];
    char printed[NUMBER_BYTES_MAX];
    double number = 0;
    double back = 0;
    int64_t whole = 0;
    if (!json_double(value, &number)) return;
    if (value.raw.size < sizeof text) {
        memcpy(text, value.raw.bytes, value.raw.size);
        text[value.raw.size] = 0;
        FUZZ_CHECK(strtod(text, NULL) == number);
    }
    FUZZ_CHECK(number_parse(slice_of(printed, number_print(printed, number)), &back));
    FUZZ_CHECK(back == number);
    if (json_i64(value, &whole)) FUZZ_CHECK((double)whole == number);
}

static void check_value(struct stack *stack, struct json_value value) {
    struct json_value back;
    FUZZ_CHECK(json_parse(value.raw, &back, NULL));
    FUZZ_CHECK(back.type == value.type);
    FUZZ_CHECK(slice_equal(back.raw, value.raw));
    struct json_walk walk = json_walk(value);
    struct json_value inner;
    struct slice key;
    if (value.type == JSON_IS_STRING) check_string(value);
    if (value.type == JSON_IS_NUMBER) check_number(value);
    if (value.type == JSON_IS_ARRAY) {
        while (json_next_item(&walk, &inner)) push(stack, inner);
    }
    if (value.type == JSON_IS_OBJECT) {
        while (json_next_member(&walk, &key, &inner)) {
            struct json_value quoted = {JSON_IS_STRING, {key.bytes - 1, key.size + 2}};
            push(stack, quoted);
            push(stack, inner);
        }
    }
}

#ifdef HAVE_JANSSON
/* jansson goes deeper than we do, has no numbers beyond its own types and no \u0000 in keys, and
 * takes a zero byte for the end of the text. */
static void check_against_jansson(struct slice text, bool ours, const char *our_error) {
    if (text.size > 0 && memchr(text.bytes, 0, text.size) != NULL) return;
    json_error_t error;
    size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_t *theirs = json_loadb(text.bytes, text.size, flags, &error);
    if (theirs != NULL) {
        FUZZ_CHECK(ours || strcmp(our_error, "nested too deeply") == 0);
    } else if (ours) {
        enum json_error_code code = json_error_code(&error);
        FUZZ_CHECK(code == json_error_numeric_overflow || code == json_error_null_byte_in_key);
    }
    json_decref(theirs);
}
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct stack stack;
    char *copy = malloc(size == 0 ? 1 : size);
    FUZZ_CHECK(copy != NULL);
    if (size > 0) memcpy(copy, data, size);
    struct slice text = slice_of(copy, size);
    struct json_value value;
    struct json_error error = {0};
    bool fine = json_parse(text, &value, &error);
    FUZZ_CHECK(fine == json_valid(text));
#ifdef HAVE_JANSSON
    check_against_jansson(text, fine, error.text);
#endif
    if (fine) {
        stack.count = 0;
        push(&stack, value);
        while (stack.count > 0) check_value(&stack, stack.values[--stack.count]);
    } else {
        FUZZ_CHECK(error.text != NULL);
        FUZZ_CHECK(error.offset <= size);
    }
    HOB_AUTO_BUF struct buf quoted = buf_make(size * 6 + 2);
    json_quote(&quoted, text);
    FUZZ_CHECK(!quoted.overflowed);
    FUZZ_CHECK(json_valid(buf_slice(&quoted)));
    free(copy);
    return 0;
}
