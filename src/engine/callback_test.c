/* SPDX-License-Identifier: Apache-2.0 */
/* What follows the end of a job. */
#include "engine/callback.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "engine/document.h"
#include "engine/labels.h"
#include "engine/logline.h"
#include "engine/rig.h"

#define HOLDS(slice, part) CHECK(memmem((slice).bytes, (slice).size, part, strlen(part)) != NULL)
#define LACKS(slice, part) CHECK(memmem((slice).bytes, (slice).size, part, strlen(part)) == NULL)

static const char request[] = "{\"method\":\"POST\",\"url\":\"https://example.org/\",\"body\":";

static struct callback follow_up(enum callback_when when) {
    struct callback callback = {.when = when};
    callback.push.queue = SLICE("next");
    callback.push.kind = SLICE("follow");
    callback.push.payload = SLICE("1");
    return callback;
}

static struct callback webhook(enum callback_when when) {
    struct callback callback = {.when = when, .payload = CALLBACK_REQUEST};
    callback.push.queue = SLICE(CALLBACK_QUEUE);
    callback.push.kind = SLICE(CALLBACK_KIND);
    callback.push.payload = slice_str(request);
    return callback;
}

/* Push a job with these callbacks; its id. */
static uint64_t push_with(struct rig *rig, const struct callback *callbacks, size_t count) {
    static struct buf on_done;
    buf_deinit(&on_done);
    on_done = buf_make(ON_DONE_BYTES_MAX);
    for (size_t i = 0; i < count; i++) CHECK(callback_put(&on_done, &callbacks[i]));
    struct command push = push_of("mail");
    push.push.on_done = buf_slice(&on_done);
    push.push.attempt_max = 1;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    return rig->last.id;
}

static bool is_there(struct rig *rig, uint64_t id) {
    struct job_view view;
    return engine_job(rig->engine, id, &view);
}

/* The bytes of a job's payload, which is a body in the rig's store. */
static struct slice payload_of(struct rig *rig, uint64_t id) {
    struct job_view job = rig_job(rig, id);
    return job.payload_body.id == 0 ? job.payload : rig_body(rig, job.payload_body.id);
}

TEST(a_completed_job_makes_its_follow_up_in_the_same_breath) {
    struct rig *rig = rig_new();
    struct callback callbacks[] = {follow_up(CALLBACK_SUCCESS), follow_up(CALLBACK_FAILURE)};
    uint64_t id = push_with(rig, callbacks, 2);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, id)), ANSWER_OK);
    struct job_view next = rig_job(rig, id + 1);
    CHECK_EQUAL(next.state, JOB_AVAILABLE);
    CHECK_EQUAL(next.parent, id);
    CHECK(slice_equal(next.queue, SLICE("next")));
    CHECK(slice_equal(next.payload, SLICE("1")));
    CHECK(!is_there(rig, id + 2));
    rig_end(rig);
}

TEST(each_way_to_end_fires_what_it_should) {
    static const struct {
        enum command_type end; /* FAIL, ACK or what a person does */
        bool is_success;
    } ends[] = {
        {COMMAND_ACK, true},
        {COMMAND_FAIL, false},
        {COMMAND_CANCEL, false},
        {COMMAND_DISCARD, false},
        {COMMAND_WORKER_BEAT, false}, /* nobody beats: the lease ends */
    };
    for (size_t i = 0; i < hob_countof(ends); i++) {
        struct rig *rig = rig_new();
        struct callback callbacks[] = {
            follow_up(CALLBACK_SUCCESS), follow_up(CALLBACK_FAILURE), follow_up(CALLBACK_FINISHED)};
        callbacks[0].push.queue = SLICE("success");
        callbacks[1].push.queue = SLICE("failure");
        callbacks[2].push.queue = SLICE("finished");
        uint64_t id = push_with(rig, callbacks, 3);
        bool waits = ends[i].end == COMMAND_DISCARD || ends[i].end == COMMAND_CANCEL;
        if (!waits) CHECK_EQUAL(rig_fetch(rig, "mail"), id);
        if (ends[i].end == COMMAND_ACK) {
            CHECK_EQUAL(rig_ack(rig, rig_lease(rig, id)), ANSWER_OK);
        } else if (ends[i].end == COMMAND_FAIL) {
            CHECK_EQUAL(rig_fail(rig, rig_lease(rig, id)), ANSWER_OK);
        } else if (waits) {
            CHECK_EQUAL(rig_control(rig, ends[i].end, id), ANSWER_OK);
        } else {
            rig_advance(rig, LEASE_DEFAULT_NS);
        }
        const char *first = ends[i].is_success ? "success" : "failure";
        CHECK(slice_equal(rig_job(rig, id + 1).queue, slice_str(first)));
        CHECK(slice_equal(rig_job(rig, id + 2).queue, SLICE("finished")));
        CHECK(!is_there(rig, id + 3));
        rig_end(rig);
    }
}

