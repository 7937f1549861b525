/* SPDX-License-Identifier: Apache-2.0 */
/* Reading replies with ease: by key, with a fallback for what is absent. The tree itself is that of
 * wire/resp_reply.h. */
#ifndef HOB_CLIENT_REPLY_H
#define HOB_CLIENT_REPLY_H

#include "base/status.h"
#include "wire/resp_reply.h"

/** Is there a value, and is it not null? */
static inline bool reply_is_set(const struct resp_node *node) {
    return node != NULL && node->type != RESP_NULL;
}

/** Is this an array, set, map or push? */
static inline bool reply_is_aggregate(const struct resp_node *node) {
    return node->type >= RESP_ARRAY;
}

/** The value of @key in a map; NULL when it is absent or null. */
const struct resp_node *reply_get(const struct resp_node *map, const char *key);

/** The text of @key in a map; empty when it is absent or no text. Numbers have theirs, too. */
struct slice reply_text(const struct resp_node *map, const char *key);

/** The number of @key in a map; @fallback when it is absent or no whole number. */
uint64_t reply_u64(const struct resp_node *map, const char *key, uint64_t fallback);

/** The item with this index of an array; NULL when there are fewer. */
const struct resp_node *reply_item(const struct resp_node *array, size_t index);

/**
 * The status that a reply stands for: HOB_OK, or for an error of the server what its first word
 * means (doc/protocol/resp.md), with its whole text.
 */
HOB_CHECK enum hob_status reply_status(const struct resp_node *reply, struct hob_error *err);

/** Does this reply carry the error word @word ("STALE")? */
bool reply_is_error(const struct resp_node *reply, const char *word);

#endif
