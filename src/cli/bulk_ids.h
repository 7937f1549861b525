/* SPDX-License-Identifier: Apache-2.0 */
/* The ids of the jobs that a command is about. */
#ifndef HOB_CLI_BULK_IDS_H
#define HOB_CLI_BULK_IDS_H

#include "cli/cli.h"

enum { BULK_IDS_MAX = 10 * 1000 * 1000 };

struct bulk_ids {
    uint64_t *ids;
    size_t count;
    size_t capacity;
};

/** Give the memory back; twice is safe. */
void bulk_ids_deinit(struct bulk_ids *list);

/** Those of the arguments, of which `-` stands for all that are on stdin. False: told. */
bool bulk_ids_of_words(struct cli *cli, struct bulk_ids *ret_list);

/** At most @max that the filter of the command finds; @states when it names none. False: told. */
bool bulk_ids_of_filter(
    struct cli *cli, const char *states, uint64_t max, struct bulk_ids *ret_list
);

/** Was a filter given? */
bool bulk_is_filtered(const struct cli *cli);

#endif
