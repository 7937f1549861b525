/* SPDX-License-Identifier: Apache-2.0 */
/* Members of JSON objects as options. All answer false with the host's complaint when something is
 * not valid. Decoded strings lie in the host's scratch room: who calls this has reserved twice the
 * size of the document in it, so that nothing moves. */
#ifndef HOB_DIALECT_MEMBERS_H
#define HOB_DIALECT_MEMBERS_H

#include "base/json.h"
#include "dialect/host.h"
#include "dialect/option.h"

/** A member goes where @set says. `null` counts as absent. */
bool member_put(
    struct host *host,
    struct option_set set,
    struct slice key,
    struct json_value value,
    void *target
);

/** A member NAME (JSON, byte for byte), NAME_text or NAME_base64. True: it was one of them, and
 * *ret_good says whether it is valid. */
bool member_bytes(
    struct host *host,
    const char *name,
    struct slice key,
    struct json_value value,
    struct slice *ret_bytes,
    bool *ret_good
);

#endif