TEST(a_deleted_job_and_a_retried_attempt_make_none) {
    struct rig *rig = rig_new();
    struct callback callback = follow_up(CALLBACK_FINISHED);
    uint64_t id = push_with(rig, &callback, 1);
    CHECK_EQUAL(rig_control(rig, COMMAND_DELETE, id), ANSWER_OK);
    CHECK(!is_there(rig, id + 1));
    HOB_AUTO_BUF struct buf on_done = buf_make(ON_DONE_BYTES_MAX);
    CHECK(callback_put(&on_done, &callback));
    struct command push = push_of("mail");
    push.push.on_done = buf_slice(&on_done);
    push.push.attempt_max = 2;
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    id = rig->last.id;
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    CHECK_EQUAL(rig_fail(rig, rig_lease(rig, id)), ANSWER_OK);
    CHECK_EQUAL(rig_job(rig, id).state, JOB_RETRYABLE);
    CHECK(!is_there(rig, id + 1));
    rig_end(rig);
}

TEST(a_job_that_is_retried_after_its_end_ends_again) {
    struct rig *rig = rig_new();
    struct callback callback = follow_up(CALLBACK_FINISHED);
    callback.payload = CALLBACK_EVENT;
    callback.push.payload = SLICE_NONE;
    uint64_t id = push_with(rig, &callback, 1);
    CHECK_EQUAL(rig_control(rig, COMMAND_CANCEL, id), ANSWER_OK);
    CHECK_EQUAL(rig_control(rig, COMMAND_RETRY, id), ANSWER_OK);
    CHECK_EQUAL(rig_control(rig, COMMAND_CANCEL, id), ANSWER_OK);
    HOLDS(payload_of(rig, id + 1), "\"id\":\"1-2\"");
    HOLDS(payload_of(rig, id + 2), "\"id\":\"1-4\"");
    rig_end(rig);
}

TEST(a_request_carries_the_event_with_the_result) {
    struct rig *rig = rig_new();
    struct callback callback = webhook(CALLBACK_FINISHED);
    uint64_t id = push_with(rig, &callback, 1);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    struct command ack = {.type = COMMAND_ACK};
    ack.ack = (struct ack_command){rig_lease(rig, id), SLICE("{\"pages\": 3}")};
    CHECK_EQUAL(rig_do(rig, ack), ANSWER_OK);
    struct slice payload = payload_of(rig, id + 1);
    struct json_value whole;
    struct json_value body;
    struct json_value data;
    CHECK(json_parse(payload, &whole, NULL));
    CHECK(json_get(whole, SLICE("body"), &body));
    CHECK(json_get(body, SLICE("data"), &data));
    HOLDS(whole.raw, "\"url\":\"https://example.org/\"");
    HOLDS(body.raw, "\"specversion\":\"1.0\",\"id\":\"1-3\",\"source\":\"/hob/mail\"");
    HOLDS(body.raw, "\"type\":\"io.hob.job.completed\",\"subject\":\"1\"");
    HOLDS(body.raw, "\"time\":\"2023-11-14T22:13:20Z\"");
    HOLDS(data.raw, "\"result\":{\"pages\": 3}");
    HOLDS(data.raw, "\"attempt\":1");
    LACKS(data.raw, "\"error\"");
    CHECK(slice_equal(rig_job(rig, id + 1).queue, SLICE(CALLBACK_QUEUE)));
    rig_end(rig);
}

TEST(a_failure_carries_the_error_and_the_last_lines_of_the_log) {
    struct rig *rig = rig_new();
    struct callback callback = webhook(CALLBACK_FAILURE);
    uint64_t id = push_with(rig, &callback, 1);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    for (int i = 0; i < 30; i++) {
        char text[40];
        (void)snprintf(text, sizeof text, "line %d", i);
        HOB_AUTO_BUF struct buf lines = buf_make(1000);
        struct log_line line = {.at_ns = rig->now_ns, .text = slice_str(text)};
        CHECK(log_line_put(&lines, &line));
        struct command log = {.type = COMMAND_LOG};
        log.log = (struct log_command){rig_lease(rig, id), buf_slice(&lines)};
        CHECK_EQUAL(rig_do(rig, log), ANSWER_OK);
    }
    struct command failed = {.type = COMMAND_FAIL};
    failed.fail = (struct fail_command
    ){.lease = rig_lease(rig, id), .text = SLICE("it broke"), .cause = CAUSE_EXIT, .code = 7};
    CHECK_EQUAL(rig_do(rig, failed), ANSWER_OK);
    struct slice payload = payload_of(rig, id + 1);
    CHECK(json_valid(payload));
    HOLDS(payload, "\"error\":{\"cause\":\"exit\",\"code\":7,\"text\":\"it broke\"}");
    HOLDS(payload, "\"text\":\"line 29\"}]");
    HOLDS(payload, "\"log\":[{\"at\":\"2023-11-14T22:13:20Z\",\"stream\":\"out\"");
    HOLDS(payload, "\"text\":\"line 10\"");
    LACKS(payload, "\"text\":\"line 9\"");
    rig_end(rig);
}

