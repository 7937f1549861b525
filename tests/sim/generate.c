/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of a run: each type has a function that fills it in from the names of the run and,
 * through the model, from jobs that exist. Bad arguments are planted last, into a command that was
 * good, one at a time. */
#include "tests/sim/generate.h"

#include "base/assert.h"
#include "engine/callback.h"
#include "engine/logline.h"
#include "tests/sim/plant.h"

static struct slice any_of(struct generator *generator, const struct slice *names, uint32_t count) {
    return names[dice_below(&generator->dice, count)];
}

struct slice generate_queue(struct generator *generator) {
    return any_of(generator, generator->queues, generator->swarm.queue_count);
}

struct slice generate_kind(struct generator *generator) {
    return any_of(generator, generator->kinds, generator->swarm.kind_count);
}

static struct slice any_worker(struct generator *generator) {
    return any_of(generator, generator->workers, generator->swarm.worker_count);
}

/* Some job that exists; in a state of @states when such a one is met. NULL: there is none. */
static const struct model_job *
any_job(struct generator *generator, const struct model *model, uint32_t states) {
    const struct model_job *job = NULL;
    for (uint32_t tries = 0; tries < 20 && model->job_count > 0; tries++) {
        job = model->jobs[dice_below(&generator->dice, model->job_count)];
        if ((states & (1u << job->view.state)) != 0) break;
    }
    return job;
}

static uint64_t any_id(struct generator *generator, const struct model *model, uint32_t states) {
    const struct model_job *job = any_job(generator, model, states);
    bool is_stray = dice_percent(&generator->dice, generator->swarm.stray);
    if (job == NULL || is_stray) return dice_below(&generator->dice, model->next_id + 2);
    return job->view.id;
}

static struct lease_ref any_lease(struct generator *generator, const struct model *model) {
    const struct model_job *job = NULL;
    uint32_t start =
        model->job_count == 0 ? 0 : (uint32_t)dice_below(&generator->dice, model->job_count);
    for (uint32_t i = 0; i < model->job_count && job == NULL; i++) {
        const struct model_job *next = model->jobs[(start + i) % model->job_count];
        if (next->view.state == JOB_RUNNING) job = next;
    }
    struct lease_ref lease = {.id = any_id(generator, model, ~0u)};
    if (job != NULL) lease = (struct lease_ref){.id = job->view.id, .token = job->view.token};
    bool is_stray = dice_percent(&generator->dice, generator->swarm.stray);
    if (job == NULL || is_stray) lease.token = dice_below(&generator->dice, model->next_token + 1);
    if (is_stray && dice_once_in(&generator->dice, 2)) lease.id = any_id(generator, model, ~0u);
    return lease;
}

static struct slice maybe_text(struct generator *generator, size_t size_max) {
    if (dice_once_in(&generator->dice, 2)) return SLICE_NONE;
    return generate_bytes(generator, dice_below(&generator->dice, size_max + 1));
}

static struct slice body_bytes(struct generator *generator, size_t small_max, size_t big_max) {
    bool is_big = dice_percent(&generator->dice, generator->swarm.big);
    return generate_bytes(
        generator, dice_below(&generator->dice, (is_big ? big_max : small_max) + 1)
    );
}

static struct backoff any_backoff(struct generator *generator) {
    struct dice *dice = &generator->dice;
    struct backoff backoff = {.type = (enum backoff_type)dice_below(dice, BACKOFF_TYPE_COUNT)};
    if (backoff.type == BACKOFF_LIST) {
        backoff.delay_count = (uint32_t)dice_between(dice, 1, BACKOFF_LIST_MAX);
        for (uint32_t i = 0; i < backoff.delay_count; i++) {
            backoff.delays_ns[i] = generate_span(generator, NS_PER_DAY);
        }
    } else if (backoff.type != BACKOFF_SIDEKIQ && dice_once_in(dice, 2)) {
        backoff.base_ns = generate_span(generator, NS_PER_HOUR);
        bool has_max = backoff.type == BACKOFF_EXPONENTIAL && dice_once_in(dice, 2);
        if (has_max) backoff.max_ns = backoff.base_ns + generate_span(generator, NS_PER_HOUR);
    }
    return backoff;
}

