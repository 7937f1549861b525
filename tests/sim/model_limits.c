/* SPDX-License-Identifier: Apache-2.0 */
/* Which arguments are within the limits of engine/limits.h. A command whose arguments are not is
 * refused whole, whatever the state: a client that sends nonsense always hears the same. */
#include <string.h>

#include "base/glob.h"
#include "engine/callback.h"
#include "engine/logline.h"
#include "tests/sim/model.h"

static bool is_name(struct slice name) {
    if (name.size < 1 || name.size > NAME_BYTES_MAX || name.bytes[0] == '-') return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.bytes[i];
        bool is_alnum = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!is_alnum && (c == '\0' || strchr("-+/;:.$_()", c) == NULL)) return false;
    }
    return true;
}

static bool names_are_valid(const struct slice *names, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (!is_name(names[i])) return false;
    }
    return true;
}

static bool is_lease(hob_ns lease_ns) {
    return lease_ns == 0 || (lease_ns >= LEASE_MIN_NS && lease_ns <= LEASE_MAX_NS);
}

static bool backoff_is_valid(const struct backoff *backoff) {
    if ((unsigned)backoff->type >= BACKOFF_TYPE_COUNT) return false;
    if (backoff->base_ns > DELAY_MAX_NS || backoff->max_ns > DELAY_MAX_NS) return false;
    if (backoff->delay_count > BACKOFF_LIST_MAX) return false;
    if (backoff->type == BACKOFF_LIST && backoff->delay_count == 0) return false;
    for (uint32_t i = 0; i < backoff->delay_count; i++) {
        if (backoff->delays_ns[i] > DELAY_MAX_NS) return false;
    }
    return true;
}

static bool is_in(char c, const char *set) {
    return c != '\0' && strchr(set, c) != NULL;
}

/* Names with commas between. */
static bool tags_are_valid(struct slice tags) {
    if (tags.size == 0) return true;
    if (tags.size > TAGS_BYTES_MAX) return false;
    size_t begin = 0;
    uint32_t count = 0;
    for (size_t i = 0; i <= tags.size; i++) {
        if (i < tags.size && tags.bytes[i] != ',') continue;
        if (!is_name(slice_of(tags.bytes + begin, i - begin))) return false;
        begin = i + 1;
        count++;
    }
    return count <= TAGS_MAX;
}

/* The run writes headers in one way, {"name":"value",...} without escapes; whatever else it plants
 * is wrong. */
static bool headers_are_valid(struct slice headers) {
    if (headers.size == 0) return true;
    if (headers.size < 2 || headers.size > HEADERS_BYTES_MAX) return false;
    if (headers.bytes[0] != '{' || headers.bytes[headers.size - 1] != '}') return false;
    uint32_t quotes = 0;
    for (size_t i = 1; i < headers.size - 1; i++) {
        char c = headers.bytes[i];
        if (c == '"') {
            quotes++;
        } else if (quotes % 2 == 0) {
            if (c != (quotes % 4 == 2 ? ':' : ',')) return false;
        } else if (c < ' ' || c > '~' || (quotes % 4 == 1 && is_in(c, " (){}"))) {
            return false;
        }
    }
    return quotes % 4 == 0 && quotes / 4 <= HEADERS_MAX;
}

static bool is_content_type(struct slice type) {
    for (size_t i = 0; i < type.size; i++) {
        if (type.bytes[i] < ' ' || type.bytes[i] > '~') return false;
    }
    return type.size <= CONTENT_TYPE_BYTES_MAX;
}

/* A run writes callbacks that are sound, or plants one whose queue has no name. */
static bool on_done_is_valid(const struct model *model, struct slice on_done) {
    struct callback callback;
    bool bad = false;
    uint32_t count = 0;
    (void)model;
    if (on_done.size > ON_DONE_BYTES_MAX) return false;
    while (callback_next(&on_done, &callback, &bad)) {
        if (!is_name(callback.push.queue)) return false;
        count++;
    }
    return !bad && count <= CALLBACKS_MAX;
}

