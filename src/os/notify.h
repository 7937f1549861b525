/* SPDX-License-Identifier: Apache-2.0 */
/* What the service manager is told: sd_notify(3), Type=notify-reload. Where NOTIFY_SOCKET is not
 * set nobody listens, and all of this does nothing. */
#ifndef HOB_OS_NOTIFY_H
#define HOB_OS_NOTIFY_H

#include "base/time.h"

/** It serves; after a reload: it serves as it is configured now. @text is shown by systemctl. */
void notify_ready(const char *text);

/** A reload begins. @monotonic_ns  now, by the monotonic clock */
void notify_reloading(hob_ns monotonic_ns);

/** It ends, as it was asked to. */
void notify_stopping(void);

#endif
