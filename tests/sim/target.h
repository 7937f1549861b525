/* SPDX-License-Identifier: Apache-2.0 */
/* What is tested: an engine, in one of two settings, behind one face.
 *
 *   alone    each effect is encoded, decoded again, written to a tape and replayed at once into a
 *            second engine, the twin, whose digest must stay the same. The tape is a journal of the
 *            simulator's own: it cleans its oldest batches as a space does, and what is left of it
 *            must at any time make the same engine again.
 *   space    the engine inside `struct space`, on a journal in memory or in files, with segments so
 *            small that cleaning never rests; closed and opened again now and then. */
#ifndef HOB_TEST_SIM_TARGET_H
#define HOB_TEST_SIM_TARGET_H

#include "engine/engine.h"
#include "tests/sim/random.h"

enum target_setting { TARGET_ALONE, TARGET_SPACE_MEMORY, TARGET_SPACE_FILE };

struct target;

struct target_options {
    enum target_setting setting;
    uint64_t seed;             /* of hash keys and of the tape */
    uint64_t memory_max_bytes; /* 0: none */
    /* Late outputs, as they come. */
    void *context;
    void (*answer)(void *context, const struct answer *answer);
    void (*notice)(void *context, const struct notice *notice);
    /* An engine that was made from the tape, to be compared. */
    void (*replayed)(void *context, const struct engine *engine);
    /* A broken rule: must not come back. */
    void (*broken)(void *context, const char *text);
};

/** A new, empty target; owned by the caller. */
struct target *target_new(const struct target_options *options);

/** Free it and what it kept on disk. NULL is fine. */
void target_free(struct target *target);

/** One command; ends with the turn that belongs to it when @turn. */
void target_apply(
    struct target *target, hob_ns now_ns, const struct command *command, struct answer *ret_answer
);

/** Do all that is due by @now_ns, @budget jobs at a time. */
void target_turn(struct target *target, hob_ns now_ns, uint32_t budget);

/** The engine, for reading. */
const struct engine *target_engine(const struct target *target);

/** When it wants the next turn. */
hob_ns target_due(const struct target *target);

/** Can it be closed and opened again? */
bool target_may_restart(const struct target *target);

/** Close, open again at @now_ns, and compare digests. */
void target_restart(struct target *target, hob_ns now_ns);

/** After each command: the digests that engine and twin carry along are equal (alone). */
void target_compare_twin(struct target *target);

/** Walk everything: engine_check, equal digests, and (alone) a replay of the whole tape. */
void target_check(struct target *target);

/** Is this body held, and are its bytes those with this size and hash? */
bool target_has_body(struct target *target, uint64_t body_id, size_t size, uint64_t hash);

/** Bodies that are held; UINT64_MAX: not known in this setting. */
uint64_t target_body_count(const struct target *target);

#endif
