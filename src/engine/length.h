/* SPDX-License-Identifier: Apache-2.0 */
/* How many jobs may wait in a queue: the part of core.h for length.c. */
#ifndef HOB_ENGINE_LENGTH_H
#define HOB_ENGINE_LENGTH_H

#include "engine/command.h"

struct engine;
struct queue;

/* How many jobs wait in it. */
uint64_t queue_waiting(const struct queue *queue);
/* Does the queue with this name refuse a push, because as many wait as may? @promised: how many
 * will wait beside those that do. */
bool length_refuses(const struct engine *engine, struct slice queue, uint32_t promised);
/* The counts of a queue have changed. */
void length_touch(struct engine *engine, uint32_t queue);
/* The job has come to its state; its queue counts it. */
void length_enter(struct engine *engine, uint32_t job);
void length_set(struct engine *engine, uint32_t queue, uint32_t length, enum on_full on_full);
/* The end of replay, which leaves the lines to this. */
void length_replayed(struct engine *engine);
/* Are there too many in some queue? Then length_drop discards one. */
bool length_is_due(const struct engine *engine);
void length_drop(struct engine *engine);
void length_free(struct engine *engine, struct queue *queue);
void length_check(const struct engine *engine, uint32_t queue);

#endif
