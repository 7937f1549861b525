/* SPDX-License-Identifier: Apache-2.0 */
/* The first pass over a YAML text: is it one document of what yaml_read takes, within its limits?
 * It runs over the events of the parser, so that nothing is built of what will be refused. */
#ifndef HOB_CONFIG_YAML_GUARD_H
#define HOB_CONFIG_YAML_GUARD_H

#include "config/yaml_read.h"

/** Fails HOB_CONFIG, reported. */
HOB_CHECK enum hob_status yaml_guard(const struct yaml_read *read, struct slice bytes);

#endif