/* Few tags, so that they are met again. */
struct slice generate_tags(struct generator *generator) {
    size_t count = 1 + dice_small(&generator->dice, 4);
    char *tags = generate_room(generator, 3 * count);
    for (size_t i = 0; i < count; i++) {
        tags[3 * i] = 't';
        tags[3 * i + 1] = (char)('a' + dice_below(&generator->dice, 3));
        tags[3 * i + 2] = ',';
    }
    return slice_of(tags, 3 * count - 1);
}

struct slice generate_headers(struct generator *generator) {
    static const char *const headers[] = {
        "{}",
        "{\"origin\":\"eu-1\"}",
        "{\"traceparent\":\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"}",
        "{\"a\":\"\",\"tracestate\":\"x=1\",\"b\":\"of two words\"}",
    };
    return slice_str(headers[dice_below(&generator->dice, hob_countof(headers))]);
}

/* Few keys, mostly of one scope each, so that they are met again. */
static void make_unique(struct generator *generator, struct push_command *push) {
    struct dice *dice = &generator->dice;
    size_t size = 1 + dice_below(dice, 8);
    push->unique = slice_of(memset(generate_room(generator, size), 'u', size), size);
    push->unique_scope = (enum unique_scope)(size % UNIQUE_SCOPE_COUNT);
    if (dice_once_in(dice, 8)) {
        push->unique_scope = (enum unique_scope)dice_below(dice, UNIQUE_SCOPE_COUNT);
    }
    if (push->unique_scope != UNIQUE_TIME) return;
    push->unique_for_ns = 1 + generate_span(generator, NS_PER_DAY);
}

/* Of a push that has all else. */
static void make_debounce(struct generator *generator, struct push_command *push) {
    struct dice *dice = &generator->dice;
    bool may = push->unique_scope == UNIQUE_WAITING && push->on_conflict == CONFLICT_REPLACE;
    if (!may || dice_once_in(dice, 3)) return;
    push->delay_ns = 0;
    push->run_at_ns = 0;
    push->debounce_ns = 1 + generate_span(generator, NS_PER_HOUR);
    if (dice_once_in(dice, 2)) push->max_wait_ns = 1 + generate_span(generator, NS_PER_HOUR);
}

/* One callback of every kind that there is. */
static struct callback any_callback(struct generator *generator) {
    static const char request[] = "{\"method\":\"POST\",\"url\":\"http://h/\",\"body\":";
    struct dice *dice = &generator->dice;
    struct callback callback = {
        .when = (enum callback_when)dice_below(dice, CALLBACK_WHEN_COUNT),
        .payload = (enum callback_payload)dice_below(dice, CALLBACK_PAYLOAD_COUNT),
    };
    struct push_command *push = &callback.push;
    push->queue = generate_queue(generator);
    push->kind = generate_kind(generator);
    if (callback.payload == CALLBACK_REQUEST) push->payload = slice_str(request);
    if (callback.payload == CALLBACK_OWN) {
        push->payload = generate_bytes(generator, dice_below(dice, 300));
    }
    if (dice_once_in(dice, 3)) push->delay_ns = generate_span(generator, NS_PER_DAY);
    if (dice_once_in(dice, 2)) push->attempt_max = (uint32_t)dice_between(dice, 1, 4);
    if (dice_once_in(dice, 6)) push->expires_in_ns = 1 + generate_span(generator, NS_PER_DAY);
    if (dice_once_in(dice, 4)) push->headers = generate_headers(generator);
    if (dice_once_in(dice, 4)) push->tags = generate_tags(generator);
    if (dice_once_in(dice, 4)) push->key = SLICE("follow");
    if (dice_once_in(dice, 4)) push->ref = generate_bytes(generator, 1);
    push->has_priority = dice_once_in(dice, 2);
    push->priority = (uint32_t)dice_below(dice, 3);
    return callback;
}

static struct slice generate_on_done(struct generator *generator) {
    struct buf on_done = buf_make(ON_DONE_BYTES_MAX);
    struct buf inner = buf_make(ON_DONE_BYTES_MAX);
    uint64_t count = 1 + dice_small(&generator->dice, 3);
    for (uint64_t i = 0; i < count; i++) {
        struct callback callback = any_callback(generator);
        if (dice_once_in(&generator->dice, 4)) {
            struct callback nested = any_callback(generator);
            buf_reset(&inner);
            (void)callback_put(&inner, &nested);
            callback.push.on_done = buf_slice(&inner);
        }
        (void)callback_put(&on_done, &callback);
    }
    hob_assert(!on_done.overflowed);
    hob_assert(on_done.bytes != NULL);
    char *room = generate_room(generator, on_done.size);
    memcpy(room, on_done.bytes, on_done.size);
    struct slice bytes = slice_of(room, on_done.size);
    buf_deinit(&on_done);
    buf_deinit(&inner);
    return bytes;
}

