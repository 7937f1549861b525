/* SPDX-License-Identifier: Apache-2.0 */
/* Channels: where RESP clients hear of jobs.
 *
 *     hob:job:ID       one job: each change of its state, its progress, that it is gone
 *     hob:queue:NAME   each job of this queue that is over (completed, discarded, cancelled)
 *     hob:kind:KIND    each job of this kind that is over
 *     hob:finished     each job that is over
 *     hob:events       each change of state of any job, jobs that go, queues that are paused,
 *                      resumed or set
 *
 * An event is told on each of its channels, so a pattern that fits several of them gets it several
 * times, as in Redis. Channels that begin with two underscores belong to client libraries
 * (`__Booksleeve_MasterChanged`): they are accepted and nothing is ever told there. Every other
 * channel is refused, since whoever waits on a name that was mistyped waits forever. */
#ifndef HOB_DIALECT_RESP_CHANNEL_H
#define HOB_DIALECT_RESP_CHANNEL_H

#include "base/buf.h"
#include "base/slice.h"
#include "engine/event.h"

enum { CHANNEL_BYTES_MAX = 256, CHANNELS_OF_EVENT_MAX = 5 };

/** What a channel's name is. */
enum channel_type { CHANNEL_NONE, CHANNEL_FOREIGN, CHANNEL_JOB, CHANNEL_OTHER };

/** CHANNEL_NONE: not a channel, and @complaint tells what there is. @ret_id: of CHANNEL_JOB. */
enum channel_type channel_parse(struct slice name, uint64_t *ret_id, struct buf *complaint);

/* The names of the channels that an event is told on. */
struct channels {
    struct slice names[CHANNELS_OF_EVENT_MAX];
    uint32_t count;
    char bytes[CHANNELS_OF_EVENT_MAX * CHANNEL_BYTES_MAX];
    uint32_t used;
};

/** The names; they stand in @channels itself. */
void channels_of_event(struct channels *channels, const struct event *event);

/**
 * Does a glob as Redis has it fit the whole of @text? `*` any run, `?` any byte, `[a-z]` `[^a]` one
 * of, `\` takes the next byte as it is. No recursion; at most pattern * text steps.
 */
bool channel_pattern_fits(struct slice pattern, struct slice text);

#endif
