/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include "base/json_put.h"
#include "base/test.h"

static bool valid(const char *text) {
    return json_valid(slice_str(text));
}

TEST(the_grammar_is_strict) {
    static const char *const good[] = {
        "{}",
        "[]",
        " [ ] ",
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-1.5e+10",
        "1E5",
        "\"\"",
        "{\"a\":1,\"a\":[2,{}]}",
        "\t\r\n{ \"a\" : [ 1 , 2 ] } ",
        "\"\\u0000\\/\\ud83d\\ude00\"",
        "\"\x7f\xf0\x9f\x98\x80\"",
    };
    static const char *const bad[] = {
        "",
        " ",
        "nul",
        "null0",
        "True",
        "01",
        "-",
        "1.",
        ".5",
        "+1",
        "1e",
        "1e+",
        "0x1",
        "NaN",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1",
        "]",
        "[1}",
        "{\"a\":1]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":1,}",
        "{,}",
        "{1:2}",
        "{} {}",
        "[]]",
        "'a'",
        "\"a",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"",
        "\"\n\"",
        "\"\xff\"",
        "\"\xc0\xaf\"",
        "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "\xef\xbb\xbf{}",
        "/**/1",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) CHECK(valid(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) CHECK(!valid(bad[i]));
    CHECK(!json_valid(SLICE("\"a\0b\"")));
    CHECK(!json_valid(SLICE("1\0")));
    CHECK(!json_valid(SLICE_NONE));
}

TEST(strings_of_every_length_and_place_are_checked) {
    char text[64];
    for (size_t size = 2; size < sizeof text; size++) {
        memset(text, 'a', size);
        text[0] = text[size - 1] = '"';
        CHECK(json_valid(slice_of(text, size)));
        for (size_t at = 1; at + 1 < size; at++) {
            static const char bad[] = {'"', '\\', 0, 0x1f, '\n', (char)0x80, (char)0xff};
            for (size_t i = 0; i < sizeof bad; i++) {
                text[at] = bad[i];
                CHECK(!json_valid(slice_of(text, size)));
            }
            text[at] = 'a';
        }
    }
}

TEST(nesting_is_bounded) {
    char text[2 * JSON_DEPTH_MAX + 2];
    memset(text, '[', JSON_DEPTH_MAX + 1);
    memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    CHECK(json_valid(slice_of(text + 1, 2 * (size_t)JSON_DEPTH_MAX)));
    struct json_value value;
    struct json_error error;
    CHECK(!json_parse(slice_of(text, sizeof text), &value, &error));
    CHECK_STR(error.text, "nested too deeply");
    CHECK_EQUAL(error.offset, JSON_DEPTH_MAX);
}

TEST(an_error_says_where_and_what) {
    struct json_value value;
    struct json_error error;
    CHECK(!json_parse(SLICE("{\"a\":[1,2"), &value, &error));
    CHECK_EQUAL(error.offset, 9);
    CHECK_STR(error.text, "',' or ']' expected");
    CHECK(!json_parse(SLICE("{\"a\":1} x"), &value, &error));
    CHECK_EQUAL(error.offset, 8);
    CHECK_STR(error.text, "nothing may follow the value");
}

static struct json_value parsed(struct slice document) {
    struct json_value value;
    CHECK(json_parse(document, &value, NULL));
    return value;
}

TEST(members_are_slices_of_the_document) {
    struct json_value job = parsed(SLICE(" { \"queue\" : \"mail\", \"payload\" : {\"to\": "
                                         "[\"a}]\\\"\", 1.50], \"n\":1e2 } ,\"p\":-7, "
                                         "\"p\":8, \"\":null,\"b\":true,\"pa\\u0079\":false} "));
    CHECK(job.type == JSON_IS_OBJECT);
    struct json_value value;
    CHECK(json_get(job, SLICE("payload"), &value));
    CHECK(slice_equal(value.raw, SLICE("{\"to\": [\"a}]\\\"\", 1.50], \"n\":1e2 }")));
    struct json_value to;
    CHECK(json_get(value, SLICE("to"), &to));
    struct json_walk walk = json_walk(to);
    struct json_value item;
    CHECK(json_next_item(&walk, &item) && item.type == JSON_IS_STRING);
    CHECK(json_next_item(&walk, &item) && slice_equal(item.raw, SLICE("1.50")));
    CHECK(!json_next_item(&walk, &item));
    CHECK(!json_next_item(&walk, &item));
    int64_t number = 0;
    CHECK(json_get(job, SLICE("p"), &value) && json_i64(value, &number) && number == -7);
    CHECK(json_get(job, SLICE(""), &value) && value.type == JSON_IS_NULL);
    bool flag = true;
    CHECK(json_get(job, SLICE("pay"), &value) && json_bool(value, &flag) && !flag);
    CHECK(!json_get(job, SLICE("payl"), &value));
    CHECK(!json_get(value, SLICE("a"), &value));
    struct slice key;
    int members = 0;
    walk = json_walk(job);
    while (json_next_member(&walk, &key, &value)) members++;
    CHECK_EQUAL(members, 7);
}