/* Few, so that they have several jobs; none is one of them. */
struct slice generate_group(struct generator *generator) {
    static const char *const groups[] = {"", "g1", "g2", "g3", "tenant-4"};
    if (generator->swarm.group_count == 0) return SLICE_NONE;
    return slice_str(groups[dice_below(&generator->dice, generator->swarm.group_count + 1)]);
}

/* Mostly of hours, so that retries, releases and rescues meet it. */
static void
make_deadline(struct generator *generator, const struct model *model, struct push_command *push) {
    struct dice *dice = &generator->dice;
    if (dice_once_in(dice, 6)) push->deadline_in_ns = generate_span(generator, 2 * NS_PER_DAY);
    if (dice_once_in(dice, 20)) {
        hob_ns span_ns = generate_span(generator, NS_PER_DAY);
        push->deadline_ns =
            dice_once_in(dice, 4) ? model->now_ns - span_ns : model->now_ns + span_ns;
    }
    if (dice_once_in(dice, 6)) push->margin_ns = generate_span(generator, NS_PER_HOUR);
    if (dice_once_in(dice, 8)) push->parent = any_id(generator, model, 1u << JOB_RUNNING);
}

static void
make_push(struct generator *generator, const struct model *model, struct push_command *push) {
    struct dice *dice = &generator->dice;
    const struct swarm *swarm = &generator->swarm;
    push->queue = generate_queue(generator);
    push->kind = generate_kind(generator);
    push->payload = body_bytes(generator, PAYLOAD_INLINE_BYTES_MAX + 2, 3000);
    if (swarm->key_count > 0 && dice_once_in(dice, 3)) {
        /* Few keys, so that they are met again: they differ in nothing but their length. */
        size_t size = 1 + dice_below(dice, swarm->key_count);
        push->key = slice_of(memset(generate_room(generator, size), 'k', size), size);
    }
    if (dice_once_in(dice, 4)) push->ref = generate_bytes(generator, dice_between(dice, 1, 2));
    if (dice_percent(dice, swarm->unique)) {
        make_unique(generator, push);
        push->on_conflict = (enum on_conflict)dice_below(dice, ON_CONFLICT_COUNT);
        bool is_late = push->on_conflict == CONFLICT_LATEST && push->unique_scope != UNIQUE_DONE;
        if (is_late) push->on_conflict = CONFLICT_REPLACE;
        bool may_be_late = push->unique_scope == UNIQUE_DONE && dice_once_in(dice, 2);
        if (may_be_late) push->on_conflict = CONFLICT_LATEST;
    }
    push->has_priority = dice_once_in(dice, 2);
    push->priority = (uint32_t)dice_below(dice, swarm->priority_count) + PRIORITY_DEFAULT - 1;
    if (dice_once_in(dice, 40)) push->priority = dice_once_in(dice, 2) ? 0 : UINT32_MAX;
    if (dice_once_in(dice, 4)) push->delay_ns = generate_span(generator, 10 * NS_PER_DAY);
    if (dice_once_in(dice, 8)) {
        hob_ns offset_ns = generate_span(generator, 10 * NS_PER_DAY);
        push->run_at_ns =
            dice_once_in(dice, 3) ? model->now_ns - offset_ns : model->now_ns + offset_ns;
    }
    if (dice_once_in(dice, 2)) push->attempt_max = (uint32_t)dice_between(dice, 1, 15);
    if (dice_once_in(dice, 3)) push->timeout_ns = 1 + generate_span(generator, NS_PER_HOUR);
    push->has_keep = dice_percent(dice, swarm->keep);
    push->keep_ns = dice_once_in(dice, 2) ? 0 : generate_span(generator, 100 * NS_PER_DAY);
    push->has_backoff = dice_once_in(dice, 3);
    push->backoff = any_backoff(generator);
    if (dice_once_in(dice, 4)) push->headers = generate_headers(generator);
    if (dice_once_in(dice, 4)) push->tags = generate_tags(generator);
    if (dice_once_in(dice, 4)) push->on_done = generate_on_done(generator);
    push->limiters = generate_limiters(generator);
    make_deadline(generator, model, push);
    generate_demand(generator, push);
    if (dice_once_in(dice, 5)) push->expires_in_ns = generate_span(generator, 10 * NS_PER_DAY);
    if (dice_once_in(dice, 20)) {
        /* Also one that is over. */
        hob_ns span_ns = generate_span(generator, NS_PER_DAY);
        push->expires_ns =
            dice_once_in(dice, 4) ? model->now_ns - span_ns : model->now_ns + span_ns;
    }
    push->group = generate_group(generator);
    push->front = dice_once_in(dice, 12);
    if (dice_once_in(dice, 6)) push->content_type = SLICE("text/plain; charset=utf-8");
    make_debounce(generator, push);
    generate_merge(generator, push);
}