static bool push_is_valid(const struct model *model, const struct push_command *push) {
    if (!is_name(push->queue) || !is_name(push->kind)) return false;
    if (push->payload.size > PAYLOAD_BYTES_MAX) return false;
    if (push->key.size > KEY_BYTES_MAX || push->ref.size > REF_BYTES_MAX) return false;
    if (push->unique.size > KEY_BYTES_MAX) return false;
    if ((unsigned)push->unique_scope >= UNIQUE_SCOPE_COUNT) return false;
    if ((unsigned)push->on_conflict >= ON_CONFLICT_COUNT) return false;
    bool says_how = push->unique_scope != UNIQUE_DONE || push->on_conflict != CONFLICT_EXISTING;
    if (push->unique.size == 0 && says_how) return false;
    if (push->unique_for_ns > DELAY_MAX_NS) return false;
    if (push->merge == MERGE_NONE && push->merge_max != 0) return false;
    if (push->merge != MERGE_NONE && push->unique_scope != UNIQUE_WAITING) return false;
    bool is_merged =
        push->on_conflict == (push->debounce_ns > 0 ? CONFLICT_REPLACE : CONFLICT_EXISTING);
    if (push->merge != MERGE_NONE && !is_merged) return false;
    if (push->merge_max == 1 || push->merge_max > MERGE_MAX_MAX) return false;
    bool is_latest = push->on_conflict == CONFLICT_LATEST;
    if (is_latest && push->unique_scope != UNIQUE_DONE) return false;
    if (push->max_wait_ns > 0 && push->debounce_ns == 0) return false;
    if (push->debounce_ns > DELAY_MAX_NS || push->max_wait_ns > DELAY_MAX_NS) return false;
    bool is_debounced = push->unique_scope == UNIQUE_WAITING &&
                        push->on_conflict == CONFLICT_REPLACE && push->run_at_ns == 0 &&
                        push->delay_ns == 0;
    if (push->debounce_ns > 0 && !is_debounced) return false;
    if ((push->unique_scope == UNIQUE_TIME) != (push->unique_for_ns > 0)) return false;
    if (push->attempt_max > ATTEMPT_MAX_MAX) return false;
    if (push->run_at_ns > ns_add(model->now_ns, DELAY_MAX_NS)) return false;
    if (push->delay_ns > DELAY_MAX_NS || push->timeout_ns > DELAY_MAX_NS) return false;
    if (push->expires_in_ns > DELAY_MAX_NS) return false;
    if (push->deadline_in_ns > DELAY_MAX_NS || push->margin_ns > DELAY_MAX_NS) return false;
    if (push->has_keep && push->keep_ns > DELAY_MAX_NS) return false;
    if (!model_limiters_are_valid(push->limiters)) return false;
    if (push->cost > WORKER_SLOTS_MAX || !tags_are_valid(push->needs)) return false;
    if (!headers_are_valid(push->headers) || !tags_are_valid(push->tags)) return false;
    if (!is_content_type(push->content_type)) return false;
    if (!on_done_is_valid(model, push->on_done)) return false;
    return !push->has_backoff || backoff_is_valid(&push->backoff);
}

static bool update_is_valid(const struct model *model, const struct update_command *update) {
    const struct update_fields *has = &update->has;
    bool any = has->queue || has->payload || has->priority || has->time || has->attempt_max ||
               has->timeout || has->keep || has->backoff || has->tags || has->headers ||
               has->content_type || has->on_done || has->expires || has->group || has->front ||
               has->limiters || has->deadline || has->margin || has->needs || has->cost;
    struct push_command push = update->to;
    if (!has->queue) push.queue = SLICE("any");
    push.kind = SLICE("any");
    push.has_backoff = has->backoff;
    push.has_keep = has->keep;
    if (!has->on_done) push.on_done = SLICE_NONE;
    return any && push_is_valid(model, &push);
}

/* A name; with * and ? in it, or behind a '!', it may also begin with '-'. */
static bool is_pattern(struct slice pattern, bool may_begin_with_any) {
    if (pattern.size == 0 || pattern.size > NAME_BYTES_MAX) return false;
    if (!glob_has_wildcard(pattern) && !may_begin_with_any) return is_name(pattern);
    for (size_t i = 0; i < pattern.size; i++) {
        char byte = pattern.bytes[i];
        char name[2] = {'a', byte};
        if (byte != '*' && byte != '?' && !is_name(slice_of(name, 2))) return false;
    }
    return true;
}

static bool fetch_is_valid(const struct fetch_command *fetch) {
    if (!is_name(fetch->worker)) return false;
    if (fetch->queue_count < 1 || fetch->queue_count > FETCH_QUEUES_MAX) return false;
    if (fetch->count > FETCH_COUNT_MAX || (unsigned)fetch->mode >= FETCH_MODE_COUNT) return false;
    if (fetch->wait_ns > FETCH_WAIT_MAX_NS || !is_lease(fetch->lease_ns)) return false;
    if ((unsigned)fetch->same >= FETCH_SAME_COUNT) return false;
    uint32_t wanted = 0;
    for (uint32_t i = 0; i < fetch->queue_count; i++) {
        struct slice pattern = fetch->queues[i];
        bool excludes = pattern.size > 0 && pattern.bytes[0] == '!';
        if (!excludes) wanted++;
        if (excludes) pattern = slice_of(pattern.bytes + 1, pattern.size - 1);
        if (!is_pattern(pattern, excludes)) return false;
    }
    return wanted > 0;
}

