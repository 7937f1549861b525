/* SPDX-License-Identifier: Apache-2.0 */
/* Limiters: names that jobs of all queues share, such as `stripe` or `customer-7`, so that what
 * they do together stays within limits (valves.c). A job names up to four, each with the units that
 * it takes. A limiter exists while a job names it or something is set about it.
 *
 * A limiter with a * or ? in its name is a rule: what it sets holds for every limiter that it fits
 * and that does not set it itself. Of several rules the longest counts, of equally long ones the
 * one that is first in the order of bytes. */
#include "base/glob.h"
#include "base/text.h"
#include "engine/labels.h"
#include "engine/valves.h"

/* --- by name --- */

static bool limiter_is(const void *context, uint32_t item, const void *key) {
    return slice_equal(text_slice(limiter_at(context, item)->name), *(const struct slice *)key);
}

uint32_t limiter_find(const struct engine *engine, struct slice name) {
    uint64_t hash = siphash(engine->hash_key, name);
    return index_find(&engine->limiter_names, hash, limiter_is, engine, &name);
}

uint32_t limiter_use(struct engine *engine, struct slice name) {
    uint32_t handle = limiter_find(engine, name);
    if (handle == 0) {
        handle = pool_new(&engine->limiters);
        struct limiter *limiter = limiter_at(engine, handle);
        limiter->name = text_new(engine, name);
        limiter->next = engine->limiter_first;
        if (limiter->next != 0) limiter_at(engine, limiter->next)->previous = handle;
        engine->limiter_first = handle;
        uint64_t hash = siphash(engine->hash_key, name);
        index_add(&engine->limiter_names, &engine->mem, hash, handle);
        valve_rule(engine, VALVE_LIMITER, handle);
    }
    limiter_at(engine, handle)->users++;
    valve_used(engine, limiter_at(engine, handle)->valve);
    return handle;
}

void limiter_unuse(struct engine *engine, uint32_t handle) {
    struct limiter *limiter = limiter_at(engine, handle);
    hob_assert(limiter->users > 0);
    if (--limiter->users > 0) {
        if (limiter->users == 1) valve_refresh(engine, limiter->valve); /* perhaps only by that */
        return;
    }
    hob_assert(limiter->running == 0 && limiter->waiting == 0 && limiter->branch_first == 0);
    if (limiter->valve != 0) valve_free(engine, limiter->valve);
    if (limiter->next != 0) limiter_at(engine, limiter->next)->previous = limiter->previous;
    if (limiter->previous != 0) {
        limiter_at(engine, limiter->previous)->next = limiter->next;
    } else {
        engine->limiter_first = limiter->next;
    }
    uint64_t hash = siphash(engine->hash_key, text_slice(limiter->name));
    index_remove(&engine->limiter_names, &engine->mem, hash, handle);
    text_free(engine, &limiter->name);
    pool_free(&engine->limiters, handle);
}

/* --- rules --- */

bool limiter_is_rule(const struct limiter *limiter) {
    return glob_has_wildcard(text_slice(limiter->name));
}

uint32_t limiter_rule(const struct engine *engine, const struct limiter *limiter) {
    if (limiter_is_rule(limiter)) return 0;
    for (uint32_t i = 0; i < engine->rule_count; i++) {
        const struct limiter *rule = limiter_at(engine, engine->rules[i]);
        if (glob_fits(text_slice(rule->name), text_slice(limiter->name))) return rule->valve;
    }
    return 0;
}

static bool rule_before(struct slice a, struct slice b) {
    return a.size != b.size ? a.size > b.size : slice_before(a, b);
}

static void rule_add(struct engine *engine, uint32_t handle) {
    if (engine->rule_count == engine->rule_capacity) {
        uint32_t capacity = engine->rule_capacity == 0 ? 8 : 2 * engine->rule_capacity;
        engine->rules = mem_resize(
            &engine->mem,
            engine->rules,
            engine->rule_capacity * sizeof *engine->rules,
            capacity * sizeof *engine->rules
        );
        engine->rule_capacity = capacity;
    }
    struct slice name = text_slice(limiter_at(engine, handle)->name);
    uint32_t at = engine->rule_count++;
    while (at > 0) {
        struct slice before = text_slice(limiter_at(engine, engine->rules[at - 1])->name);
        if (rule_before(before, name)) break;
        engine->rules[at] = engine->rules[at - 1];
        at--;
    }
    engine->rules[at] = handle;
}

static bool rule_remove(struct engine *engine, uint32_t handle) {
    for (uint32_t i = 0; i < engine->rule_count; i++) {
        if (engine->rules[i] != handle) continue;
        engine->rule_count--;
        memmove(
            engine->rules + i,
            engine->rules + i + 1,
            (engine->rule_count - i) * sizeof *engine->rules
        );
        return true;
    }
    return false;
}