/* Lists are mostly without what has no place in them. */
static void
make_list(struct generator *generator, const struct model *model, struct push_all_command *all) {
    struct dice *dice = &generator->dice;
    all->pushes = generator->list;
    all->count = (uint32_t)dice_between(dice, 1, LIST_MAX);
    for (uint32_t i = 0; i < all->count; i++) {
        struct push_command *push = &generator->list[i];
        *push = (struct push_command){.front = false};
        make_push(generator, model, push);
        bool changes = push->on_conflict > CONFLICT_REJECT || push->merge != MERGE_NONE;
        if (!changes || dice_once_in(dice, 20)) continue;
        push->on_conflict = CONFLICT_EXISTING;
        push->debounce_ns = push->max_wait_ns = 0;
        push->merge = MERGE_NONE;
        push->merge_max = 0;
    }
}

/* What a push could say, a part of it, to a job that mostly waits. */
static void
make_update(struct generator *generator, const struct model *model, struct update_command *update) {
    struct dice *dice = &generator->dice;
    uint32_t waiting =
        1u << JOB_SCHEDULED | 1u << JOB_AVAILABLE | 1u << JOB_RETRYABLE | 1u << JOB_BLOCKED;
    make_push(generator, model, &update->to);
    update->to.key = SLICE_NONE;
    update->to.ref = SLICE_NONE;
    update->to.unique = SLICE_NONE;
    update->to.unique_scope = UNIQUE_DONE;
    update->to.unique_for_ns = 0;
    update->to.debounce_ns = 0;
    update->to.max_wait_ns = 0;
    update->to.merge = MERGE_NONE;
    update->to.merge_max = 0;
    update->to.on_conflict = CONFLICT_EXISTING;
    if (update->to.attempt_max == 0) update->to.attempt_max = 3;
    bool *has[] = {
        &update->has.queue,    &update->has.payload,      &update->has.priority,
        &update->has.time,     &update->has.attempt_max,  &update->has.timeout,
        &update->has.keep,     &update->has.backoff,      &update->has.tags,
        &update->has.headers,  &update->has.content_type, &update->has.on_done,
        &update->has.expires,  &update->has.group,        &update->has.front,
        &update->has.deadline, &update->has.margin,       &update->has.needs,
        &update->has.cost,
    };
    for (size_t i = 0; i < hob_countof(has); i++) *has[i] = dice_once_in(dice, 4);
    if (!update->has.keep) update->to.keep_ns = 0;
    update->id = any_id(generator, model, waiting);
    update->has_version = dice_once_in(dice, 3);
    const struct model_job *job = model_job(model, update->id);
    update->version = job == NULL || dice_once_in(dice, 4) ? 1 : job->view.version;
}

/* A glob that some queues of the run fit, or one that is excluded. */
static struct slice any_glob(struct generator *generator) {
    struct dice *dice = &generator->dice;
    struct slice name = generate_queue(generator);
    hob_assert(name.size > 0);
    bool excludes = dice_once_in(dice, 3);
    bool is_cut = !dice_once_in(dice, 4);
    size_t kept = dice_below(dice, name.size + 1);
    size_t size = (excludes ? 1 : 0) + (is_cut ? kept + 1 : name.size);
    if (size > NAME_BYTES_MAX) return SLICE("*");
    char *glob = generate_room(generator, size);
    size_t at = 0;
    if (excludes) glob[at++] = '!';
    memcpy(glob + at, name.bytes, is_cut ? kept : name.size);
    if (is_cut) {
        glob[at + kept] = '*';
    } else {
        glob[at + dice_below(dice, name.size)] = '?';
    }
    return slice_of(glob, size);
}

