/* SPDX-License-Identifier: Apache-2.0 */
/* What the status of a response means for its job, and when a server wants to be asked again. */
#ifndef HOB_WORKER_HTTP_RULES_H
#define HOB_WORKER_HTTP_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/time.h"

/* Statuses 100 to 599, a bit each. */
struct status_set {
    uint64_t words[10];
};

/** Add "404" or "200-299" to the set. False: no status. */
bool status_set_add(struct status_set *set, struct slice text);
bool status_set_has(const struct status_set *set, long status);

enum http_verdict {
    HTTP_SUCCESS,
    HTTP_RETRY,
    HTTP_PERMANENT,
};

struct http_rules {
    struct status_set success;
    struct status_set retry;
};

/** 2xx is success; 408, 425, 429 and 5xx are tried again; all else will not get better. */
struct http_rules http_rules_default(void);

/** What @status means; success goes before retry. */
enum http_verdict http_rules_judge(const struct http_rules *rules, long status);

#define RETRY_AFTER_MAX_NS NS_PER_DAY

/**
 * Read the value of a Retry-After header: seconds, or a date of RFC 9110 section 5.6.7.
 *
 * @ret_wait  from @now_ns; at most RETRY_AFTER_MAX_NS; a date that is over is 0
 */
bool retry_after_parse(struct slice value, hob_ns now_ns, hob_ns *ret_wait);

#endif