TEST(a_person_is_named_and_a_large_result_is_left_out) {
    struct rig *rig = rig_new();
    struct callback callback = webhook(CALLBACK_FINISHED);
    uint64_t id = push_with(rig, &callback, 1);
    CHECK_EQUAL(rig_control(rig, COMMAND_CANCEL, id), ANSWER_OK);
    HOLDS(
        payload_of(rig, id + 1),
        "\"error\":{\"cause\":\"person\",\"by\":\"ann\",\"text\":\"wrong customer\"}"
    );
    id = push_with(rig, &callback, 1);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    static char large[DOCUMENT_RESULT_BYTES_MAX + 1]; /* zeros: six bytes each in JSON */
    for (size_t i = 0; i < 2; i++) {
        struct command ack = {.type = COMMAND_ACK};
        ack.ack = (struct ack_command){rig_lease(rig, id), slice_of(large, sizeof large - i)};
        CHECK_EQUAL(rig_do(rig, ack), ANSWER_OK);
        struct slice payload = payload_of(rig, id + 1);
        CHECK(json_valid(payload));
        if (i == 0) {
            HOLDS(payload, "\"result_omitted\":true,\"result_bytes\":131073");
            id = push_with(rig, &callback, 1);
            CHECK_EQUAL(rig_fetch(rig, "mail"), id);
        } else {
            HOLDS(payload, "\\u0000\\u0000");
        }
    }
    rig_end(rig);
}

TEST(the_trace_goes_on_unless_the_callback_begins_its_own) {
    struct rig *rig = rig_new();
    struct callback callbacks[] = {
        follow_up(CALLBACK_FINISHED),
        follow_up(CALLBACK_FINISHED),
        follow_up(CALLBACK_FINISHED),
    };
    callbacks[1].push.headers = SLICE("{ \"x\" : \"y\" }");
    callbacks[2].push.headers =
        SLICE("{\"traceparent\":\"00-11111111111111111111111111111111-2222222222222222-00\"}");
    HOB_AUTO_BUF struct buf on_done = buf_make(ON_DONE_BYTES_MAX);
    for (size_t i = 0; i < 3; i++) CHECK(callback_put(&on_done, &callbacks[i]));
    struct command push = push_of("mail");
    push.push.on_done = buf_slice(&on_done);
    push.push.headers =
        SLICE("{\"traceparent\":\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\","
              "\"tracestate\":\"a=1\",\"tenant\":\"42\"}");
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    uint64_t id = rig->last.id;
    CHECK_EQUAL(rig_control(rig, COMMAND_CANCEL, id), ANSWER_OK);
    struct slice headers = rig_job(rig, id + 1).headers;
    CHECK(headers_fault(headers) == NULL);
    HOLDS(headers, "{\"traceparent\":\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\",");
    HOLDS(headers, "\"tracestate\":\"a=1\"}");
    LACKS(headers, "tenant");
    headers = rig_job(rig, id + 2).headers;
    CHECK(headers_fault(headers) == NULL);
    HOLDS(headers, "{ \"x\" : \"y\",\"traceparent\":");
    headers = rig_job(rig, id + 3).headers;
    CHECK(slice_equal(headers, callbacks[2].push.headers));
    rig_end(rig);
}

TEST(callbacks_may_have_callbacks_as_deep_as_they_are_written) {
    struct rig *rig = rig_new();
    struct buf levels[CALLBACKS_DEPTH_MAX + 1];
    for (size_t i = 0; i <= CALLBACKS_DEPTH_MAX; i++) {
        levels[i] = buf_make(ON_DONE_BYTES_MAX);
        struct callback callback = follow_up(CALLBACK_FINISHED);
        if (i > 0) callback.push.on_done = buf_slice(&levels[i - 1]);
        CHECK(callback_put(&levels[i], &callback));
    }
    struct command push = push_of("next");
    push.push.on_done = buf_slice(&levels[CALLBACKS_DEPTH_MAX]);
    CHECK_EQUAL(rig_do(rig, push), ANSWER_BAD_ARGUMENT);
    push.push.on_done = buf_slice(&levels[CALLBACKS_DEPTH_MAX - 1]);
    CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
    for (uint64_t id = 1; id <= CALLBACKS_DEPTH_MAX + 1; id++) {
        CHECK_EQUAL(rig_fetch(rig, "next"), id);
        CHECK_EQUAL(rig_job(rig, id).parent, id - 1);
        CHECK_EQUAL(rig_ack(rig, rig_lease(rig, id)), ANSWER_OK);
    }
    CHECK_EQUAL(rig_fetch(rig, "next"), 0);
    for (size_t i = 0; i <= CALLBACKS_DEPTH_MAX; i++) buf_deinit(&levels[i]);
    rig_end(rig);
}