/* Some of the names become globs; one of them excludes nothing, and is a name or a star. */
static void make_globs(struct generator *generator, struct fetch_command *fetch) {
    struct dice *dice = &generator->dice;
    hob_assert(fetch->queue_count > 0);
    for (uint32_t i = 0; i < fetch->queue_count; i++) {
        if (dice_once_in(dice, 2)) generator->names[i] = any_glob(generator);
    }
    uint32_t at = (uint32_t)dice_below(dice, fetch->queue_count);
    generator->names[at] = dice_once_in(dice, 2) ? SLICE("*") : generate_queue(generator);
    if (dice_once_in(dice, 3)) {
        struct slice only = any_glob(generator);
        fetch->only = only.bytes[0] == '!' ? SLICE("q* *1") : only;
    }
}

static void make_fetch(struct generator *generator, struct fetch_command *fetch) {
    struct dice *dice = &generator->dice;
    fetch->worker = any_worker(generator);
    fetch->queue_count = 1 + (uint32_t)dice_small(dice, generator->swarm.queue_count + 3);
    if (dice_once_in(dice, 100)) fetch->queue_count = FETCH_QUEUES_MAX;
    for (uint32_t i = 0; i < fetch->queue_count; i++) {
        generator->names[i] = generate_queue(generator);
    }
    fetch->queues = generator->names;
    if (dice_once_in(dice, 3)) make_globs(generator, fetch);
    if (dice_once_in(dice, 3)) fetch->same = (enum fetch_same)dice_below(dice, FETCH_SAME_COUNT);
    fetch->count = (uint32_t)dice_small(dice, 20);
    if (dice_once_in(dice, 50)) fetch->count = FETCH_COUNT_MAX;
    fetch->mode = (enum fetch_mode)dice_below(dice, FETCH_MODE_COUNT);
    if (dice_percent(dice, generator->swarm.waiting)) {
        fetch->wait_ns = generate_span(generator, FETCH_WAIT_MAX_NS);
    }
    if (dice_once_in(dice, 2)) {
        hob_ns lease_ns = generate_span(generator, LEASE_MAX_NS);
        fetch->lease_ns = lease_ns < LEASE_MIN_NS ? LEASE_MIN_NS : lease_ns;
    }
}

static void
make_fail(struct generator *generator, const struct model *model, struct fail_command *fail) {
    struct dice *dice = &generator->dice;
    fail->lease = any_lease(generator, model);
    fail->what = maybe_text(generator, ERROR_WHAT_BYTES_MAX);
    fail->text = maybe_text(generator, dice_once_in(dice, 10) ? ERROR_TEXT_BYTES_MAX + 9 : 40);
    if (dice_once_in(dice, 4)) fail->backtrace = body_bytes(generator, 200, 9000);
    fail->cause = (enum error_cause)dice_below(dice, ERROR_CAUSE_COUNT);
    fail->code = (int32_t)dice_between(dice, 0, 300) - 10;
    fail->permanent = dice_once_in(dice, 8);
    fail->has_retry_in = dice_once_in(dice, 4);
    if (dice_once_in(dice, 3)) fail->pause_ns = generate_span(generator, NS_PER_DAY);
    fail->retry_in_ns = dice_once_in(dice, 4) ? 0 : generate_span(generator, 3 * NS_PER_DAY);
}

static void
make_log(struct generator *generator, const struct model *model, struct log_command *log) {
    struct dice *dice = &generator->dice;
    size_t size_max = dice_percent(dice, generator->swarm.big) ? LOG_CHUNK_BYTES_MAX : 500;
    struct slice words = generate_bytes(generator, LOG_CHUNK_BYTES_MAX);
    struct buf lines = buf_make(1 + dice_between(dice, 60, size_max - 1));
    for (uint32_t i = 0; i < 200; i++) {
        struct log_line line = {
            .at_ns = model->now_ns / NS_PER_MS * NS_PER_MS,
            .stream = (enum log_stream)dice_below(dice, LOG_STREAM_COUNT),
            .level = (enum log_level)dice_below(dice, LOG_LEVEL_COUNT),
            .text = slice_of(words.bytes, dice_below(dice, i == 0 ? 20 : size_max / 3)),
        };
        size_t before = lines.size;
        if (log_line_put(&lines, &line)) continue;
        lines.size = before; /* what did not fit may have begun */
        break;
    }
    log->lease = any_lease(generator, model);
    char *entries = generate_room(generator, lines.size);
    memcpy(entries, lines.bytes, lines.size);
    log->entries = slice_of(entries, lines.size);
    buf_deinit(&lines);
}

