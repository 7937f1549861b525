/* SPDX-License-Identifier: Apache-2.0 */
/* What `hob serve` and `hob config check` share. */
#ifndef HOB_CLI_SERVE_H
#define HOB_CLI_SERVE_H

#include "config/config.h"
#include "server/server.h"

/** The options of a server with this configuration; what they point to is borrowed of it. */
struct server_options cli_server_options_of(const struct config *config);

#endif
