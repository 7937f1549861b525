/* SPDX-License-Identifier: Apache-2.0 */
/* The native dialect, HTTP part: doc/protocol/http.md. */
#ifndef HOB_DIALECT_HTTP_HTTP_H
#define HOB_DIALECT_HTTP_HTTP_H

#include "dialect/session.h"

extern const struct dialect dialect_http;

#endif
