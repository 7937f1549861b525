/* SPDX-License-Identifier: Apache-2.0 */
#include "base/logfmt.h"

#include "base/test.h"

static const char *line_of(enum log_format format, const struct log_field *fields) {
    static char text[LOG_LINE_BYTES_MAX];
    HOB_AUTO_BUF struct buf line = buf_make(sizeof text);
    struct log_event event = {
        .at_ns = UINT64_C(1772323200250) * NS_PER_MS,
        .day_seconds = 9 * 3600 + 5 * 60 + 7,
        .severity = SEVERITY_WARN,
        .what = "job failed",
        .fields = fields,
    };
    logfmt_put(&line, format, &event);
    (void)buf_put_char(&line, '\0');
    memcpy(text, line.bytes, line.size);
    return text;
}

#define LINE(format, ...) line_of((format), (const struct log_field[]){__VA_ARGS__, LOG_END})
#define HEAD              "time=2026-03-01T00:00:00.250Z level=warn msg=\"job failed\" "

TEST(an_event_has_three_forms) {
    struct log_field job = log_u64("job", 17);
    struct log_field code = log_i64("code", -9);
    struct log_field text = log_str("error", "no such file");
    CHECK_STR(
        LINE(LOG_FORMAT_LOGFMT, job, code, text), HEAD "job=17 code=-9 error=\"no such file\"\n"
    );
    CHECK_STR(
        LINE(LOG_FORMAT_TEXT, job, code, text),
        "09:05:07 warn  job failed job=17 code=-9 error=\"no such file\"\n"
    );
    CHECK_STR(
        LINE(LOG_FORMAT_JSON, job, code, text),
        "{\"time\":\"2026-03-01T00:00:00.250Z\",\"level\":\"warn\",\"msg\":\"job "
        "failed\",\"job\":17,"
        "\"code\":-9,\"error\":\"no such file\"}\n"
    );
}

TEST(a_value_cannot_leave_its_place) {
    CHECK_STR(
        LINE(LOG_FORMAT_LOGFMT, log_str("kind", "a\nlevel=error")),
        HEAD "kind=\"a\\nlevel=error\"\n"
    );
    CHECK_STR(LINE(LOG_FORMAT_LOGFMT, log_str("kind", "a b=c")), HEAD "kind=\"a b=c\"\n");
    CHECK_STR(LINE(LOG_FORMAT_LOGFMT, log_str("kind", "x=y")), HEAD "kind=\"x=y\"\n");
    CHECK_STR(LINE(LOG_FORMAT_LOGFMT, log_str("kind", "\" e=\"")), HEAD "kind=\"\\\" e=\\\"\"\n");
    CHECK_STR(LINE(LOG_FORMAT_LOGFMT, log_str("kind", "a\\")), HEAD "kind=\"a\\\\\"\n");
}

TEST(nothing_reaches_a_terminal_as_a_control_sequence) {
    const char *foreign = "\x1b[31m\r\x07\x7f\xc2\x9b\xe2\x80\xae\xe2\x80\xa8\xe2\x81\xa6é";
    const char *wanted = "error=\"\\u001b[31m\\r\\u0007\\u007f\\u009b\\u202e\\u2028\\u2066é\"\n";
    for (enum log_format format = 0; format < LOG_FORMAT_JSON; format++) {
        CHECK(strstr(LINE(format, log_str("error", foreign)), wanted) != NULL);
    }
    const char *json = LINE(LOG_FORMAT_JSON, log_str("error", foreign));
    CHECK(strstr(json, "\\u001b[31m\\r\\u0007\\u007f\\u009b\\u202e\\u2028\\u2066é\"}") != NULL);
}

TEST(bytes_that_are_no_text_and_long_ones_are_made_fit) {
    CHECK_STR(
        LINE(LOG_FORMAT_LOGFMT, log_text("name", slice_of("a\0\xff", 3))),
        HEAD "name=\"a\\u0000\xef\xbf\xbd\"\n"
    );
    char text[2000];
    for (size_t i = 0; i < sizeof text; i += 2) memcpy(text + i, "é", 2);
    const char *line = LINE(LOG_FORMAT_LOGFMT, log_text("t", slice_of(text, sizeof text)));
    CHECK_EQUAL(
        strlen(line), strlen(HEAD) + strlen("t=\"") + LOG_VALUE_BYTES_MAX + strlen("…\"\n")
    );
    /* The cut would fall inside a character now. */
    text[0] = 'x';
    for (size_t i = 1; i + 1 < sizeof text; i += 2) memcpy(text + i, "é", 2);
    line = LINE(LOG_FORMAT_LOGFMT, log_text("t", slice_of(text, sizeof text)));
    CHECK(strstr(line, "é…\"\n") != NULL);
    CHECK(strstr(line, "\xef\xbf\xbd") == NULL);
}

TEST(a_field_without_a_value_is_left_out) {
    CHECK_STR(
        LINE(LOG_FORMAT_LOGFMT, log_str("trace_id", ""), log_str("by", NULL), log_u64("n", 0)),
        HEAD "n=0\n"
    );
    CHECK_STR(
        line_of(LOG_FORMAT_LOGFMT, &LOG_END),
        "time=2026-03-01T00:00:00.250Z level=warn msg=\"job failed\"\n"
    );
}

TEST(words_are_read_exactly) {
    enum log_severity severity = SEVERITY_INFO;
    enum log_format format = LOG_FORMAT_TEXT;
    CHECK(log_severity_parse(SLICE("debug"), &severity) && severity == SEVERITY_DEBUG);
    CHECK(!log_severity_parse(SLICE("DEBUG"), &severity));
    CHECK(log_format_parse(SLICE("json"), &format) && format == LOG_FORMAT_JSON);
    CHECK(!log_format_parse(SLICE(""), &format));
}

TESTS(
    an_event_has_three_forms,
    a_value_cannot_leave_its_place,
    nothing_reaches_a_terminal_as_a_control_sequence,
    bytes_that_are_no_text_and_long_ones_are_made_fit,
    a_field_without_a_value_is_left_out,
    words_are_read_exactly
)
