/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"

#include "base/test.h"

TEST(items_keep_their_place_and_come_zeroed) {
    struct mem mem = {0};
    struct pool pool;
    pool_init(&pool, &mem, 24);
    uint32_t handles[3000];
    for (uint32_t i = 0; i < 3000; i++) {
        handles[i] = pool_new(&pool);
        CHECK(handles[i] != 0);
        uint64_t *item = pool_at(&pool, handles[i]);
        CHECK_EQUAL(item[0] | item[1] | item[2], 0);
        item[2] = i;
    }
    for (uint32_t i = 0; i < 3000; i++) CHECK_EQUAL(((uint64_t *)pool_at(&pool, handles[i]))[2], i);
    for (uint32_t i = 0; i < 3000; i += 2) pool_free(&pool, handles[i]);
    CHECK_EQUAL(pool.count, 1500);
    uint32_t again = pool_new(&pool);
    CHECK(again != handles[2998]);
    CHECK_EQUAL(*(uint64_t *)pool_at(&pool, again), 0);
    pool_deinit(&pool);
    CHECK_EQUAL(mem.used_bytes, 0);
}

TESTS(items_keep_their_place_and_come_zeroed)
