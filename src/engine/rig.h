/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: the engine in fake time. Every effect is encoded, decoded and replayed into a second
 * engine, whose digest must be equal at the end of each test. */
#ifndef HOB_ENGINE_RIG_H
#define HOB_ENGINE_RIG_H

#include "engine/engine.h"

enum { ANSWERS_MAX = 16, EVENTS_MAX = 4096, BODIES_MAX = 64 };

struct rig {
    struct engine *engine;
    struct engine *replica;
    struct effect_scratch scratch;
    hob_ns now_ns;
    struct answer last;
    struct answer late[ANSWERS_MAX];
    uint64_t late_job[ANSWERS_MAX];
    uint32_t late_count;
    uint64_t lost_id;
    enum error_cause lost_cause;
    uint64_t dropped_bodies;
    struct event events[EVENTS_MAX]; /* their slices are gone, but for those of names */
    uint32_t event_count;
    struct buf bodies[BODIES_MAX]; /* by id */
};

/** Two empty engines at 2023-11-14; the rig is static. */
struct rig *rig_new(void);
/** With a ceiling of memory. */
struct rig *rig_new_small(uint64_t memory_max_bytes);
/** Both are sound and equal; free them. */
void rig_end(struct rig *rig);

/** Apply a command, then a turn; its answer is rig->last. */
enum answer_code rig_do(struct rig *rig, struct command command);
/** Time goes by, then there is a turn. */
void rig_advance(struct rig *rig, hob_ns by_ns);

/** A push of kind `work`, to be changed and done. */
struct command push_of(const char *queue);
uint64_t rig_push(struct rig *rig, const char *queue);
/** Lease one job of @queue to worker w1; 0 when there is none. */
uint64_t rig_fetch(struct rig *rig, const char *queue);
/** The bytes of a body that some effect held; of the first BODIES_MAX. */
struct slice rig_body(struct rig *rig, uint64_t body_id);
struct lease_ref rig_lease(struct rig *rig, uint64_t id);
struct job_view rig_job(struct rig *rig, uint64_t id);
enum answer_code rig_ack(struct rig *rig, struct lease_ref lease);
enum answer_code rig_fail(struct rig *rig, struct lease_ref lease);
/** Cancel, discard, retry or delete, by ann, because of the wrong customer. */
enum answer_code rig_control(struct rig *rig, enum command_type type, uint64_t id);

#endif
