/* SPDX-License-Identifier: Apache-2.0 */
/* signature = base64(HMAC-SHA256(key, ID "." SECONDS "." BODY)), behind "v1,". */
#include "worker/http_sign.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/assert.h"
#include "base/base64.h"

enum { HEAD_BYTES_MAX = 512 };

bool sign_key_parse(struct slice text, struct sign_key *ret_key) {
    const struct slice prefix = SLICE(SIGN_SECRET_PREFIX);
    if (text.size <= prefix.size || memcmp(text.bytes, prefix.bytes, prefix.size) != 0) {
        return false;
    }
    text = slice_of(text.bytes + prefix.size, text.size - prefix.size);
    HOB_AUTO_BUF struct buf bytes = buf_make(SIGN_KEY_BYTES_MAX);
    if (!base64_decode(text, &bytes) || bytes.size < SIGN_KEY_BYTES_MIN) return false;
    *ret_key = (struct sign_key){.size = bytes.size};
    memcpy(ret_key->bytes, bytes.bytes, bytes.size);
    OPENSSL_cleanse(bytes.bytes, bytes.size);
    return true;
}

void sign_key_put(struct buf *out, const struct sign_key *key) {
    (void)buf_put_str(out, SIGN_SECRET_PREFIX);
    (void)base64_put(out, slice_of(key->bytes, key->size));
}

void sign_put(
    struct buf *out,
    const struct sign_key *keys,
    size_t key_count,
    struct slice id,
    uint64_t unix_s,
    struct slice body
) {
    hob_assert(key_count > 0);
    HOB_AUTO_BUF struct buf text = buf_make(HEAD_BYTES_MAX + body.size);
    (void)buf_put_slice(&text, id);
    (void)buf_put_char(&text, '.');
    (void)buf_put_u64(&text, unix_s);
    (void)buf_put_char(&text, '.');
    (void)buf_put_slice(&text, body);
    hob_assert(!text.overflowed);
    for (size_t i = 0; i < key_count; i++) {
        uint8_t digest[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        const uint8_t *made = HMAC(
            EVP_sha256(),
            keys[i].bytes,
            (int)keys[i].size,
            (const uint8_t *)text.bytes,
            text.size,
            digest,
            &size
        );
        hob_assert(made != NULL);
        (void)buf_put_str(out, i == 0 ? "v1," : " v1,");
        (void)base64_put(out, slice_of(digest, size));
    }
}
