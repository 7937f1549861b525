/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/http_sign.h"

#include "base/test.h"

/* The example of the specification. */
#define SPEC_SECRET    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define SPEC_SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static const char *sign(const struct sign_key *keys, size_t count, struct buf *out) {
    sign_put(
        out,
        keys,
        count,
        SLICE("msg_p5jXN8AQM9LWM0D4loKWxJek"),
        1614265330,
        SLICE("{\"test\": 2432232314}")
    );
    (void)buf_put_char(out, '\0');
    return out->bytes;
}

TEST(the_example_of_the_specification_is_signed_as_it_says) {
    struct sign_key key;
    CHECK(sign_key_parse(SLICE(SPEC_SECRET), &key));
    HOB_AUTO_BUF struct buf out = buf_make(1000);
    CHECK_STR(sign(&key, 1, &out), SPEC_SIGNATURE);
}

TEST(two_secrets_give_two_signatures) {
    struct sign_key keys[2];
    CHECK(sign_key_parse(SLICE(SPEC_SECRET), &keys[0]));
    CHECK(sign_key_parse(SLICE("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), &keys[1]));
    HOB_AUTO_BUF struct buf out = buf_make(1000);
    const char *both = sign(keys, 2, &out);
    CHECK(strncmp(both, SPEC_SIGNATURE " v1,", strlen(SPEC_SIGNATURE " v1,")) == 0);
    CHECK_EQUAL(strlen(both), 2 * strlen(SPEC_SIGNATURE) + 1);
}

TEST(a_key_comes_back_as_it_was_written) {
    struct sign_key key;
    CHECK(sign_key_parse(SLICE(SPEC_SECRET), &key));
    HOB_AUTO_BUF struct buf out = buf_make(1000);
    sign_key_put(&out, &key);
    CHECK(slice_equal(buf_slice(&out), SLICE(SPEC_SECRET)));
}

TEST(what_is_no_secret_is_not_taken) {
    static const char *const no[] = {
        "",
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",  /* no base64 */
        "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", /* 22 bytes */
        "whsec_not base64 not base64 not base64",
        "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    };
    struct sign_key key;
    HOB_AUTO_BUF struct buf large = buf_make(200);
    (void)buf_put_str(&large, "whsec_");
    for (size_t i = 0; i < 88; i++) (void)buf_put_char(&large, 'A'); /* 66 bytes */
    CHECK(!sign_key_parse(buf_slice(&large), &key));
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        CHECK(!sign_key_parse(slice_str(no[i]), &key));
    }
}

TESTS(
    the_example_of_the_specification_is_signed_as_it_says,
    two_secrets_give_two_signatures,
    a_key_comes_back_as_it_was_written,
    what_is_no_secret_is_not_taken
)
