/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL does it; here is the one place that says so. */
#include "os/digest.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

void digest_sha256(struct slice bytes, char ret_hash[SHA256_BYTES]) {
    (void)SHA256((const unsigned char *)bytes.bytes, bytes.size, (unsigned char *)ret_hash);
}

bool digest_equal(const char a[SHA256_BYTES], const char b[SHA256_BYTES]) {
    return CRYPTO_memcmp(a, b, SHA256_BYTES) == 0;
}
