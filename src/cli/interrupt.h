/* SPDX-License-Identifier: Apache-2.0 */
/* Ctrl-C for commands that want to say something before they end, and resizes of the terminal. A
 * second Ctrl-C ends the program at once. */
#ifndef HOB_CLI_INTERRUPT_H
#define HOB_CLI_INTERRUPT_H

#include <stdbool.h>

#include "base/time.h"

/** From here on Ctrl-C (and SIGTERM) is noted, and a pause ends early with it or with a resize. */
void interrupt_begin(void);

/** Was there a Ctrl-C since? */
bool interrupt_came(void);

/** Was the terminal resized since the last call? */
bool interrupt_resized(void);

/** Wait for @span, a Ctrl-C or a resize. */
void interrupt_pause(hob_ns span);

/** Wait until @fd has something to read or is at its end; false: a Ctrl-C came first. */
bool interrupt_await_input(int fd);

#endif
