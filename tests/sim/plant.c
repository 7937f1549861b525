/* SPDX-License-Identifier: Apache-2.0 */
/* One bad argument per command, so that a refusal has one reason. Half of what is planted lies
 * exactly on its limit and must be accepted. */
#include "tests/sim/plant.h"

#include "base/assert.h"

/* A size or number at its limit, or one past it. */
static uint64_t about(struct generator *generator, uint64_t limit) {
    return limit + dice_below(&generator->dice, 2);
}

static struct slice long_bytes(struct generator *generator, uint64_t limit) {
    size_t size = (size_t)about(generator, limit);
    return size > 100000 ? slice_of(generator->huge, size) : generate_bytes(generator, size);
}

static struct slice bad_limiters(struct generator *generator) {
    static const char *const lists[] = {
        ",",
        "a,",
        ",a",
        "a,a",
        "a=0",
        "a=1000001",
        "a=",
        "=1",
        "a b",
        "a,b,c,d,e",
        "a=1,a=2",
        "a=x"};
    return slice_str(lists[dice_below(&generator->dice, hob_countof(lists))]);
}

static struct slice bad_name(struct generator *generator) {
    static const char *const names[] = {
        "",
        "-minus",
        "with space",
        "new\nline",
        "per%cent",
        "\xc3\xbc",
        "a,b",
        "star*",
    };
    uint64_t at = dice_below(&generator->dice, 9);
    if (at < 8) return slice_str(names[at]);
    size_t size = (size_t)about(generator, NAME_BYTES_MAX);
    return slice_of(memset(generate_room(generator, size), 'n', size), size);
}

static struct slice bad_headers(struct generator *generator) {
    static const char *const headers[] = {
        "x",
        "[]",
        "{\"a\":1}",
        "{\"a\"}",
        "{\"a b\":\"c\"}",
        "{\"a\":\"b\"",
        "{\"a\":\"\t\"}",
        "{\"a\":null}",
    };
    return slice_str(headers[dice_below(&generator->dice, hob_countof(headers))]);
}

static struct slice bad_tags(struct generator *generator) {
    static const char *const tags[] = {",", "a,", ",a", "a,,b", "a b", "-a", "a,-b"};
    uint64_t at = dice_below(&generator->dice, 9);
    if (at < 7) return slice_str(tags[at]);
    size_t count = (size_t)about(generator, TAGS_MAX);
    char *bytes = generate_room(generator, 2 * count);
    for (size_t i = 0; i < count; i++) memcpy(bytes + 2 * i, "t,", 2);
    return slice_of(bytes, 2 * count - 1);
}

static void plant_payload(struct generator *generator, struct push_command *push) {
    push->payload = long_bytes(generator, PAYLOAD_BYTES_MAX);
    push->merge = MERGE_NONE; /* it is no number */
    push->merge_max = 0;
}

static void plant_push(struct generator *generator, struct push_command *push) {
    switch (dice_below(&generator->dice, 16)) {
    case 14:
        push->unique = long_bytes(generator, KEY_BYTES_MAX);
        break;
    case 15:
        push->unique = dice_once_in(&generator->dice, 2) ? SLICE_NONE : SLICE("u");
        push->on_conflict = (enum on_conflict)about(generator, CONFLICT_LATEST);
        push->unique_for_ns = about(generator, DELAY_MAX_NS);
        push->max_wait_ns = about(generator, 0);
        push->merge_max = (uint32_t)about(generator, MERGE_MAX_MAX);
        push->debounce_ns = about(generator, 0);
        break;
    case 13:
        push->on_done = SLICE("\1\1\1\3\0");
        break;
    case 10:
        push->headers = bad_headers(generator);
        break;
    case 11:
        if (dice_once_in(&generator->dice, 3)) {
            push->needs = bad_tags(generator);
            push->cost = (uint32_t)about(generator, WORKER_SLOTS_MAX);
        } else {
            push->tags = bad_tags(generator);
        }
        break;
    case 12:
        push->content_type = long_bytes(generator, CONTENT_TYPE_BYTES_MAX);
        break;
    case 0:
        push->queue = bad_name(generator);
        if (!dice_once_in(&generator->dice, 2)) break;
        push->queue = generate_queue(generator);
        push->limiters = bad_limiters(generator);
        break;
    case 1:
        push->kind = bad_name(generator);
        break;
    case 2:
        plant_payload(generator, push);
        break;
    case 3:
        push->key = long_bytes(generator, KEY_BYTES_MAX);
        break;
    case 4:
        push->ref = long_bytes(generator, REF_BYTES_MAX);
        break;
    case 5:
        push->attempt_max = (uint32_t)about(generator, ATTEMPT_MAX_MAX);
        break;
    case 6:
        push->run_at_ns = 0;
        push->delay_ns = about(generator, DELAY_MAX_NS);
        break;
    case 7:
        push->has_backoff = true;
        push->backoff.type = BACKOFF_TYPE_COUNT;
        break;
    case 8:
        push->has_backoff = true;
        push->backoff.type = BACKOFF_FIXED;
        push->backoff.base_ns = about(generator, DELAY_MAX_NS);
        break;
    default:
        push->has_backoff = true;
        push->backoff.type = BACKOFF_LIST;
        push->backoff.delay_count = dice_once_in(&generator->dice, 2) ? 0 : BACKOFF_LIST_MAX + 1;
        break;
    }
}

