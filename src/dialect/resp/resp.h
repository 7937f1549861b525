/* SPDX-License-Identifier: Apache-2.0 */
/* The native dialect, RESP part: doc/protocol/resp.md. */
#ifndef HOB_DIALECT_RESP_RESP_H
#define HOB_DIALECT_RESP_RESP_H

#include "dialect/session.h"

extern const struct dialect dialect_resp;

#endif