/* Long texts are cut, not refused: that an attempt failed must not be lost to the length of its
 * story. */
static bool fail_is_valid(const struct fail_command *fail) {
    if ((unsigned)fail->cause >= ERROR_CAUSE_COUNT || fail->pause_ns > DELAY_MAX_NS) return false;
    return !fail->has_retry_in || fail->retry_in_ns <= DELAY_MAX_NS;
}

static bool queue_set_is_valid(const struct queue_set_command *set) {
    if (!is_name(set->queue)) return false;
    if (set->has_keep_completed && set->keep_completed_ns > DELAY_MAX_NS) return false;
    if (set->has_keep_failed && set->keep_failed_ns > DELAY_MAX_NS) return false;
    if (set->has_tier && set->tier > QUEUE_TIER_MAX) return false;
    if (set->has_concurrency && set->concurrency > QUEUE_CONCURRENCY_MAX) return false;
    if (set->has_length && set->length > QUEUE_LENGTH_MAX) return false;
    if (set->has_on_full && (unsigned)set->on_full >= ON_FULL_COUNT) return false;
    if (set->has_weight && (set->weight < 1 || set->weight > QUEUE_WEIGHT_MAX)) return false;
    return !set->has_order || (unsigned)set->order < QUEUE_ORDER_COUNT;
}

static bool worker_set_is_valid(const struct worker_set_command *set) {
    if (!is_name(set->worker)) return false;
    if (set->slots > WORKER_SLOTS_MAX || set->kind_count > WORKER_KINDS_MAX) return false;
    if (!tags_are_valid(set->labels)) return false;
    return names_are_valid(set->kinds, set->kind_count);
}

/* At most TOKEN_GLOBS_MAX words, one space between them. */
static bool globs_are_valid(struct slice globs) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  "-+/;:.$_()*?";
    if (globs.size == 0) return true;
    if (globs.size > TOKEN_QUEUES_BYTES_MAX) return false;
    uint32_t words = 1;
    size_t size = 0;
    for (size_t i = 0; i < globs.size; i++) {
        if (globs.bytes[i] != ' ') {
            if (memchr(letters, globs.bytes[i], sizeof letters - 1) == NULL) return false;
            if (++size > NAME_BYTES_MAX) return false;
            continue;
        }
        if (size == 0) return false;
        words++;
        size = 0;
    }
    return size > 0 && words <= TOKEN_GLOBS_MAX;
}

static bool token_is_valid(const struct model *model, const struct token_put_command *put) {
    bool all = put->queues.size == 0 || slice_equal(put->queues, SLICE("*"));
    if ((put->scopes & TOKEN_ADMIN) != 0 && !all) return false;
    if (put->scopes == 0 || (put->scopes & ~(uint32_t)TOKEN_SCOPES) != 0) return false;
    if (put->hash.size != TOKEN_HASH_BYTES || put->by.size > WHY_BYTES_MAX) return false;
    if (put->expires_ns != 0 && put->expires_ns <= model->now_ns) return false;
    return is_name(put->name) && globs_are_valid(put->queues);
}

static bool reasons_are_valid(struct slice by, struct slice why) {
    return by.size <= WHY_BYTES_MAX && why.size <= WHY_BYTES_MAX;
}

static bool pause_is_valid(const struct model *model, const struct pause_command *pause) {
    if (pause->until_ns != 0 && pause->until_ns <= model->now_ns) return false;
    return is_name(pause->queue) && reasons_are_valid(pause->by, pause->why);
}

/* A number of 7-bit groups, low ones first; false at the end of the bytes. */
static bool take_number(struct slice *bytes, uint64_t *ret_number) {
    *ret_number = 0;
    for (unsigned shift = 0; shift < 64 && bytes->size > 0; shift += 7) {
        unsigned char group = (unsigned char)bytes->bytes[0];
        *bytes = slice_of(bytes->bytes + 1, bytes->size - 1);
        if (shift == 63 && group > 1) return false; /* more than 64 bits */
        *ret_number |= (uint64_t)(group & 127) << shift;
        if (group < 128) return true;
    }
    return false;
}

/* Lines, as engine/logline.h describes them. */
static bool log_is_valid(struct slice entries) {
    if (entries.size < 1 || entries.size > LOG_CHUNK_BYTES_MAX) return false;
    while (entries.size > 0) {
        uint64_t number = 0;
        if (!take_number(&entries, &number) || entries.size < 2) return false;
        if ((unsigned char)entries.bytes[0] >= LOG_STREAM_COUNT) return false;
        if ((unsigned char)entries.bytes[1] >= LOG_LEVEL_COUNT) return false;
        entries = slice_of(entries.bytes + 2, entries.size - 2);
        if (!take_number(&entries, &number) || number > entries.size) return false;
        entries = slice_of(entries.bytes + number, entries.size - number);
    }
    return true;
}

