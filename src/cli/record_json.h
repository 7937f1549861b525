/* SPDX-License-Identifier: Apache-2.0 */
/* Records of a journal as JSON, for `hob journal dump`. */
#ifndef HOB_CLI_RECORD_JSON_H
#define HOB_CLI_RECORD_JSON_H

#include "base/json_put.h"
#include "engine/effect.h"

/**
 * The members of a record: `record` (its type), `id` (of the job), and what it says. Open object.
 */
void record_put(struct json_put *put, const struct effect *effect);

#endif