static void
make_control(struct generator *generator, const struct model *model, struct command *command) {
    uint32_t states = dice_once_in(&generator->dice, 2)
                          ? ~0u
                          : 1u << dice_below(&generator->dice, JOB_STATE_COUNT);
    command->cancel.id = any_id(generator, model, states);
    command->cancel.by =
        maybe_text(generator, dice_once_in(&generator->dice, 9) ? WHY_BYTES_MAX : 9);
    command->cancel.why = maybe_text(generator, 30);
}

static void
make_pause(struct generator *generator, const struct model *model, struct pause_command *pause) {
    pause->queue = generate_queue(generator);
    if (dice_once_in(&generator->dice, 2)) {
        pause->until_ns = model->now_ns + 1 + generate_span(generator, NS_PER_DAY);
    }
    pause->by = maybe_text(generator, 20);
    pause->why = maybe_text(generator, 20);
}

static void make_queue_set(struct generator *generator, struct queue_set_command *set) {
    struct dice *dice = &generator->dice;
    set->queue = generate_queue(generator);
    set->has_order = dice_once_in(dice, 2);
    set->order = (enum queue_order)dice_below(dice, QUEUE_ORDER_COUNT);
    set->has_keep_completed = dice_once_in(dice, 3);
    set->keep_completed_ns = generate_span(generator, 5 * NS_PER_DAY);
    set->keep_completed_count = (uint32_t)dice_small(dice, 200);
    set->has_keep_failed = dice_once_in(dice, 3);
    set->keep_failed_ns = generate_span(generator, 100 * NS_PER_DAY);
    set->keep_failed_count = (uint32_t)dice_small(dice, 200);
    set->has_tier = dice_once_in(dice, 3);
    set->tier = 9 + (uint32_t)dice_below(dice, 3);
    set->has_weight = dice_once_in(dice, 3);
    set->weight = 1 + (uint32_t)dice_small(dice, 20);
    set->has_concurrency = dice_once_in(dice, 3);
    set->concurrency = (uint32_t)dice_small(dice, 8);
    set->has_length = dice_once_in(dice, 3);
    set->length = dice_once_in(dice, 2) ? 0 : (uint32_t)dice_small(dice, 40);
    set->has_on_full = dice_once_in(dice, 3);
    set->on_full = (enum on_full)dice_below(dice, ON_FULL_COUNT);
    generate_queue_valves(generator, set);
}

static void make_token(struct generator *generator, struct token_put_command *put) {
    static const char *const globs[] = {"", "*", "q*", "q? k*", "a.b c.d ?"};
    struct dice *dice = &generator->dice;
    put->name = any_worker(generator);
    put->hash = slice_of(generator->huge, TOKEN_HASH_BYTES);
    put->scopes = (uint32_t)dice_between(dice, 1, 31) << 2;
    if (dice_once_in(dice, 3)) put->scopes = TOKEN_ADMIN;
    if ((put->scopes & TOKEN_ADMIN) == 0 || dice_once_in(dice, 9)) {
        put->queues = slice_str(globs[dice_below(dice, hob_countof(globs))]);
    }
    if (dice_once_in(dice, 3)) put->expires_ns = 1 + generate_span(generator, NS_PER_DAY);
    put->by = maybe_text(generator, 20);
}

static void make_worker_set(struct generator *generator, struct worker_set_command *set) {
    struct dice *dice = &generator->dice;
    set->worker = any_worker(generator);
    set->fresh = dice_once_in(dice, 4);
    if (dice_once_in(dice, 2)) set->slots = (uint32_t)dice_between(dice, 1, 30);
    if (dice_once_in(dice, 2)) set->kind_count = (uint32_t)dice_between(dice, 1, 4);
    for (uint32_t i = 0; i < set->kind_count; i++) generator->names[i] = generate_kind(generator);
    set->kinds = generator->names;
    if (generator->swarm.label_count > 0) set->labels = generate_labels(generator);
}

