/* SPDX-License-Identifier: Apache-2.0 */
/* Where each body lies: a map from body id to the place of its record in the journal, or in a batch
 * that is not durable yet. 24 bytes an entry; open addressing with linear probing,
 * in parts as in base/index.h. */
#ifndef HOB_SPACE_BODIES_H
#define HOB_SPACE_BODIES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

struct body_place {
    uint64_t id;        /* 0: empty slot */
    uint64_t batch;     /* address of the batch in the journal; its sequence while `pending` */
    uint32_t offset;    /* of the record in the batch */
    uint32_t size : 30; /* of the record */
    uint32_t pending : 1;
    uint32_t mark : 1; /* recovery: some job refers to it */
};

struct bodies_part {
    struct body_place *places;
    uint64_t count;
    uint64_t capacity; /* 0 or a power of two */
};

struct bodies {
    struct mem mem;
    uint64_t count;            /* of all parts */
    uint64_t bytes;            /* of all records */
    struct bodies_part one;    /* all of it, as long as it is small; */
    struct bodies_part *parts; /* then NULL; else BODIES_PARTS, by hash */
};

/** Free the map; it is empty afterwards. */
void bodies_deinit(struct bodies *bodies);

/** The place of a body, or NULL; good until the next put or remove. */
struct body_place *bodies_find(const struct bodies *bodies, uint64_t id);

/** Add a body, or give it another place. */
void bodies_put(struct bodies *bodies, struct body_place place);

/** Forget a body; one that is not there is fine. */
void bodies_remove(struct bodies *bodies, uint64_t id);

/** Remove all without a mark; the number removed. */
uint64_t bodies_sweep(struct bodies *bodies);

#endif