static void plant_queue_set(struct generator *generator, struct queue_set_command *set) {
    switch (dice_below(&generator->dice, 6)) {
    case 5:
        set->has_length = true;
        set->length = QUEUE_LENGTH_MAX + 1;
        break;
    case 4:
        set->has_on_full = true;
        set->on_full = ON_FULL_COUNT;
        break;
    case 3:
        set->has_concurrency = true;
        set->concurrency = QUEUE_CONCURRENCY_MAX + 1;
        break;
    case 0:
        set->has_order = true;
        set->order = QUEUE_ORDER_COUNT;
        break;
    case 1:
        set->has_tier = true;
        set->tier = QUEUE_TIER_MAX + 1;
        break;
    default:
        set->has_weight = true;
        set->weight = dice_once_in(&generator->dice, 2) ? 0 : QUEUE_WEIGHT_MAX + 1;
        break;
    }
}

static void plant_fetch(struct generator *generator, struct fetch_command *fetch) {
    switch (dice_below(&generator->dice, 10)) {
    case 8:
        generator->names[fetch->queue_count - 1] = SLICE("!");
        break;
    case 9:
        fetch->same = FETCH_SAME_COUNT;
        break;
    case 0:
        fetch->worker = bad_name(generator);
        break;
    case 1:
        fetch->queue_count = 0;
        break;
    case 2:
        for (uint32_t i = 0; i <= FETCH_QUEUES_MAX; i++) generator->names[i] = generator->queues[0];
        fetch->queue_count = (uint32_t)about(generator, FETCH_QUEUES_MAX);
        break;
    case 3:
        generator->names[fetch->queue_count - 1] = bad_name(generator);
        break;
    case 4:
        fetch->count = (uint32_t)about(generator, FETCH_COUNT_MAX);
        break;
    case 5:
        fetch->mode = FETCH_MODE_COUNT;
        break;
    case 6:
        fetch->wait_ns = about(generator, FETCH_WAIT_MAX_NS);
        break;
    default:
        fetch->lease_ns = about(generator, LEASE_MAX_NS);
        if (dice_once_in(&generator->dice, 2)) fetch->lease_ns = LEASE_MIN_NS - 1;
        break;
    }
}

static void plant_fail(struct generator *generator, struct fail_command *fail) {
    switch (dice_below(&generator->dice, 4)) {
    case 0:
        fail->what = long_bytes(generator, ERROR_WHAT_BYTES_MAX);
        break;
    case 1:
        fail->backtrace = long_bytes(generator, BACKTRACE_BYTES_MAX);
        break;
    case 2:
        fail->cause = ERROR_CAUSE_COUNT;
        break;
    default:
        fail->has_retry_in = true;
        fail->retry_in_ns = about(generator, DELAY_MAX_NS);
        break;
    }
}

static void plant_worker_set(struct generator *generator, struct worker_set_command *set) {
    switch (dice_below(&generator->dice, 4)) {
    case 3:
        set->labels = SLICE("gpu,");
        break;
    case 0:
        set->worker = bad_name(generator);
        break;
    case 1:
        set->slots = (uint32_t)about(generator, WORKER_SLOTS_MAX);
        break;
    default:
        set->kind_count = 1;
        generator->names[0] = bad_name(generator);
        break;
    }
}

/* Too long, cut short, or with one byte that is another. */
static void plant_log(struct generator *generator, struct log_command *log) {
    uint64_t at = dice_below(&generator->dice, log->entries.size);
    char *entries = generator->scratch + (log->entries.bytes - generator->scratch);
    switch (dice_below(&generator->dice, 4)) {
    case 0:
        log->entries = slice_of(generator->huge, LOG_CHUNK_BYTES_MAX + 1);
        break;
    case 1:
        log->entries.size = (size_t)at;
        break;
    default:
        entries[at] = (char)dice_u64(&generator->dice);
        break;
    }
}

