/* SPDX-License-Identifier: Apache-2.0 */
/* The hash of a job tells of each field of its full record, and stays what it is: journals hold
 * it. */
#include "base/status.h"
#include "base/test.h"
#include "engine/jobhash.h"

static void no_body_drop(void *context, uint64_t body_id) {
    (void)context;
    (void)body_id;
}

static void fill_attempts(struct job_view *job) {
    job->state_ns = 1700000000000000009u;
    job->run_at_ns = 1700000000000000019u;
    job->started_ns = 1700000000000000005u;
    job->lease_until_ns = 1700000000000000006u;
    job->timeout_ns = 5000000000;
    job->token = 177;
    job->worker = SLICE("w1");
    job->error_count = 2;
    job->errors[0] = (struct job_error){
        .attempt = 1,
        .cause = CAUSE_EXIT,
        .code = -3,
        .at_ns = 4,
        .what = SLICE("what"),
        .text = SLICE("text"),
    };
    job->errors[1] = (struct job_error
    ){.attempt = 2, .cause = CAUSE_SIGNAL, .code = 9, .backtrace = {.id = 8, .size = 9}};
}

/* A job that has all that a job can have. @payload_size: it has a body of that size, too large to
 * lie in the record. */
static struct effect full_job(const struct body_ref *logs, uint32_t log_count, uint32_t body_size) {
    struct effect effect = {.type = EFFECT_JOB_PUT};
    struct job_view *job = &effect.job_put.job;
    *job = (struct job_view){
        .id = 77,
        .state = JOB_RETRYABLE,
        .queue = SLICE("mail"),
        .kind = SLICE("send"),
        .priority = 7,
        .attempt = 3,
        .attempt_max = 25,
        .releases = 2,
        .created_ns = 1700000000000000001u,
        .key = SLICE("key"),
        .ref = SLICE("ref"),
        .backoff =
            {.type = BACKOFF_LIST,
             .base_ns = 3,
             .max_ns = 4,
             .delay_count = 2,
             .delays_ns = {1, 2}},
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
        .result = {.id = 5, .size = 6, .attempt = 1, .head = 1},
        .checkpoint = {.id = 7, .size = 8},
        .logs = logs,
        .log_count = log_count,
        .log_lost_bytes = 11,
        .expires_ns = 1800000000000000001u,
        .group = SLICE("g"),
        .front = true,
        .unique = SLICE("u"),
        .unique_scope = UNIQUE_TIME,
        .unique_for_ns = 13,
        .merged = 2,
        .limiters = SLICE("smtp=2,api"),
        .deadline_ns = 1800000000000000003u,
        .margin_ns = 17,
        .needs = SLICE("eu,gpu"),
        .cost = 3,
    };
    fill_attempts(job);
    if (body_size > 0) job->payload_body = (struct body_ref){.id = 30, .size = body_size};
    if (body_size == 0) job->payload = SLICE("\0binary\xff, longer than a word");
    return effect;
}

/* What an engine makes of a record: how it would tell it again, and the hash. False: it refuses. */
static bool
make(struct slice bytes, struct effect_scratch *scratch, struct buf *again, uint64_t *ret_hash) {
    struct effect effect;
    if (effect_decode(bytes, scratch, &effect, NULL) != bytes.size) return false;
    if (effect.type != EFFECT_JOB_PUT) return false;
    struct engine_options options = {.sink = {.body_drop = no_body_drop}};
    struct engine *engine = engine_new(&options);
    uint32_t handle = 0;
    if (engine_replay(engine, &effect, NULL) == HOB_OK) {
        handle = job_find(engine, effect.job_put.job.id);
        struct effect put = {.type = EFFECT_JOB_PUT};
        job_view_fill(engine, job_at(engine, handle), &put.job_put.job);
        buf_reset(again);
        CHECK(effect_encode(&put, again));
        *ret_hash = job_hash(engine, job_at(engine, handle), JOB_PARTS);
    }
    engine_free(engine);
    return handle != 0;
}

