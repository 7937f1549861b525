/* SPDX-License-Identifier: Apache-2.0 */
/* What a job carries for others: its form, and that it stays with the job. */
#include "engine/labels.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "engine/rig.h"

TEST(headers_are_an_object_of_strings) {
    CHECK(headers_fault(SLICE_NONE) == NULL);
    CHECK(headers_fault(SLICE("{}")) == NULL);
    CHECK(headers_fault(SLICE(" { \"a\" : \"b\\u00e4\" , \"X-Y\" : \"\" } ")) == NULL);
    static const char *const bad[] = {
        "x",
        "[]",
        "\"a\"",
        "{\"a\": 1}",
        "{\"a\": null}",
        "{\"a\": {}}",
        "{\"\": \"b\"}",
        "{\"a b\": \"c\"}",
        "{\"a\": \"line\\nbreak\"}",
        "{\"a\": \"\\u007f\"}",
        "{\"a\": \"1\", \"b\": \"2\", \"a\": \"3\"}",
        "{\"a\": \"b\"",
    };
    for (size_t i = 0; i < hob_countof(bad); i++) CHECK(headers_fault(slice_str(bad[i])) != NULL);
}

TEST(a_traceparent_has_the_form_that_w3c_gives_it) {
    static const char *const good[] = {
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-comes-later",
    };
    static const char *const bad[] = {
        "",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
    };
    for (size_t i = 0; i < hob_countof(good) + hob_countof(bad); i++) {
        bool is_good = i < hob_countof(good);
        char headers[200];
        (void)snprintf(
            headers,
            sizeof headers,
            "{\"traceparent\":\"%s\"}",
            is_good ? good[i] : bad[i - hob_countof(good)]
        );
        CHECK((headers_fault(slice_str(headers)) == NULL) == is_good);
    }
}

TEST(limits_of_headers_and_tags_are_exact) {
    char headers[HEADERS_BYTES_MAX + 16];
    for (size_t size = HEADERS_BYTES_MAX; size <= HEADERS_BYTES_MAX + 1; size++) {
        memset(headers, 'v', size);
        memcpy(headers, "{\"a\":\"", 6);
        memcpy(headers + size - 2, "\"}", 2);
        bool fits = headers_fault(slice_of(headers, size)) == NULL;
        CHECK(fits == (size == HEADERS_BYTES_MAX));
    }
    HOB_AUTO_BUF struct buf many = buf_make(HEADERS_BYTES_MAX);
    HOB_AUTO_BUF struct buf tags = buf_make(TAGS_BYTES_MAX);
    for (int i = 0; i <= HEADERS_MAX; i++) {
        buf_reset(&many);
        for (int k = 0; k < i; k++) (void)buf_printf(&many, "%s\"h%d\":\"\"", k > 0 ? "," : "{", k);
        (void)buf_put_str(&many, "}");
        if (i == 0) continue;
        CHECK(headers_fault(buf_slice(&many)) == NULL);
    }
    many.size--;
    (void)buf_put_str(&many, ",\"one-more\":\"\"}");
    CHECK(headers_fault(buf_slice(&many)) != NULL);
    for (int i = 0; i < TAGS_MAX; i++) (void)buf_printf(&tags, "%stag-%d", i > 0 ? "," : "", i);
    CHECK(tags_fault(buf_slice(&tags)) == NULL);
    (void)buf_put_str(&tags, ",one-more");
    CHECK(tags_fault(buf_slice(&tags)) != NULL);
}

TEST(tags_are_names_with_commas_between) {
    CHECK(tags_fault(SLICE_NONE) == NULL);
    CHECK(tags_fault(SLICE("urgent")) == NULL);
    CHECK(tags_fault(SLICE("urgent,customer:42")) == NULL);
    static const char *const bad[] = {",", "a,", ",a", "a,,b", "a b", "-a", "a,\xc3\xa4"};
    for (size_t i = 0; i < hob_countof(bad); i++) CHECK(tags_fault(slice_str(bad[i])) != NULL);
    CHECK(tags_have(SLICE("urgent,eu"), SLICE("eu")));
    CHECK(tags_have(SLICE("urgent,eu"), SLICE("urgent")));
    CHECK(!tags_have(SLICE("urgent,eu"), SLICE("urgen")));
    CHECK(!tags_have(SLICE_NONE, SLICE("eu")));
}

TEST(labels_stay_with_the_job_and_its_version_counts_its_states) {
    struct rig *rig = rig_new();
    struct command push = push_of("mail");
    push.push.headers = SLICE("{\"tracestate\":\"x=1\"}");
    push.push.tags = SLICE("urgent,eu");
    push.push.content_type = SLICE("text/plain");
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    uint64_t id = rig->last.id;
    CHECK_EQUAL(rig_job(rig, id).version, 1);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    CHECK_EQUAL(rig_job(rig, id).version, 2);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, id)), ANSWER_OK);
    struct job_view job = rig_job(rig, id);
    CHECK_EQUAL(job.version, 3);
    CHECK(slice_equal(job.headers, push.push.headers));
    CHECK(slice_equal(job.tags, push.push.tags));
    CHECK(slice_equal(job.content_type, push.push.content_type));
    CHECK(slice_equal(header_raw(job.headers, SLICE("tracestate")), SLICE("\"x=1\"")));
    CHECK_EQUAL(header_raw(job.headers, SLICE("traceparent")).size, 0);
    /* A full record tells all of it again. */
    struct effect effect = {.type = EFFECT_JOB_PUT, .job_put.job = {.id = id}};
    engine_home_set(rig->engine, 7);
    CHECK(engine_restate(rig->engine, &effect, 0));
    rig_end(rig);
}

TEST(labels_past_their_limits_are_refused_with_their_name) {
    struct rig *rig = rig_new();
    struct command push = push_of("mail");
    push.push.tags = SLICE("a b");
    CHECK_EQUAL(rig_do(rig, push), ANSWER_BAD_ARGUMENT);
    CHECK(strstr(rig->last.detail, "tag") != NULL);
    push = push_of("mail");
    push.push.headers = SLICE("[]");
    CHECK_EQUAL(rig_do(rig, push), ANSWER_BAD_ARGUMENT);
    CHECK(strstr(rig->last.detail, "headers") != NULL);
    push = push_of("mail");
    push.push.content_type = SLICE("text/\x01");
    CHECK_EQUAL(rig_do(rig, push), ANSWER_BAD_ARGUMENT);
    CHECK(strstr(rig->last.detail, "content type") != NULL);
    rig_end(rig);
}

TESTS(
    headers_are_an_object_of_strings,
    a_traceparent_has_the_form_that_w3c_gives_it,
    limits_of_headers_and_tags_are_exact,
    tags_are_names_with_commas_between,
    labels_stay_with_the_job_and_its_version_counts_its_states,
    labels_past_their_limits_are_refused_with_their_name
)
