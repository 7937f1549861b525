/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of links inside the things that it lists: adding and removing without memory, in any
 * order. A link that is in no list points at itself. */
#ifndef HOB_NET_LIST_H
#define HOB_NET_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct link {
    struct link *next;
    struct link *previous;
};

static inline void link_init(struct link *link) {
    link->next = link;
    link->previous = link;
}

static inline bool link_is_listed(const struct link *link) {
    return link->next != link;
}

/** Take @link out of the list that it is in, if any. */
static inline void link_remove(struct link *link) {
    link->next->previous = link->previous;
    link->previous->next = link->next;
    link_init(link);
}

/** Put @link, which is in no list, at the end of @list. */
static inline void list_append(struct link *list, struct link *link) {
    link->previous = list->previous;
    link->next = list;
    list->previous->next = link;
    list->previous = link;
}

/** Move all of @from, in order, to the empty list @to. */
static inline void list_move(struct link *to, struct link *from) {
    link_init(to);
    if (!link_is_listed(from)) return;
    *to = *from;
    to->next->previous = to;
    to->previous->next = to;
    link_init(from);
}

/* The thing of type @type whose member @member is @link. */
#define LINKED(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

#endif
