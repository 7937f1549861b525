/* SPDX-License-Identifier: Apache-2.0 */
/* One run of the simulator. */
#ifndef HOB_TEST_SIM_RUN_H
#define HOB_TEST_SIM_RUN_H

#include <stdbool.h>
#include <stdint.h>

/** Run @commands commands of @seed; false, and told on stderr, at the first difference. */
bool run_seed(uint64_t seed, uint64_t commands, bool trace);

/** The number of the command that is being run, for what is told of a panic. */
uint64_t run_command_number(void);

#endif
