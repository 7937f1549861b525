/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers write at the door: globs of queues, and the names by which they call a server. The
 * input is cut at its first line end: pattern and text, or host. */
#include "base/glob.h"
#include "client/address.h"
#include "fuzz.h"
#include "server/names.h"

/* A glob fits what it says literally, and one with a star behind fits all that goes on like
 * that. */
static void check_globs(struct slice pattern, struct slice text) {
    bool fits = glob_fits(pattern, text);
    if (!glob_has_wildcard(pattern)) FUZZ_CHECK(fits == slice_equal(pattern, text));
    HOB_AUTO_BUF struct buf longer = buf_make(pattern.size + 1);
    (void)buf_put_slice(&longer, pattern);
    (void)buf_put_char(&longer, '*');
    if (fits) FUZZ_CHECK(glob_fits(buf_slice(&longer), text));
    FUZZ_CHECK(glob_fits(SLICE("*"), text));
}

/* A name with letters past "localhost" is never ours without a --host. */
static void check_host(struct slice host) {
    static const struct server_options options = {.host_count = 0};
    HOB_AUTO_BUF struct buf evil = buf_make(host.size + 16);
    (void)names_hold(&options, host);
    (void)buf_put_slice(&evil, host);
    (void)buf_put_str(&evil, ".evil.example");
    FUZZ_CHECK(!names_hold(&options, buf_slice(&evil)));
}

static void check_address(struct slice text) {
    struct address address;
    struct address again;
    if (!address_parse(text, &address) || address.tls) return;
    if (strcmp(address.host, "unix") == 0) return; /* with a port it reads as a socket's path */
    FUZZ_CHECK(address_parse(slice_str(address.text), &again));
    FUZZ_CHECK(strcmp(again.host, address.host) == 0);
    FUZZ_CHECK(again.is_pipe == address.is_pipe);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 4096) return 0;
    struct slice all = slice_of(data, size);
    const char *end = size == 0 ? NULL : memchr(all.bytes, '\n', all.size);
    size_t first = end == NULL ? all.size : (size_t)(end - all.bytes);
    size_t from = end == NULL ? all.size : first + 1;
    struct slice head = slice_of(all.bytes, first);
    check_globs(head, slice_of(all.bytes + from, all.size - from));
    check_host(head);
    check_address(head);
    return 0;
}
