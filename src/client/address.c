/* SPDX-License-Identifier: Apache-2.0 */
/* Splitting an address at its last colon. A bare IPv6 address has several; it is taken only in
 * brackets, so that no digits are mistaken for a port. */
#include "client/address.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Letters, digits and what host names and IP addresses consist of; no space, no '@', no path. */
static bool host_is_valid(struct slice host, bool bracketed) {
    if (host.size == 0 || host.size > ADDRESS_HOST_BYTES_MAX) return false;
    for (size_t i = 0; i < host.size; i++) {
        char c = host.bytes[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        bool mark = c == '.' || c == '-' || c == '_' || (bracketed && (c == ':' || c == '%'));
        if (!word && !mark) return false;
    }
    return true;
}

static struct slice slice_from(struct slice text, size_t from) {
    return slice_of(text.bytes + from, text.size - from);
}

bool address_parse(struct slice text, struct address *ret_address) {
    const struct slice scheme = SLICE("hob://");
    if (text.size >= scheme.size && memcmp(text.bytes, scheme.bytes, scheme.size) == 0) {
        text = slice_from(text, scheme.size);
    }
    struct slice host = text;
    struct slice rest = SLICE_NONE;
    bool bracketed = text.size > 0 && text.bytes[0] == '[';
    if (bracketed) {
        const char *end = memchr(text.bytes, ']', text.size);
        if (end == NULL) return false;
        host = slice_of(text.bytes + 1, (size_t)(end - text.bytes) - 1);
        rest = slice_from(text, host.size + 2);
    } else {
        const char *colon = text.size == 0 ? NULL : memchr(text.bytes, ':', text.size);
        if (colon != NULL) {
            host.size = (size_t)(colon - text.bytes);
            rest = slice_from(text, host.size);
        }
    }
    uint64_t port = ADDRESS_PORT_DEFAULT;
    if (rest.size > 0) {
        if (rest.bytes[0] != ':') return false;
        if (!text_u64(slice_from(rest, 1), 1, 65535, &port)) return false;
    }
    if (!host_is_valid(host, bracketed)) return false;
    struct address address = {0};
    memcpy(address.host, host.bytes, host.size);
    (void)snprintf(address.port, sizeof address.port, "%u", (unsigned)port);
    const char *format = bracketed ? "[%s]:%s" : "%s:%s";
    (void)snprintf(address.text, sizeof address.text, format, address.host, address.port);
    *ret_address = address;
    return true;
}