void limiter_rule_changed(struct engine *engine, uint32_t handle, bool is_there) {
    (void)rule_remove(engine, handle);
    if (is_there) rule_add(engine, handle);
    struct slice pattern = text_slice(limiter_at(engine, handle)->name);
    for (uint32_t at = engine->limiter_first; at != 0; at = limiter_at(engine, at)->next) {
        const struct limiter *limiter = limiter_at(engine, at);
        if (limiter_is_rule(limiter) || !glob_fits(pattern, text_slice(limiter->name))) continue;
        valve_rule(engine, VALVE_LIMITER, at);
    }
}

/* --- what jobs name --- */

/* The next of a list: its name and units. False: the list ends, or *@ret_fault says what is wrong.
 * */
static bool limit_next(
    struct slice *rest, struct slice *ret_name, uint32_t *ret_units, const char **ret_fault
) {
    if (rest->size == 0) return false;
    const char *comma = memchr(rest->bytes, ',', rest->size);
    size_t size = comma == NULL ? rest->size : (size_t)(comma - rest->bytes);
    struct slice one = slice_of(rest->bytes, size);
    size_t step = comma == NULL ? size : size + 1;
    *rest = slice_of(rest->bytes + step, rest->size - step);
    if (comma != NULL && rest->size == 0) *ret_fault = "limiters: a name is missing at the end";
    const char *equals = one.size == 0 ? NULL : memchr(one.bytes, '=', one.size);
    *ret_name = equals == NULL ? one : slice_of(one.bytes, (size_t)(equals - one.bytes));
    *ret_units = 1;
    if (!name_is_valid(*ret_name)) {
        *ret_fault = "limiters: a limiter " NAME_RULE;
    } else if (equals != NULL) {
        struct slice number = slice_of(equals + 1, one.size - ret_name->size - 1);
        uint64_t units = 0;
        if (!text_u64(number, 1, LIMITER_UNITS_MAX, &units)) {
            *ret_fault = "limiters: units are 1 to 1000000, as in name=3";
        }
        *ret_units = (uint32_t)units;
    }
    return *ret_fault == NULL;
}

const char *limits_fault(struct slice text) {
    if (text.size > LIMITERS_BYTES_MAX) return "limiters: a job names at most 4";
    struct slice names[JOB_LIMITERS_MAX];
    uint32_t count = 0;
    uint32_t units = 0;
    struct slice name;
    const char *fault = NULL;
    while (limit_next(&text, &name, &units, &fault)) {
        if (count == JOB_LIMITERS_MAX) return "limiters: a job names at most 4";
        for (uint32_t i = 0; i < count; i++) {
            if (slice_equal(names[i], name)) return "limiters: one is named twice";
        }
        names[count++] = name;
    }
    return fault;
}

static bool limits_are(const void *context, uint32_t item, const void *key) {
    return slice_equal(text_slice(limits_at(context, item)->text), *(const struct slice *)key);
}

uint32_t limits_use(struct engine *engine, struct slice text) {
    if (text.size == 0) return 0;
    uint64_t hash = siphash(engine->hash_key, text);
    uint32_t handle = index_find(&engine->limits_texts, hash, limits_are, engine, &text);
    if (handle == 0) {
        handle = pool_new(&engine->limits);
        struct limits *limits = limits_at(engine, handle);
        limits->text = text_new(engine, text);
        struct slice name;
        uint32_t units = 0;
        const char *fault = NULL;
        while (limit_next(&text, &name, &units, &fault)) {
            limits->limits[limits->count++] = (struct limit){limiter_use(engine, name), units};
        }
        hob_assert(fault == NULL);
        index_add(&engine->limits_texts, &engine->mem, hash, handle);
    }
    limits_at(engine, handle)->users++;
    return handle;
}

void limits_unuse(struct engine *engine, uint32_t handle) {
    if (handle == 0) return;
    struct limits *limits = limits_at(engine, handle);
    hob_assert(limits->users > 0);
    if (--limits->users > 0) return;
    for (uint32_t i = 0; i < limits->count; i++) limiter_unuse(engine, limits->limits[i].limiter);
    uint64_t hash = siphash(engine->hash_key, text_slice(limits->text));
    index_remove(&engine->limits_texts, &engine->mem, hash, handle);
    text_free(engine, &limits->text);
    pool_free(&engine->limits, handle);
}

void limiters_free(struct engine *engine) {
    hob_assert(engine->limiters.count == 0 && engine->limits.count == 0);
    index_deinit(&engine->limiter_names, &engine->mem);
    index_deinit(&engine->limits_texts, &engine->mem);
    mem_free(&engine->mem, engine->rules, engine->rule_capacity * sizeof *engine->rules);
}