TEST(numbers_are_exact_or_refused) {
    uint64_t u = 0;
    int64_t i = 0;
    double d = 0;
    CHECK(json_u64(parsed(SLICE("18446744073709551615")), &u) && u == UINT64_MAX);
    CHECK(!json_u64(parsed(SLICE("18446744073709551616")), &u));
    CHECK(!json_u64(parsed(SLICE("-1")), &u));
    CHECK(!json_u64(parsed(SLICE("1.0")), &u));
    CHECK(!json_u64(parsed(SLICE("1e3")), &u));
    CHECK(!json_u64(parsed(SLICE("\"1\"")), &u));
    CHECK(json_i64(parsed(SLICE("-9223372036854775808")), &i) && i == INT64_MIN);
    CHECK(!json_i64(parsed(SLICE("9223372036854775808")), &i));
    CHECK(json_double(parsed(SLICE("0.1")), &d) && d > 0.09 && d < 0.11);
    CHECK(!json_double(parsed(SLICE("1e999")), &d));
    CHECK(!json_double(parsed(SLICE("null")), &d));
}

TEST(strings_are_decoded_only_when_something_is_escaped) {
    HOB_AUTO_BUF struct buf scratch = buf_make(1000);
    struct slice text;
    struct slice document = SLICE("\"plain \xc3\xa4\"");
    CHECK(json_text(parsed(document), &scratch, &text));
    CHECK(text.bytes == document.bytes + 1);
    CHECK_EQUAL(scratch.size, 0);
    CHECK(json_text(parsed(SLICE("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"")), &scratch, &text));
    CHECK(slice_equal(text, SLICE("\"\\/\b\f\n\r\t")));
    buf_reset(&scratch);
    CHECK(json_text(
        parsed(SLICE("\"\\u0041\\u00e4\\u20AC\\uD83D\\uDE00 \\u0000.\"")), &scratch, &text
    ));
    CHECK(slice_equal(text, SLICE("A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 \0.")));
    CHECK(!json_text(parsed(SLICE("1")), &scratch, &text));
    CHECK(json_text(parsed(SLICE("\"\"")), &scratch, &text));
    CHECK_EQUAL(text.size, 0);
}

TEST(keys_are_compared_decoded) {
    CHECK(json_key_is(SLICE("a"), SLICE("a")));
    CHECK(json_key_is(SLICE("\\u0061\\n"), SLICE("a\n")));
    CHECK(!json_key_is(SLICE("\\u0061"), SLICE("ab")));
    CHECK(!json_key_is(SLICE("\\u0061b"), SLICE("a")));
    CHECK(json_key_is(SLICE(""), SLICE("")));
}

TEST(documents_are_written_with_their_commas) {
    HOB_AUTO_BUF struct buf out = buf_make(1000);
    struct json_put put = json_put_to(&out);
    json_put_object(&put);
    json_put_key(&put, "id");
    json_put_id(&put, UINT64_MAX);
    json_put_key(&put, "list");
    json_put_array(&put);
    json_put_u64(&put, 1);
    json_put_i64(&put, -1);
    json_put_double(&put, 0.5);
    json_put_double(&put, 1.0 / 0.0);
    json_put_bool(&put, true);
    json_put_object(&put);
    json_put_object_end(&put);
    json_put_array_end(&put);
    json_put_key(&put, "raw");
    json_put_raw(&put, SLICE("{\"a\": 1}"));
    json_put_key(&put, "none");
    json_put_str(&put, NULL);
    json_put_object_end(&put);
    struct slice wanted = SLICE("{\"id\":\"18446744073709551615\",\"list\":[1,-1,0.5,null,true,{}],"
                                "\"raw\":{\"a\": 1},\"none\":null}");
    CHECK(slice_equal(buf_slice(&out), wanted));
    CHECK(json_valid(wanted));
}

TEST(members_that_say_nothing_are_left_out) {
    HOB_AUTO_BUF struct buf out = buf_make(1024);
    struct json_put put = json_put_to(&out);
    json_put_object(&put);
    json_member_text(&put, "none", SLICE(""));
    json_member_id(&put, "nobody", 0);
    json_member_time(&put, "never", 0);
    json_member_raw(&put, "nothing", SLICE(""));
    json_member_u64(&put, "zero", 0);
    json_member_text(&put, "text", SLICE("a\"b"));
    json_member_id(&put, "id", UINT64_MAX);
    json_member_time(&put, "at", 1500 * NS_PER_MS);
    json_member_raw(&put, "raw", SLICE("[1]"));
    json_put_object_end(&put);
    (void)buf_put_char(&out, '\0');
    CHECK_STR(
        out.bytes,
        "{\"zero\":0,\"text\":\"a\\\"b\",\"id\":\"18446744073709551615\","
        "\"at\":\"1970-01-01T00:00:01.500Z\",\"raw\":[1]}"
    );
}

TEST(every_byte_string_is_quoted_as_valid_json) {
    HOB_AUTO_BUF struct buf out = buf_make(1000);
    json_quote(&out, SLICE("a\"\\/\b\f\n\r\t\x01\x7f\0\xc3\xa4\xff\xe2\x82."));
    CHECK(slice_equal(
        buf_slice(&out),
        SLICE("\"a\\\"\\\\/"
              "\\b\\f\\n\\r\\t\\u0001\\u007f\\u0000\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd.\"")
    ));
    CHECK(json_valid(buf_slice(&out)));
    buf_reset(&out);
    json_quote(&out, SLICE_NONE);
    CHECK(slice_equal(buf_slice(&out), SLICE("\"\"")));
}

TESTS(
    the_grammar_is_strict,
    strings_of_every_length_and_place_are_checked,
    nesting_is_bounded,
    an_error_says_where_and_what,
    members_are_slices_of_the_document,
    numbers_are_exact_or_refused,
    strings_are_decoded_only_when_something_is_escaped,
    keys_are_compared_decoded,
    documents_are_written_with_their_commas,
    members_that_say_nothing_are_left_out,
    every_byte_string_is_quoted_as_valid_json
)