TEST(a_follow_up_may_be_delayed_and_its_key_is_pushed_once) {
    struct rig *rig = rig_new();
    struct callback callbacks[] = {follow_up(CALLBACK_FINISHED), follow_up(CALLBACK_FINISHED)};
    callbacks[0].push.delay_ns = NS_PER_MINUTE;
    callbacks[0].push.key = SLICE("once");
    callbacks[1].push.key = SLICE("once");
    uint64_t id = push_with(rig, callbacks, 2);
    CHECK_EQUAL(rig_control(rig, COMMAND_CANCEL, id), ANSWER_OK);
    CHECK_EQUAL(rig_job(rig, id + 1).state, JOB_SCHEDULED);
    CHECK_EQUAL(rig_job(rig, id + 1).run_at_ns, rig->now_ns + NS_PER_MINUTE);
    CHECK(!is_there(rig, id + 2));
    rig_end(rig);
}

TEST(an_end_makes_its_callbacks_when_pushes_are_refused_for_memory) {
    struct rig *rig = rig_new_small(400000);
    struct callback callback = follow_up(CALLBACK_FINISHED);
    uint64_t id = push_with(rig, &callback, 1);
    while (rig_do(rig, push_of("mail")) == ANSWER_OK) continue;
    CHECK_EQUAL(rig->last.code, ANSWER_MEMORY);
    CHECK_EQUAL(rig_fetch(rig, "mail"), id);
    CHECK_EQUAL(rig_ack(rig, rig_lease(rig, id)), ANSWER_OK);
    CHECK(rig_fetch(rig, "next") > id);
    rig_end(rig);
}

TEST(what_is_no_callback_is_refused_and_names_itself) {
    struct rig *rig = rig_new();
    struct callback bad[] = {
        follow_up(CALLBACK_SUCCESS),
        follow_up(CALLBACK_SUCCESS),
        webhook(CALLBACK_SUCCESS),
        follow_up(CALLBACK_SUCCESS),
    };
    bad[0].push.queue = SLICE("no name");
    bad[1].payload = CALLBACK_EVENT; /* and a payload */
    bad[2].push.payload = SLICE("{\"url\":\"x\"");
    bad[3].push.tags = SLICE(",");
    for (size_t i = 0; i < hob_countof(bad); i++) {
        HOB_AUTO_BUF struct buf on_done = buf_make(ON_DONE_BYTES_MAX);
        CHECK(callback_put(&on_done, &bad[i]));
        struct command push = push_of("mail");
        push.push.on_done = buf_slice(&on_done);
        CHECK_EQUAL(rig_do(rig, push), ANSWER_BAD_ARGUMENT);
        /* Cut anywhere it is none either. */
        for (size_t size = 1; size < on_done.size; size++) {
            push.push.on_done.size = size;
            CHECK_EQUAL(rig_do(rig, push), ANSWER_BAD_ARGUMENT);
        }
    }
    HOB_AUTO_BUF struct buf many = buf_make(ON_DONE_BYTES_MAX);
    struct callback callback = follow_up(CALLBACK_SUCCESS);
    for (size_t i = 0; i <= CALLBACKS_MAX; i++) {
        struct command push = push_of("mail");
        push.push.on_done = buf_slice(&many);
        CHECK_EQUAL(rig_do(rig, push), ANSWER_OK);
        CHECK(callback_put(&many, &callback));
    }
    struct command push = push_of("mail");
    push.push.on_done = buf_slice(&many);
    CHECK_EQUAL(rig_do(rig, push), ANSWER_BAD_ARGUMENT);
    rig_end(rig);
}

TESTS(
    a_completed_job_makes_its_follow_up_in_the_same_breath,
    each_way_to_end_fires_what_it_should,
    a_deleted_job_and_a_retried_attempt_make_none,
    a_job_that_is_retried_after_its_end_ends_again,
    a_request_carries_the_event_with_the_result,
    a_failure_carries_the_error_and_the_last_lines_of_the_log,
    a_person_is_named_and_a_large_result_is_left_out,
    the_trace_goes_on_unless_the_callback_begins_its_own,
    callbacks_may_have_callbacks_as_deep_as_they_are_written,
    a_follow_up_may_be_delayed_and_its_key_is_pushed_once,
    an_end_makes_its_callbacks_when_pushes_are_refused_for_memory,
    what_is_no_callback_is_refused_and_names_itself
)
