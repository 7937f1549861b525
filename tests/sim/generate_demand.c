/* SPDX-License-Identifier: Apache-2.0 */
/* What jobs ask of a worker, and what workers have: few labels and small costs, so that they
 * meet. */
#include <string.h>

#include "base/assert.h"
#include "tests/sim/generate.h"

struct slice generate_labels(struct generator *generator) {
    static const char *const lists[][3] = {
        {"", "gpu", "gpu"},
        {"", "gpu", "eu"},
        {"gpu", "eu", "gpu,eu"},
        {"eu", "eu,gpu", "big,gpu,eu"},
    };
    uint64_t known = generator->swarm.label_count;
    hob_assert(known < hob_countof(lists));
    uint64_t row = dice_below(&generator->dice, known + 1);
    return slice_str(lists[row][dice_below(&generator->dice, 3)]);
}

void generate_demand(struct generator *generator, struct push_command *push) {
    struct dice *dice = &generator->dice;
    if (generator->swarm.label_count == 0) return;
    if (dice_once_in(dice, 3)) push->needs = generate_labels(generator);
    if (dice_once_in(dice, 3)) push->cost = (uint32_t)dice_between(dice, 1, 6);
}
