/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, and the comparing of secrets. */
#ifndef HOB_OS_DIGEST_H
#define HOB_OS_DIGEST_H

#include <stdbool.h>

#include "base/slice.h"

enum { SHA256_BYTES = 32 };

/** The SHA-256 of @bytes. */
void digest_sha256(struct slice bytes, char ret_hash[SHA256_BYTES]);

/** Are they the same? Takes as long whatever they hold. */
bool digest_equal(const char a[SHA256_BYTES], const char b[SHA256_BYTES]);

#endif
