/* SPDX-License-Identifier: Apache-2.0 */
/* Effects survive the way to bytes and back, and bytes that are no effect are refused. */
#include "engine/effect.h"

#include "base/test.h"

struct rig {
    struct buf bytes;
    struct effect_scratch scratch;
    struct effect decoded;
    struct hob_error err;
};

static struct rig rig_new(void) {
    return (struct rig){.bytes = buf_make(1024 * 1024)};
}

static void rig_end(struct rig *rig) {
    buf_deinit(&rig->bytes);
    effect_scratch_deinit(&rig->scratch);
}

/* Encode, decode, encode again: the bytes must be the same. */
static void rig_round(struct rig *rig, const struct effect *effect) {
    buf_reset(&rig->bytes);
    CHECK(effect_encode(effect, &rig->bytes));
    size_t used = effect_decode(buf_slice(&rig->bytes), &rig->scratch, &rig->decoded, &rig->err);
    CHECK_EQUAL(used, rig->bytes.size);
    HOB_AUTO_BUF struct buf again = buf_make(1024 * 1024);
    CHECK(effect_encode(&rig->decoded, &again));
    CHECK(slice_equal(buf_slice(&again), buf_slice(&rig->bytes)));
}

static struct effect full_job(const struct body_ref *logs, uint32_t log_count) {
    struct effect effect = {.type = EFFECT_JOB_PUT};
    struct job_view *job = &effect.job_put.job;
    *job = (struct job_view){
        .id = UINT64_MAX,
        .state = JOB_RETRYABLE,
        .queue = SLICE("mail"),
        .kind = SLICE("send"),
        .priority = 7,
        .attempt = 3,
        .attempt_max = 25,
        .releases = 2,
        .created_ns = 1700000000000000001u,
        .state_ns = 1700000000000000009u,
        .run_at_ns = 1700000000000000019u,
        .started_ns = 1700000000000000005u,
        .lease_until_ns = 1700000000000000006u,
        .timeout_ns = 5,
        .token = 77,
        .worker = SLICE("w1"),
        .payload = SLICE("\0binary\xff"),
        .key = SLICE("key"),
        .ref = SLICE("ref"),
        .backoff = {.type = BACKOFF_LIST, .delay_count = 2, .delays_ns = {1, 2}},
        .has_keep = true,
        .keep_ns = 9,
        .percent = 40,
        .headers = SLICE("{\"a\":\"b\"}"),
        .tags = SLICE("urgent,eu"),
        .content_type = SLICE("text/plain"),
        .on_done = SLICE("\1\2"),
        .parent = 12,
        .version = 9,
        .progress_text = SLICE("almost half"),
        .by = SLICE("ann"),
        .why = SLICE("because"),
        .result = {.id = 5, .size = 6},
        .checkpoint = {.id = 7, .size = 8},
        .error_count = 2,
        .logs = logs,
        .log_count = log_count,
        .log_lost_bytes = 11,
    };
    job->errors[0] = (struct job_error
    ){.attempt = 1, .cause = CAUSE_EXIT, .code = -3, .at_ns = 4, .text = SLICE("text")};
    job->errors[1] = (struct job_error
    ){.attempt = 2, .cause = CAUSE_SIGNAL, .code = INT32_MAX, .backtrace = {.id = 8, .size = 9}};
    return effect;
}

TEST(a_full_record_keeps_every_field) {
    struct rig rig = rig_new();
    struct body_ref logs[] = {{.id = 1, .size = 2, .attempt = 3, .head = 1}, {.id = 2, .size = 3}};
    struct effect effect = full_job(logs, 2);
    rig_round(&rig, &effect);
    const struct job_view *job = &rig.decoded.job_put.job;
    CHECK(job->id == UINT64_MAX);
    CHECK_EQUAL(job->state_ns, 1700000000000000009u);
    CHECK(slice_equal(job->payload, SLICE("\0binary\xff")));
    CHECK_EQUAL(job->backoff.delays_ns[1], 2);
    CHECK(job->errors[0].code == -3);
    CHECK(job->errors[1].code == INT32_MAX);
    CHECK_EQUAL(job->errors[1].backtrace.size, 9);
    CHECK_EQUAL(job->log_count, 2);
    CHECK_EQUAL(job->logs[0].head, 1);
    CHECK(slice_equal(job->why, SLICE("because")));
    rig_end(&rig);
}

TEST(a_plain_push_is_short) {
    struct rig rig = rig_new();
    struct effect effect = {.type = EFFECT_JOB_PUT};
    effect.job_put.job = (struct job_view){
        .id = 1000000,
        .state = JOB_AVAILABLE,
        .queue = SLICE("mail"),
        .kind = SLICE("send"),
        .priority = PRIORITY_DEFAULT,
        .attempt_max = ATTEMPT_MAX_DEFAULT,
        .created_ns = 1700000000000000001u,
        .state_ns = 1700000000000000001u,
        .payload = SLICE("{}"),
    };
    rig_round(&rig, &effect);
    CHECK(rig.bytes.size <= 34);
    rig_end(&rig);
}

TEST(a_body_and_a_long_record_find_room_for_their_size) {
    struct rig rig = rig_new();
    static char large[100000];
    struct effect body = {.type = EFFECT_BODY};
    body.body = (struct body_effect){.id = 1, .crc = 2, .bytes = slice_of(large, sizeof large)};
    rig_round(&rig, &body);
    CHECK_EQUAL(rig.decoded.body.bytes.size, sizeof large);
    struct effect failed = {.type = EFFECT_JOB_FAILED};
    failed.job_failed = (struct job_failed_effect
    ){.id = 3, .state = JOB_DISCARDED, .error = {.text = slice_of(large, 1000)}};
    rig_round(&rig, &failed);
    CHECK_EQUAL(rig.decoded.job_failed.error.text.size, 1000);
    rig_end(&rig);
}

TEST(a_record_cut_at_any_byte_is_refused) {
    struct rig rig = rig_new();
    struct body_ref logs[] = {{.id = 1, .size = 2, .attempt = 3}};
    struct effect effect = full_job(logs, 1);
    CHECK(effect_encode(&effect, &rig.bytes));
    for (size_t size = 0; size < rig.bytes.size; size++) {
        struct slice cut = slice_of(rig.bytes.bytes, size);
        CHECK_EQUAL(effect_decode(cut, &rig.scratch, &rig.decoded, &rig.err), 0);
        CHECK_EQUAL(rig.err.status, HOB_CORRUPT);
    }
    rig_end(&rig);
}

TEST(an_unknown_type_names_itself) {
    struct rig rig = rig_new();
    CHECK_EQUAL(effect_decode(SLICE("\x7f\x00"), &rig.scratch, &rig.decoded, &rig.err), 0);
    CHECK(strstr(rig.err.text, "127") != NULL);
    rig_end(&rig);
}

TEST(a_buffer_that_is_full_is_left_as_it_was) {
    struct rig rig = rig_new();
    struct buf small = buf_make(20);
    struct effect effect = full_job(NULL, 0);
    CHECK(buf_put_str(&small, "before"));
    CHECK(!effect_encode(&effect, &small));
    CHECK(slice_equal(buf_slice(&small), SLICE("before")));
    buf_deinit(&small);
    rig_end(&rig);
}

TESTS(
    a_full_record_keeps_every_field,
    a_plain_push_is_short,
    a_body_and_a_long_record_find_room_for_their_size,
    a_record_cut_at_any_byte_is_refused,
    an_unknown_type_names_itself,
    a_buffer_that_is_full_is_left_as_it_was
)