static bool is_valve(const struct valve_name *valve) {
    if (valve->sort == VALVE_KIND) return is_name(valve->name);
    if (valve->sort == VALVE_GROUP) return is_name(valve->queue) && is_name(valve->name);
    if (valve->sort != VALVE_LIMITER) return false;
    bool is_glob = glob_has_wildcard(valve->name);
    return is_glob ? valve->name.bytes[0] != '!' && pattern_is_valid(valve->name)
                   : is_name(valve->name);
}

static bool valve_set_is_valid(const struct valve_set_command *set) {
    bool says = set->reset || set->has_weight || set->has_concurrency || set->rate.has_rate ||
                set->rate.has_burst;
    bool weighs = !set->has_weight || (set->valve.sort == VALVE_GROUP && set->weight >= 1 &&
                                       set->weight <= GROUP_WEIGHT_MAX);
    return is_valve(&set->valve) && set->valve.sort != VALVE_KIND && says && weighs &&
           (!set->has_concurrency || set->concurrency <= VALVE_CONCURRENCY_MAX);
}

static bool
valve_pause_is_valid(const struct model *model, const struct valve_pause_command *pause) {
    return is_valve(&pause->valve) && !glob_has_wildcard(pause->valve.name) &&
           (pause->until_ns == 0 || pause->until_ns > model->now_ns) &&
           reasons_are_valid(pause->by, pause->why);
}

bool model_arguments_are_valid(const struct model *model, const struct command *command) {
    switch (command->type) {
    case COMMAND_PUSH_ALL: /* see model_all.c */
        return true;
    case COMMAND_PUSH:
        return push_is_valid(model, &command->push);
    case COMMAND_FETCH:
        return fetch_is_valid(&command->fetch);
    case COMMAND_ACK:
        return command->ack.result.size <= RESULT_BYTES_MAX;
    case COMMAND_FAIL:
        return fail_is_valid(&command->fail);
    case COMMAND_RELEASE:
        return command->release.delay_ns <= DELAY_MAX_NS;
    case COMMAND_EXTEND:
        return is_lease(command->extend.lease_ns);
    case COMMAND_CHECKPOINT:
        return command->checkpoint.bytes.size <= CHECKPOINT_BYTES_MAX;
    case COMMAND_LOG:
        return log_is_valid(command->log.entries);
    case COMMAND_PROGRESS:
        return command->progress.percent <= 100 &&
               command->progress.text.size <= PROGRESS_TEXT_BYTES_MAX;
    case COMMAND_CANCEL:
    case COMMAND_DISCARD:
    case COMMAND_RETRY:
    case COMMAND_DELETE:
        return reasons_are_valid(command->cancel.by, command->cancel.why);
    case COMMAND_UPDATE:
        return update_is_valid(model, &command->update);
    case COMMAND_PAUSE:
        return pause_is_valid(model, &command->pause);
    case COMMAND_RESUME:
        return true; /* a bad name is the name of no queue */
    case COMMAND_QUEUE_SET:
        return queue_set_is_valid(&command->queue_set);
    case COMMAND_VALVE_SET:
        return valve_set_is_valid(&command->valve_set);
    case COMMAND_VALVE_PAUSE:
        return valve_pause_is_valid(model, &command->valve_pause);
    case COMMAND_VALVE_RESUME:
        return is_valve(&command->valve_resume.valve);
    case COMMAND_GROUP_SKIP:
        return command->group_skip.valve.sort == VALVE_GROUP &&
               is_valve(&command->group_skip.valve);
    case COMMAND_WORKER_SET:
        return worker_set_is_valid(&command->worker_set);
    case COMMAND_WORKER_BEAT:
        return is_name(command->worker_beat.worker) && is_lease(command->worker_beat.alive_ns) &&
               command->worker_beat.young_ns <= LEASE_MAX_NS &&
               command->worker_beat.hold_count <= WORKER_HOLDS_MAX;
    case COMMAND_WAIT:
        return command->wait.wait_ns <= RESULT_WAIT_MAX_NS;
    case COMMAND_TOKEN_PUT:
        return token_is_valid(model, &command->token_put);
    case COMMAND_TOKEN_DROP:
    case COMMAND_TOKEN_USE:
    case COMMAND_FORGET:
    case COMMAND_CLOCK_JUMP: /* no stranger sends it */
    case COMMAND_TYPE_COUNT:
        break;
    }
    return true;
}
