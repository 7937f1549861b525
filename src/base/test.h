/* SPDX-License-Identifier: Apache-2.0 */
/* Thin wrappers over cmocka so that a test reads as a sentence:
 *
 *     TEST(an_ack_after_the_lease_is_refused) { … CHECK(x == y); … }
 *     TESTS(an_ack_after_the_lease_is_refused, …)          the last line of the file: makes main()
 */
#ifndef HOB_BASE_TEST_H
#define HOB_BASE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TEST(name)                     static void name(void **test_state __attribute__((unused)))
#define CHECK(fact)                    assert_true(fact)
#define CHECK_EQUAL(got, wanted)       assert_int_equal((uint64_t)(got), (uint64_t)(wanted))
#define CHECK_STR(got, wanted)         assert_string_equal((got), (wanted))
#define CHECK_BYTES(got, wanted, size) assert_memory_equal((got), (wanted), (size))

#define TESTS_EACH_1(f) cmocka_unit_test(f)
#define TESTS(...)                                                     \
    int main(void) {                                                   \
        const struct CMUnitTest tests[] = {TESTS_MAP(__VA_ARGS__)};    \
        return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1; \
    }

/* TESTS_MAP(a, b, …): cmocka_unit_test of each, up to 64 names (recursive expansion after D.
 * Meritt's EVAL/DEFER). */
#define TESTS_PARENS       ()
#define TESTS_EVAL(...)    TESTS_EVAL3(TESTS_EVAL3(TESTS_EVAL3(__VA_ARGS__)))
#define TESTS_EVAL3(...)   TESTS_EVAL2(TESTS_EVAL2(TESTS_EVAL2(__VA_ARGS__)))
#define TESTS_EVAL2(...)   TESTS_EVAL1(TESTS_EVAL1(TESTS_EVAL1(__VA_ARGS__)))
#define TESTS_EVAL1(...)   __VA_ARGS__
#define TESTS_MAP(...)     __VA_OPT__(TESTS_EVAL(TESTS_STEP(__VA_ARGS__)))
#define TESTS_STEP(f, ...) cmocka_unit_test(f), __VA_OPT__(TESTS_AGAIN TESTS_PARENS(__VA_ARGS__))
#define TESTS_AGAIN()      TESTS_STEP

#endif
