/* SPDX-License-Identifier: Apache-2.0 */
/* Where a server is, as people write it: "HOST", "HOST:PORT", "[IPv6]:PORT", each also behind
 * "hob://". Without a port it is the native one. Names are looked up when a connection is made. */
#ifndef HOB_CLIENT_ADDRESS_H
#define HOB_CLIENT_ADDRESS_H

#include <stdbool.h>

#include "base/slice.h"

enum { ADDRESS_HOST_BYTES_MAX = 255, ADDRESS_PORT_DEFAULT = 4620 };

#define ADDRESS_DEFAULT "127.0.0.1:4620"

struct address {
    char host[ADDRESS_HOST_BYTES_MAX + 1];
    char port[6];                           /* digits, as getaddrinfo takes them */
    char text[ADDRESS_HOST_BYTES_MAX + 10]; /* "host:port", for messages */
};

/** False: @text is no address; @ret_address is untouched. */
bool address_parse(struct slice text, struct address *ret_address);

#endif
