/* SPDX-License-Identifier: Apache-2.0 */
#include "base/index.h"

#include "base/test.h"

enum { KEYS = 400 };

static bool item_is(const void *context, uint32_t item, const void *key) {
    (void)context;
    return item == *(const uint32_t *)key;
}

/* Few distinct hashes, so that probe runs are long and wrap around. */
static uint64_t bad_hash(uint32_t item) {
    return (uint64_t)(item % 13) << 32 | (uint64_t)item << 60;
}

TEST(every_item_is_found_until_it_is_removed_even_under_one_hash) {
    struct mem mem = {0};
    struct index index = {0};
    bool in[KEYS + 1] = {false};
    uint64_t random = 3;
    for (int step = 0; step < 20000; step++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint32_t item = (uint32_t)((random >> 33) % KEYS) + 1;
        if (in[item]) {
            index_remove(&index, &mem, bad_hash(item), item);
        } else {
            index_add(&index, &mem, bad_hash(item), item);
        }
        in[item] = !in[item];
        uint32_t other = (uint32_t)((random >> 20) % KEYS) + 1;
        uint32_t found = index_find(&index, bad_hash(other), item_is, NULL, &other);
        CHECK_EQUAL(found, in[other] ? other : 0);
    }
    index_deinit(&index, &mem);
    CHECK_EQUAL(mem.used_bytes, 0);
}

/* More than one table holds: dealt out to parts on the way up, empty on the way down. */
TEST(a_large_index_finds_all_of_it_and_gives_its_memory_back) {
    enum { MANY = 60000 };
    struct mem mem = {0};
    struct index index = {0};
    for (uint32_t item = 1; item <= MANY; item++) {
        index_add(&index, &mem, index_hash_pair(item, 0), item);
        uint32_t other = (item * 7919u) % MANY + 1;
        uint32_t found = index_find(&index, index_hash_pair(other, 0), item_is, NULL, &other);
        CHECK_EQUAL(found, other <= item ? other : 0);
    }
    CHECK_EQUAL(index.count, MANY);
    size_t most = mem.used_bytes;
    for (uint32_t item = 1; item <= MANY; item++) {
        uint32_t found = index_find(&index, index_hash_pair(item, 0), item_is, NULL, &item);
        CHECK_EQUAL(found, item);
        index_remove(&index, &mem, index_hash_pair(item, 0), item);
        found = index_find(&index, index_hash_pair(item, 0), item_is, NULL, &item);
        CHECK_EQUAL(found, 0);
        if (item == MANY * 15 / 16) CHECK(mem.used_bytes < most * 3 / 4);
    }
    CHECK_EQUAL(mem.used_bytes, 0);
}

TESTS(
    every_item_is_found_until_it_is_removed_even_under_one_hash,
    a_large_index_finds_all_of_it_and_gives_its_memory_back
)
