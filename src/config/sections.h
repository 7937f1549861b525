/* SPDX-License-Identifier: Apache-2.0 */
/* The file as a whole: the sections that hold settings, and the parts that hold named things. */
#ifndef HOB_CONFIG_SECTIONS_H
#define HOB_CONFIG_SECTIONS_H

#include "config/config.h"

/** Read all of the document into @config. */
HOB_CHECK enum hob_status sections_read(struct yaml_read *read, struct config *config);

/* The parts: top keys that are no sections of settings. */
struct config_part {
    const char *name;
    enum hob_status (*read)(struct yaml_read *read, yaml_node_t *node, void *config);
    const char *value;
    const char *help;
};

extern const struct config_part config_parts[];
extern const size_t config_part_count;

#endif
