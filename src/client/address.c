/* SPDX-License-Identifier: Apache-2.0 */
/* Splitting an address at its last colon. A bare IPv6 address has several; it is taken only in
 * brackets, so that no digits are mistaken for a port. */
#include "client/address.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { UNIX_PATH_BYTES_MAX = 107 };

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

static bool take_prefix(struct slice *text, struct slice prefix) {
    if (text->size < prefix.size || memcmp(text->bytes, prefix.bytes, prefix.size) != 0) {
        return false;
    }
    *text = slice_from(*text, prefix.size);
    return true;
}

/* "unix:/run/hob.sock"; the longest path that the system takes. */
static bool pipe_parse(struct slice path, struct address *ret_address) {
    struct address address = {.is_pipe = true};
    if (path.size == 0 || path.size > UNIX_PATH_BYTES_MAX) return false;
    if (memchr(path.bytes, '\0', path.size) != NULL) return false;
    memcpy(address.host, path.bytes, path.size);
    (void)snprintf(address.text, sizeof address.text, "unix:%s", address.host);
    *ret_address = address;
    return true;
}

bool address_parse(struct slice text, struct address *ret_address) {
    if (take_prefix(&text, SLICE("unix:"))) return pipe_parse(text, ret_address);
    bool tls = take_prefix(&text, SLICE("hobs://"));
    if (!tls) (void)take_prefix(&text, SLICE("hob://"));
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
    struct address address = {.tls = tls};
    memcpy(address.host, host.bytes, host.size);
    (void)snprintf(address.port, sizeof address.port, "%u", (unsigned)port);
    const char *format = bracketed ? "[%s]:%s" : "%s:%s";
    (void)snprintf(address.text, sizeof address.text, format, address.host, address.port);
    *ret_address = address;
    return true;
}