/* A waiting request that is there, or any number. */
static uint64_t any_request(struct generator *generator, const struct model *model) {
    if (model->wait_count == 0) return dice_below(&generator->dice, generator->next_request);
    return model->waits[dice_below(&generator->dice, model->wait_count)].request;
}

static enum command_type any_type(struct generator *generator) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < COMMAND_TYPE_COUNT; i++) sum += generator->swarm.weights[i];
    uint64_t at = dice_below(&generator->dice, sum);
    uint32_t type = 0;
    while (at >= generator->swarm.weights[type]) at -= generator->swarm.weights[type++];
    return (enum command_type)type;
}

/* Most of what it holds, and what it does not. */
static void make_holds(
    struct generator *generator, const struct model *model, struct worker_beat_command *beat
) {
    struct dice *dice = &generator->dice;
    struct lease_ref *holds = generator->holds;
    beat->has_holds = true;
    beat->holds = holds;
    for (uint32_t i = 0; i < model->job_count && beat->hold_count < HOLDS_MAX; i++) {
        const struct job_view *view = &model->jobs[i]->view;
        if (view->state != JOB_RUNNING || !slice_equal(view->worker, beat->worker)) continue;
        if (dice_once_in(dice, 4)) continue;
        holds[beat->hold_count++] = (struct lease_ref){.id = view->id, .token = view->token};
    }
    if (dice_once_in(dice, 3)) holds[beat->hold_count++] = any_lease(generator, model);
    if (dice_once_in(dice, 2)) beat->young_ns = generate_span(generator, NS_PER_HOUR);
    if (dice_once_in(dice, 4)) beat->only = SLICE("q* *1");
}

static void make_worker_or_wait(
    struct generator *generator, const struct model *model, struct command *command
) {
    if (command->type == COMMAND_WORKER_SET) {
        make_worker_set(generator, &command->worker_set);
    } else if (command->type == COMMAND_WORKER_BEAT) {
        command->worker_beat.worker = any_worker(generator);
        hob_ns alive_ns = generate_span(generator, NS_PER_HOUR);
        command->worker_beat.alive_ns = alive_ns < LEASE_MIN_NS ? 0 : alive_ns;
        if (dice_once_in(&generator->dice, 2)) make_holds(generator, model, &command->worker_beat);
    } else if (command->type == COMMAND_WAIT) {
        command->wait.id = any_id(generator, model, ~(1u << JOB_COMPLETED));
        bool looks_only = dice_once_in(&generator->dice, 4);
        command->wait.wait_ns = looks_only ? 0 : generate_span(generator, RESULT_WAIT_MAX_NS);
    } else {
        hob_assert(command->type == COMMAND_FORGET);
        command->request = any_request(generator, model);
    }
}

/* Commands that carry a lease. */
static void
make_leased(struct generator *generator, const struct model *model, struct command *command) {
    struct dice *dice = &generator->dice;
    command->ack.lease = any_lease(generator, model); /* first in each of them */
    if (command->type == COMMAND_ACK) {
        if (dice_once_in(dice, 2)) command->ack.result = body_bytes(generator, 50, 5000);
    } else if (command->type == COMMAND_FAIL) {
        make_fail(generator, model, &command->fail);
    } else if (command->type == COMMAND_RELEASE) {
        bool has_delay = dice_once_in(dice, 3);
        command->release.delay_ns = has_delay ? generate_span(generator, NS_PER_DAY) : 0;
    } else if (command->type == COMMAND_EXTEND) {
        hob_ns lease_ns = generate_span(generator, LEASE_MAX_NS);
        command->extend.lease_ns = lease_ns < LEASE_MIN_NS ? 0 : lease_ns;
    } else if (command->type == COMMAND_CHECKPOINT) {
        if (!dice_once_in(dice, 4)) command->checkpoint.bytes = body_bytes(generator, 50, 5000);
    } else if (command->type == COMMAND_LOG) {
        make_log(generator, model, &command->log);
    } else {
        hob_assert(command->type == COMMAND_PROGRESS);
        command->progress.percent = (uint32_t)dice_below(dice, 101);
        command->progress.text = maybe_text(generator, 60);
    }
}

