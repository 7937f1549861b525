/* SPDX-License-Identifier: Apache-2.0 */
#include "space/bodies.h"

#include "base/test.h"

enum { MANY = 30000, STEP = 3 };

/* More than one table holds; every third is marked before the sweep. */
TEST(all_bodies_are_found_and_only_marked_ones_outlive_a_sweep) {
    struct bodies bodies = {0};
    for (uint64_t id = 1; id <= MANY; id++) {
        bodies_put(&bodies, (struct body_place){.id = id, .batch = id * 5, .size = 10});
        CHECK(bodies_find(&bodies, id) != NULL);
        CHECK(bodies_find(&bodies, id + 1) == NULL);
    }
    bodies_put(&bodies, (struct body_place){.id = 7, .batch = 77, .size = 30});
    CHECK_EQUAL(bodies.count, MANY);
    CHECK_EQUAL(bodies.bytes, MANY * 10 + 20);
    for (uint64_t id = STEP; id <= MANY; id += STEP) bodies_find(&bodies, id)->mark = 1;
    CHECK_EQUAL(bodies_sweep(&bodies), MANY - MANY / STEP);
    for (uint64_t id = 1; id <= MANY; id++) {
        const struct body_place *place = bodies_find(&bodies, id);
        CHECK_EQUAL(place != NULL, id % STEP == 0);
        if (place != NULL) CHECK_EQUAL(place->batch, id * 5);
    }
    for (uint64_t id = 1; id <= MANY; id++) bodies_remove(&bodies, id);
    CHECK_EQUAL(bodies.count, 0);
    CHECK_EQUAL(bodies.bytes, 0);
    bodies_deinit(&bodies);
}

TESTS(all_bodies_are_found_and_only_marked_ones_outlive_a_sweep)
