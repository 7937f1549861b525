/* SPDX-License-Identifier: Apache-2.0 */
/* A URL as a request needs it, read by libcurl's own parser, so that what is checked here is what
 * is connected to there: both work on the same parsed form. */
#ifndef HOB_WORKER_HTTP_URL_H
#define HOB_WORKER_HTTP_URL_H

#include <curl/curl.h>

#include "base/buf.h"
#include "worker/http_guard.h"

enum { URL_BYTES_MAX = 8 * 1024, URL_WHY_BYTES_MAX = 160 };

struct http_url {
    CURLU *parts;
    bool https;
    bool has_address; /* the host is an address, not a name */
    struct guard_address address;
    uint16_t port;
    char host[GUARD_HOST_BYTES_MAX + 1]; /* lower case, no brackets; an address as it is printed */
};

/**
 * Read an absolute http or https URL. Refused are what other programs may read in another way (user
 * names, zones, names that are not ASCII, control characters, spaces) and, with @made, which says
 * that fields were filled into it, the path segments "." and "..".
 *
 * @ret_url  to be given to http_url_deinit() if it is true
 * @ret_why  if it is false: the end of a sentence that begins with "the URL "
 */
bool http_url_parse(
    struct slice text, bool made, struct http_url *ret_url, char ret_why[URL_WHY_BYTES_MAX]
);

/** For the log: the URL without what stands behind `?`, which may be secret. */
void http_url_put_shown(struct buf *out, const struct http_url *url);

/** Free the parsed form. */
void http_url_deinit(struct http_url *url);

#endif