static bool has_running(const struct model *model) {
    for (uint32_t i = 0; i < model->job_count; i++) {
        if (model->jobs[i]->view.state == JOB_RUNNING) return true;
    }
    return false;
}

/* What a command of its type needs beside it. */
static void
fill_command(struct generator *generator, const struct model *model, struct command *command) {
    switch (command->type) {
    case COMMAND_PUSH:
        make_push(generator, model, &command->push);
        break;
    case COMMAND_PUSH_ALL:
        make_list(generator, model, &command->push_all);
        break;
    case COMMAND_FETCH:
        make_fetch(generator, &command->fetch);
        break;
    case COMMAND_ACK:
    case COMMAND_FAIL:
    case COMMAND_RELEASE:
    case COMMAND_EXTEND:
    case COMMAND_CHECKPOINT:
    case COMMAND_LOG:
    case COMMAND_PROGRESS:
        make_leased(generator, model, command);
        break;
    case COMMAND_CANCEL:
    case COMMAND_DISCARD:
    case COMMAND_RETRY:
    case COMMAND_DELETE:
        make_control(generator, model, command);
        break;
    case COMMAND_UPDATE:
        make_update(generator, model, &command->update);
        break;
    case COMMAND_PAUSE:
        make_pause(generator, model, &command->pause);
        break;
    case COMMAND_RESUME:
        command->resume.queue = generate_queue(generator);
        break;
    case COMMAND_QUEUE_SET:
        make_queue_set(generator, &command->queue_set);
        break;
    case COMMAND_VALVE_SET:
    case COMMAND_VALVE_PAUSE:
    case COMMAND_VALVE_RESUME:
    case COMMAND_GROUP_SKIP:
        generate_valve(generator, model, command);
        break;
    case COMMAND_TOKEN_PUT:
        make_token(generator, &command->token_put);
        if (command->token_put.expires_ns != 0) {
            command->token_put.expires_ns = ns_add(model->now_ns, command->token_put.expires_ns);
        }
        break;
    case COMMAND_TOKEN_DROP:
        command->token_drop.name = any_worker(generator);
        command->token_drop.force = dice_once_in(&generator->dice, 5);
        break;
    case COMMAND_TOKEN_USE:
        command->token_use.name = any_worker(generator);
        break;
    case COMMAND_WORKER_SET:
    case COMMAND_WORKER_BEAT:
    case COMMAND_WAIT:
    case COMMAND_FORGET:
        make_worker_or_wait(generator, model, command);
        break;
    case COMMAND_CLOCK_JUMP:
    case COMMAND_TYPE_COUNT:
        hob_panic(__FILE__, __LINE__, "a command");
    }
}

bool generate_jump(struct generator *generator, hob_ns span_ns, struct command *ret_command) {
    struct dice *dice = &generator->dice;
    if (generator->grind != GRIND_NOTHING || generator->swarm.jumps == 0) return false;
    if (!dice_percent(dice, generator->swarm.jumps)) return false;
    *ret_command = (struct command){.type = COMMAND_CLOCK_JUMP};
    ret_command->clock_jump.by_ns =
        dice_once_in(dice, 2) ? span_ns : dice_between(dice, 1, span_ns);
    ret_command->clock_jump.cause = (enum clock_cause)dice_below(dice, CLOCK_CAUSE_COUNT);
    return true;
}

void generate_command(
    struct generator *generator, const struct model *model, struct command *ret_command
) {
    generator->scratch_used = 0;
    struct command *command = ret_command;
    *command = (struct command){.type = any_type(generator)};
    command->request = generator->next_request++;
    grind_begin(generator);
    if (generator->grind != GRIND_NOTHING) {
        grind_command(generator, model, command);
        return;
    }
    /* Without a lease most commands that want one say the same. */
    bool wants_lease = command->type >= COMMAND_ACK && command->type <= COMMAND_PROGRESS;
    if (wants_lease && !has_running(model) && !dice_once_in(&generator->dice, 10)) {
        command->type = COMMAND_FETCH;
    }
    fill_command(generator, model, command);
    if (dice_percent(&generator->dice, generator->swarm.invalid)) {
        plant_bad_argument(generator, command);
    }
}
