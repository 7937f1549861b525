/* SPDX-License-Identifier: Apache-2.0 */
/* What this server is called. A page from elsewhere can have its own name point to this machine
 * (DNS rebinding), and then a browser sends requests here with that name in Host; so a name must be
 * known. IP addresses always are: they cannot be rebound. */
#ifndef HOB_SERVER_NAMES_H
#define HOB_SERVER_NAMES_H

#include <stdbool.h>

#include "base/slice.h"
#include "server/server.h"

/**
 * Is @host ("NAME", "NAME:PORT") an IP address, localhost or below it, the host of an address that
 * is listened on, or one of options->hosts ("*": any)?
 */
bool names_hold(const struct server_options *options, struct slice host);

#endif
