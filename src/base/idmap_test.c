/* SPDX-License-Identifier: Apache-2.0 */
#include "base/idmap.h"

#include <stdbool.h>

#include "base/test.h"

enum { IDS = 20000 };

static bool in[IDS];

static void check_neighbours(const struct idmap *map, uint64_t from) {
    uint64_t up = from;
    uint64_t down = from;
    while (up < IDS && !in[up]) up++;
    while (down > 0 && !in[down]) down--;
    uint64_t id = 0;
    uint32_t handle = idmap_next(map, from, &id);
    CHECK(up == IDS ? handle == 0 : handle == up + 1 && id == up);
    handle = idmap_previous(map, from, &id);
    CHECK(!in[down] ? handle == 0 : handle == down + 1 && id == down);
}

TEST(ids_come_and_go_and_are_walked_in_order) {
    struct mem mem = {0};
    struct idmap map;
    idmap_init(&map, &mem);
    uint64_t random = 11;
    for (int step = 0; step < 30000; step++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint64_t id = (random >> 33) % (step % 3 == 0 ? IDS : 300);
        if (in[id]) {
            idmap_remove(&map, id);
        } else {
            idmap_set(&map, id, (uint32_t)id + 1);
        }
        in[id] = !in[id];
        CHECK_EQUAL(idmap_get(&map, id), in[id] ? id + 1 : 0);
        if (step % 7 == 0) check_neighbours(&map, (random >> 13) % IDS);
    }
    for (uint64_t id = 0; id < IDS; id++) {
        if (in[id]) idmap_remove(&map, id);
    }
    CHECK_EQUAL(map.count, 0);
    CHECK_EQUAL(map.nodes.count, 0);
    idmap_deinit(&map);
    CHECK_EQUAL(mem.used_bytes, 0);
}

TEST(the_largest_ids_fit) {
    struct mem mem = {0};
    struct idmap map;
    idmap_init(&map, &mem);
    uint64_t id = 0;
    idmap_set(&map, 5, 9);
    idmap_set(&map, UINT64_MAX, 7);
    CHECK_EQUAL(idmap_get(&map, UINT64_MAX), 7);
    CHECK_EQUAL(idmap_next(&map, 6, &id), 7);
    CHECK(id == UINT64_MAX);
    CHECK_EQUAL(idmap_previous(&map, UINT64_MAX - 1, &id), 9);
    CHECK_EQUAL(id, 5);
    idmap_deinit(&map);
}

TESTS(ids_come_and_go_and_are_walked_in_order, the_largest_ids_fit)