static void plant_leased(struct generator *generator, struct command *command) {
    if (command->type == COMMAND_ACK) {
        command->ack.result = long_bytes(generator, RESULT_BYTES_MAX);
    } else if (command->type == COMMAND_FAIL) {
        plant_fail(generator, &command->fail);
    } else if (command->type == COMMAND_RELEASE) {
        command->release.delay_ns = about(generator, DELAY_MAX_NS);
    } else if (command->type == COMMAND_EXTEND) {
        bool is_short = dice_once_in(&generator->dice, 2);
        command->extend.lease_ns = is_short ? LEASE_MIN_NS - 1 : about(generator, LEASE_MAX_NS);
    } else if (command->type == COMMAND_CHECKPOINT) {
        command->checkpoint.bytes = long_bytes(generator, CHECKPOINT_BYTES_MAX);
    } else if (command->type == COMMAND_LOG) {
        plant_log(generator, &command->log);
    } else if (dice_once_in(&generator->dice, 2)) {
        command->progress.percent = (uint32_t)about(generator, 100);
    } else {
        command->progress.text = long_bytes(generator, PROGRESS_TEXT_BYTES_MAX);
    }
}

static struct push_command *what_is_pushed(struct command *command) {
    return command->type == COMMAND_PUSH ? &command->push : &command->update.to;
}

static void plant_valve(struct generator *generator, struct command *command) {
    struct valve_name *valve = &command->valve_set.valve; /* first in each of them */
    bool first = dice_once_in(&generator->dice, 2);
    if (command->type == COMMAND_VALVE_SET && first) {
        command->valve_set.has_weight = true;
        command->valve_set.weight = 0;
    } else if (command->type == COMMAND_VALVE_PAUSE && first) {
        command->valve_pause.why = long_bytes(generator, WHY_BYTES_MAX);
    } else if (dice_once_in(&generator->dice, 3)) {
        valve->sort = VALVE_QUEUE;
    } else {
        valve->name = bad_name(generator);
    }
}

static void plant_list(struct generator *generator, struct push_all_command *all) {
    plant_push(generator, &generator->list[dice_below(&generator->dice, all->count)]);
    if (dice_once_in(&generator->dice, 10)) all->count = 0;
}

void plant_bad_argument(struct generator *generator, struct command *command) {
    bool first = dice_once_in(&generator->dice, 2);
    switch (command->type) {
    case COMMAND_PUSH:
    case COMMAND_UPDATE:
        plant_push(generator, what_is_pushed(command));
        break;
    case COMMAND_PUSH_ALL:
        plant_list(generator, &command->push_all);
        break;
    case COMMAND_FETCH:
        plant_fetch(generator, &command->fetch);
        break;
    case COMMAND_ACK:
    case COMMAND_FAIL:
    case COMMAND_RELEASE:
    case COMMAND_EXTEND:
    case COMMAND_CHECKPOINT:
    case COMMAND_LOG:
    case COMMAND_PROGRESS:
        plant_leased(generator, command);
        break;
    case COMMAND_CANCEL:
    case COMMAND_DISCARD:
    case COMMAND_RETRY:
    case COMMAND_DELETE:
        *(first ? &command->cancel.by : &command->cancel.why) =
            long_bytes(generator, WHY_BYTES_MAX);
        break;
    case COMMAND_PAUSE:
        if (first) {
            command->pause.queue = bad_name(generator);
        } else {
            command->pause.until_ns = 1 + dice_below(&generator->dice, NS_PER_DAY);
        }
        break;
    case COMMAND_RESUME:
        command->resume.queue = bad_name(generator);
        break;
    case COMMAND_QUEUE_SET:
        plant_queue_set(generator, &command->queue_set);
        if (first) command->queue_set.queue = bad_name(generator);
        break;
    case COMMAND_VALVE_SET:
    case COMMAND_VALVE_PAUSE:
    case COMMAND_VALVE_RESUME:
    case COMMAND_GROUP_SKIP:
        plant_valve(generator, command);
        break;
    case COMMAND_WORKER_SET:
        plant_worker_set(generator, &command->worker_set);
        break;
    case COMMAND_WORKER_BEAT:
        command->worker_beat.alive_ns = about(generator, LEASE_MAX_NS);
        command->worker_beat.young_ns = about(generator, LEASE_MAX_NS);
        if (first) command->worker_beat.worker = bad_name(generator);
        break;
    case COMMAND_WAIT:
        command->wait.wait_ns = about(generator, RESULT_WAIT_MAX_NS);
        break;
    case COMMAND_TOKEN_PUT:
        command->token_put.queues = SLICE("a  b");
        break;
    case COMMAND_TOKEN_DROP:
    case COMMAND_TOKEN_USE:
    case COMMAND_FORGET:
    case COMMAND_CLOCK_JUMP:
    case COMMAND_TYPE_COUNT:
        break;
    }
}
