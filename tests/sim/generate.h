/* SPDX-License-Identifier: Apache-2.0 */
/* Random commands and random time. What is likely is itself drawn per seed (swarm testing: Groce
 * and others, 2012): one seed is all retries and clocks that stand still, the next all waiting
 * fetches on paused queues, so that each feature is also met without the others in its way. */
#ifndef HOB_TEST_SIM_GENERATE_H
#define HOB_TEST_SIM_GENERATE_H

#include "tests/sim/model.h"
#include "tests/sim/random.h"

enum { NAMES_MAX = 16, LIST_MAX = 8, HOLDS_MAX = 20 };

/* What is too rare to happen by chance: a job that is given back, or that logs, without end. */
enum grind {
    GRIND_NOTHING,
    GRIND_RELEASES,
    GRIND_LARGE_LOGS,
    GRIND_EVEN_LOGS,
    GRIND_MANY_LOGS,
    GRIND_COUNT
};

/* How likely things are in this run; in percent where nothing else is said. */
struct swarm {
    uint32_t weights[COMMAND_TYPE_COUNT];
    uint32_t queue_count;
    uint32_t kind_count;
    uint32_t worker_count;
    uint32_t key_count;
    uint32_t group_count;
    uint32_t limiter_count;
    uint32_t label_count; /* of all that there are; 0: no job asks for more than a slot */
    uint32_t rates;       /* a setting of a limit or queue that has a rate */
    uint32_t priority_count;
    uint32_t invalid;     /* an argument past its limit */
    uint32_t stray;       /* a job or token that is not there */
    uint32_t big;         /* bytes that become a body */
    uint32_t waiting;     /* a fetch that waits */
    uint32_t short_waits; /* waits, leases, delays of seconds, not hours */
    uint32_t time_moves;
    uint32_t time_edges;     /* to the very ns at which something is due, or one beside it */
    uint32_t time_span_max;  /* magnitude of a step: 10^0 .. 10^this ns */
    uint32_t lazy_turns;     /* a command without a turn after it */
    uint32_t early;          /* a command that comes before the turn of its time */
    uint32_t jumps;          /* a step of time that is a jump of the clock */
    uint32_t unique;         /* a push with a unique key */
    uint32_t keep;           /* a push with its own keep */
    uint32_t grinds_once_in; /* commands; 0: never */
};

struct generator {
    struct dice dice;
    struct swarm swarm;
    struct slice queues[NAMES_MAX];
    struct slice kinds[NAMES_MAX];
    struct slice workers[NAMES_MAX];
    uint64_t next_request;
    enum grind grind;
    uint32_t grind_at; /* commands of it so far */
    size_t scratch_used;
    struct slice names[FETCH_QUEUES_MAX + 2]; /* of the command at hand */
    struct push_command list[LIST_MAX];       /* the same */
    struct lease_ref holds[HOLDS_MAX + 1];    /* the same */
    char scratch[512 * 1024];                 /* bytes of the command at hand */
    char *huge;                               /* PAYLOAD_BYTES_MAX + 1 bytes */
};

/** A generator for @seed, its swarm drawn; on the heap, for it is large. */
struct generator *generator_new(uint64_t seed);

/** NULL is fine. */
void generator_free(struct generator *generator);

/** Is this step of time, by @span_ns, a jump of the clock? Then the command that tells of it. */
bool generate_jump(struct generator *generator, hob_ns span_ns, struct command *ret_command);

/** The next command; borrowed until the next call. */
void generate_command(
    struct generator *generator, const struct model *model, struct command *ret_command
);

/** The time of the next command. */
hob_ns generate_time(struct generator *generator, const struct model *model);

/** Room for @size bytes of the command at hand. */
char *generate_room(struct generator *generator, size_t size);

/** One of the names of the run; a group may be none. */
struct slice generate_queue(struct generator *generator);
struct slice generate_kind(struct generator *generator);
struct slice generate_group(struct generator *generator);

/** Labels that a job needs or a worker has, perhaps none. */
struct slice generate_labels(struct generator *generator);

/** What a job asks of a worker. */
void generate_demand(struct generator *generator, struct push_command *push);

/** Limiters of a job, perhaps none. */
struct slice generate_limiters(struct generator *generator);

/** The part of the settings of a queue that stops jobs. */
void generate_queue_valves(struct generator *generator, struct queue_set_command *set);

/** A command about a valve, of the type that it has. */
void generate_valve(
    struct generator *generator, const struct model *model, struct command *command
);

/** Labels of a job, sound ones. */
struct slice generate_tags(struct generator *generator);
struct slice generate_headers(struct generator *generator);

/** Begin to grind, perhaps. */
void grind_begin(struct generator *generator);

/** The next command of a grind, which ends by itself. */
void grind_command(
    struct generator *generator, const struct model *model, struct command *ret_command
);

/** @size bytes of the command at hand, random in their letters. */
struct slice generate_bytes(struct generator *generator, size_t size);

/** A span of time for a lease, delay or wait: mostly seconds, at most @max_ns. */
hob_ns generate_span(struct generator *generator, hob_ns max_ns);

/* --- generate_merge.c: a push that has all else may be merged --- */
void generate_merge(struct generator *generator, struct push_command *push);

#endif
