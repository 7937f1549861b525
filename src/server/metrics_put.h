/* SPDX-License-Identifier: Apache-2.0 */
/* The text of /metrics (Prometheus exposition format 0.0.4). */
#ifndef HOB_SERVER_METRICS_PUT_H
#define HOB_SERVER_METRICS_PUT_H

#include "server/private.h"

/**
 * Append all metrics of @server. Walks the queues and workers that there are room for, at most
 * 1,000 and 10,000, and no jobs.
 */
void metrics_put(struct server *server, struct buf *out);

#endif
