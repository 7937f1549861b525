/* SPDX-License-Identifier: Apache-2.0 */
/* A unique key made of what a payload says. Whoever pushes "one at a time for each user" names the
 * members, and need not put a key together by himself.
 *
 * The key is a hash of 128 bits, in hex, of the kind and of the values of these members: equal
 * whatever the order of members, the space between them and the escapes in strings; numbers are
 * equal when they are written alike. A member that is not there counts as null. */
#ifndef HOB_DIALECT_UNIQUEBY_H
#define HOB_DIALECT_UNIQUEBY_H

#include "dialect/host.h"
#include "dialect/option.h"

/**
 * Make of request->push what unique_by, throttle, merge and debounce ask for; the key that is made
 * lies in the request. False, with host->complaint: there is a unique key too, the payload is no
 * JSON object, or has none of the members, which is a slip that would make one key of all; or a
 * throttle, merge or debounce has no key, or another scope beside it.
 */
bool unique_take(struct host *host, struct push_request *request);

#endif
