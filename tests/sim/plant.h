/* SPDX-License-Identifier: Apache-2.0 */
/* Bad arguments, for the simulator's commands. */
#ifndef HOB_TEST_SIM_PLANT_H
#define HOB_TEST_SIM_PLANT_H

#include "tests/sim/generate.h"

/** Put one argument of a good command past its limit, or just to it. */
void plant_bad_argument(struct generator *generator, struct command *command);

#endif
