/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of webhooks by Standard Webhooks 1.0 (standardwebhooks.com): the receiver computes the
 * same HMAC-SHA256 over id, time and body with the secret that both know. While a secret is being
 * replaced a request carries a signature by each, so that the receiver can change in its own
 * time. */
#ifndef HOB_WORKER_HTTP_SIGN_H
#define HOB_WORKER_HTTP_SIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum { SIGN_KEY_BYTES_MIN = 24, SIGN_KEY_BYTES_MAX = 64, SIGN_SECRETS_MAX = 4 };

#define SIGN_SECRET_PREFIX "whsec_"

struct sign_key {
    uint8_t bytes[SIGN_KEY_BYTES_MAX];
    size_t size;
};

/** Read a secret: "whsec_" and the base64 of 24 to 64 bytes. False: it is none. */
bool sign_key_parse(struct slice text, struct sign_key *ret_key);

/** Append the text of a key, as sign_key_parse() reads it. */
void sign_key_put(struct buf *out, const struct sign_key *key);

/** Append the value of the header webhook-signature: "v1,…" for each key, with a space between. */
void sign_put(
    struct buf *out,
    const struct sign_key *keys,
    size_t key_count,
    struct slice id,
    uint64_t unix_s,
    struct slice body
);

#endif
