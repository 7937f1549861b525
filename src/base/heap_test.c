/* SPDX-License-Identifier: Apache-2.0 */
#include "base/heap.h"

#include "base/test.h"

enum { ITEMS = 500 };

struct rig {
    struct mem mem;
    struct heap heap;
    uint32_t at[ITEMS];
    uint64_t key[ITEMS];
    bool in[ITEMS];
};

static bool rig_before(void *context, uint32_t a, uint32_t b) {
    (void)context;
    return a < b;
}

static void rig_moved(void *context, uint32_t item, uint32_t at) {
    ((struct rig *)context)->at[item] = at;
}

static const struct heap_rules rules = {.before = rig_before, .moved = rig_moved};

static uint64_t rig_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/* The smallest (key, item) by a scan: what the heap must have on top. */
static uint32_t rig_smallest(const struct rig *rig) {
    uint32_t best = ITEMS;
    for (uint32_t i = 0; i < ITEMS; i++) {
        if (rig->in[i] && (best == ITEMS || rig->key[i] < rig->key[best])) best = i;
    }
    return best;
}

TEST(the_top_is_the_smallest_after_any_mix_of_push_remove_and_rekey) {
    struct rig rig = {0};
    uint64_t random = 7;
    for (int step = 0; step < 20000; step++) {
        uint32_t item = (uint32_t)(rig_random(&random) % ITEMS);
        uint64_t key = rig_random(&random) % 50;
        if (!rig.in[item]) {
            rig.in[item] = true;
            rig.key[item] = key;
            heap_push(&rig.heap, &rig.mem, &rules, &rig, key, item);
        } else if (key % 2 == 0) {
            rig.key[item] = key;
            heap_rekey(&rig.heap, &rules, &rig, rig.at[item], key);
        } else {
            rig.in[item] = false;
            heap_remove(&rig.heap, &rig.mem, &rules, &rig, rig.at[item]);
            CHECK_EQUAL(rig.at[item], HEAP_NOWHERE);
        }
        uint32_t smallest = rig_smallest(&rig);
        CHECK(smallest == ITEMS ? rig.heap.count == 0 : rig.heap.entries[0].item == smallest);
    }
    heap_deinit(&rig.heap, &rig.mem);
    CHECK_EQUAL(rig.mem.used_bytes, 0);
}

TESTS(the_top_is_the_smallest_after_any_mix_of_push_remove_and_rekey)