/* Change each byte in several ways: the hash is another exactly when the record is another. */
static uint32_t change_each_byte(const struct effect *effect) {
    static const uint8_t masks[] = {1, 2, 4, 3, 0x10, 0x41};
    struct buf bytes = buf_make(65536);
    struct buf first = buf_make(65536);
    struct buf again = buf_make(65536);
    struct effect_scratch scratch = {.logs = NULL};
    CHECK(effect_encode(effect, &bytes));
    uint64_t first_hash = 0;
    CHECK(make(buf_slice(&bytes), &scratch, &first, &first_hash));
    CHECK(slice_equal(buf_slice(&first), buf_slice(&bytes)));
    uint32_t compared = 0;
    for (size_t at = 0; at < bytes.size; at++) {
        for (size_t i = 0; i < hob_countof(masks); i++) {
            uint64_t hash = 0;
            bytes.bytes[at] = (char)(bytes.bytes[at] ^ masks[i]);
            if (make(buf_slice(&bytes), &scratch, &again, &hash)) {
                bool same = slice_equal(buf_slice(&again), buf_slice(&first));
                CHECK_EQUAL(hash == first_hash, same);
                compared++;
            }
            bytes.bytes[at] = (char)(bytes.bytes[at] ^ masks[i]);
        }
    }
    buf_deinit(&bytes);
    buf_deinit(&first);
    buf_deinit(&again);
    effect_scratch_deinit(&scratch);
    return compared;
}

TEST(each_byte_of_a_record_matters) {
    struct body_ref logs[] = {{.id = 1, .size = 2, .attempt = 3, .head = 1}, {.id = 2, .size = 3}};
    struct effect inlined = full_job(logs, 2, 0);
    CHECK(change_each_byte(&inlined) > 500);
    struct effect large = full_job(logs, 2, 100000);
    CHECK(change_each_byte(&large) > 500);
    struct effect running = full_job(NULL, 0, 0);
    running.job_put.job.state = JOB_RUNNING;
    running.job_put.job.backoff = (struct backoff){.base_ns = 3};
    CHECK(change_each_byte(&running) > 500);
}

/* A field that no effect changes by itself would hide behind the others of its part. */
TEST(the_parts_are_a_sum) {
    struct body_ref logs[] = {{.id = 1, .size = 2, .attempt = 3, .head = 1}, {.id = 2, .size = 3}};
    struct effect effect = full_job(logs, 2, 0);
    struct engine_options options = {.sink = {.body_drop = no_body_drop}};
    struct engine *engine = engine_new(&options);
    CHECK_EQUAL(engine_replay(engine, &effect, NULL), HOB_OK);
    const struct job *job = job_at(engine, job_find(engine, 77));
    uint64_t fixed = job_hash(engine, job, JOB_PART_FIXED);
    uint64_t hot = job_hash(engine, job, JOB_PART_HOT);
    uint64_t log = job_hash(engine, job, JOB_PART_LOGS);
    CHECK(fixed != 0 && hot != 0 && log != 0);
    CHECK_EQUAL(job_hash(engine, job, JOB_PARTS), fixed + hot + log);
    engine_free(engine);
}

/* When this fails, journals that are out there tell another number than the engine does for the
 * same state: raise DIGEST_VERSION, and put the new number here. */
TEST(digests_are_frozen) {
    struct body_ref logs[] = {{.id = 1, .size = 2, .attempt = 3, .head = 1}, {.id = 2, .size = 3}};
    struct effect job = full_job(logs, 2, 0);
    struct effect queue = {.type = EFFECT_QUEUE_PUT};
    queue.queue_put.queue = (struct queue_view
    ){.name = SLICE("mail"), .paused = true, .paused_by = SLICE("ann"), .weight = 3, .tier = 2};
    struct effect key = {
        .type = EFFECT_KEY_PUT, .key_put = {.key = SLICE("k"), .id = 7, .until_ns = 9}};
    struct effect valve = {.type = EFFECT_VALVE_PUT};
    valve.valve_put.valve = (struct valve_view){
        .sort = VALVE_LIMITER,
        .name = SLICE("smtp"),
        .own = {.has_concurrency = true, .concurrency = 4},
        .tat_ns = 5,
    };
    struct effect token = {.type = EFFECT_TOKEN_PUT};
    token.token_put.token = (struct token_view){
        .name = SLICE("t"),
        .hash = SLICE("0123456789abcdef0123456789abcdef"),
        .scopes = TOKEN_READ,
        .queues = SLICE("*"),
        .created_ns = 3,
    };
    const struct effect *effects[] = {&job, &queue, &key, &valve, &token};
    struct engine_options options = {.sink = {.body_drop = no_body_drop}, .keeps_digest = true};
    struct engine *engine = engine_new(&options);
    for (size_t i = 0; i < hob_countof(effects); i++) {
        CHECK_EQUAL(engine_replay(engine, effects[i], NULL), HOB_OK);
    }
    CHECK_EQUAL(engine_digest(engine), engine_digest_kept(engine));
    CHECK_EQUAL(DIGEST_VERSION, 1);
    CHECK_EQUAL(engine_digest(engine), 0xc6d8b645479e9290u);
    engine_free(engine);
}

TESTS(each_byte_of_a_record_matters, the_parts_are_a_sum, digests_are_frozen)
