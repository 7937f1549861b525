/* SPDX-License-Identifier: Apache-2.0 */
/* getrandom(2), which blocks only until the system has been seeded once after boot. */
#include "os/entropy.h"

#include <errno.h>
#include <sys/random.h>

#include "base/assert.h"

void entropy_fill(void *bytes, size_t size) {
    char *at = bytes;
    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) hob_panic(__FILE__, __LINE__, "the system gives no random bytes");
        at += got;
        size -= (size_t)got;
    }
}

uint64_t entropy_u64(void) {
    uint64_t value = 0;
    while (value == 0) entropy_fill(&value, sizeof value);
    return value;
}
