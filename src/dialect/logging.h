/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a log on their way to the engine. A client may send more in one request than one command
 * holds; they are cut into commands at the ends of lines. */
#ifndef HOB_DIALECT_LOGGING_H
#define HOB_DIALECT_LOGGING_H

#include "dialect/session.h"
#include "engine/logline.h"

struct logging {
    struct session *session;
    struct lease_ref lease;
    struct answer answer; /* the first that is not OK, or the last */
};

/** Begin; uses the host's `reply` room until logging_end. */
struct logging logging_begin(struct session *session, struct lease_ref lease);

/** Add a line; its time is now when it has none. False: it was not taken, `answer` says why. */
bool logging_add(struct logging *logging, const struct log_line *line);

/** Apply what is left; the answer is in `answer`. */
void logging_end(struct logging *logging);

#endif
