/* SPDX-License-Identifier: Apache-2.0 */
/* What libcurl's parser takes and this one does not is refused by name. Numbers that stand for an
 * IPv4 address (0x7f.1, 2130706433, 0177.0.0.1) are made an address by libcurl; here they are
 * taken as that address. */
#include "worker/http_url.h"

#include <strings.h>

#include "base/assert.h"
#include "base/text.h"
#include "worker/why.h"

#define WHY(to, text) why_not(to, URL_WHY_BYTES_MAX, "%s", text)

static bool check_text(struct slice text, char *ret_why) {
    if (text.size == 0) return WHY(ret_why, "is empty");
    if (text.size > URL_BYTES_MAX) return WHY(ret_why, "is longer than 8 KiB");
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.bytes[i];
        if (c <= ' ' || c == 0x7f) return WHY(ret_why, "has a space or a control character in it");
        if (c >= 0x80) {
            return WHY(
                ret_why,
                "has a character in it that is not ASCII: write hosts as xn--… and the rest as %XX"
            );
        }
        if (c == '\\') return WHY(ret_why, "has a backslash in it");
    }
    /* libcurl takes one to three slashes. */
    const char *colon = memchr(text.bytes, ':', text.size);
    size_t rest = colon == NULL ? 0 : text.size - (size_t)(colon - text.bytes);
    if (rest < 4 || memcmp(colon, "://", 3) != 0 || colon[3] == '/') {
        return WHY(ret_why, "is not written as https://HOST/PATH");
    }
    return true;
}

/* The text of a part, which the caller frees with curl_free(); NULL: there is none. */
static char *part_of(CURLU *parts, CURLUPart part, unsigned flags) {
    char *text = NULL;
    return curl_url_get(parts, part, &text, flags) == CURLUE_OK ? text : NULL;
}

static bool scheme_read(struct http_url *url, char *ret_why) {
    char *scheme = part_of(url->parts, CURLUPART_SCHEME, 0);
    bool http = scheme != NULL && strcasecmp(scheme, "http") == 0;
    url->https = scheme != NULL && strcasecmp(scheme, "https") == 0;
    curl_free(scheme);
    return http || url->https || WHY(ret_why, "is neither https nor http");
}

static bool host_take(struct http_url *url, struct slice host, char *ret_why) {
    bool bracketed = host.size > 2 && host.bytes[0] == '[' && host.bytes[host.size - 1] == ']';
    if (bracketed) host = slice_of(host.bytes + 1, host.size - 2);
    if (host.size == 0 || host.size > GUARD_HOST_BYTES_MAX) {
        return WHY(ret_why, "has no host, or one that is too long");
    }
    for (size_t i = 0; i < host.size; i++) {
        char c = host.bytes[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c + ('a' - 'A'));
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        bool mark = c == '.' || c == '-' || c == '_' || (bracketed && c == ':');
        if (!word && !mark) return WHY(ret_why, "has a host that is no name and no address");
        url->host[i] = c;
    }
    url->host[host.size] = '\0';
    url->has_address = guard_address_parse(slice_str(url->host), &url->address);
    if (bracketed && !url->has_address) return WHY(ret_why, "has no address in its brackets");
    return true;
}

static bool host_read(struct http_url *url, char *ret_why) {
    char *zone = part_of(url->parts, CURLUPART_ZONEID, 0);
    curl_free(zone);
    if (zone != NULL) return WHY(ret_why, "has an IPv6 zone");
    char *host = part_of(url->parts, CURLUPART_HOST, 0);
    bool taken = host_take(url, slice_str(host), ret_why);
    curl_free(host);
    return taken;
}

static bool port_read(struct http_url *url, char *ret_why) {
    char *port = part_of(url->parts, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    uint64_t number = 0;
    bool read = port != NULL && text_u64(slice_str(port), 1, UINT16_MAX, &number);
    curl_free(port);
    url->port = (uint16_t)number;
    return read || WHY(ret_why, "has no valid port");
}

/* "." and "..", also with their dots as %2e. */
static bool is_dots(struct slice segment) {
    size_t dots = 0;
    for (size_t i = 0; i < segment.size; dots++) {
        if (segment.bytes[i] == '.') {
            i++;
        } else if (segment.size - i >= 3 && strncasecmp(segment.bytes + i, "%2e", 3) == 0) {
            i += 3;
        } else {
            return false;
        }
    }
    return dots == 1 || dots == 2;
}

static bool path_read(const struct http_url *url, char *ret_why) {
    char *path = part_of(url->parts, CURLUPART_PATH, 0);
    bool dots = false;
    for (const char *at = path; at != NULL && *at == '/';) {
        const char *end = strchrnul(at + 1, '/');
        if (is_dots(slice_of(at + 1, (size_t)(end - at) - 1))) dots = true;
        at = end;
    }
    curl_free(path);
    return !dots || WHY(ret_why, "has . or .. in its path, from a field of this job");
}

bool http_url_parse(
    struct slice text, bool made, struct http_url *ret_url, char ret_why[URL_WHY_BYTES_MAX]
) {
    if (!check_text(text, ret_why)) return false;
    HOB_AUTO_BUF struct buf copy = buf_make(URL_BYTES_MAX + 1);
    (void)buf_put_slice(&copy, text);
    (void)buf_put_char(&copy, '\0');
    struct http_url url = {.parts = curl_url()};
    hob_assert(url.parts != NULL);
    unsigned flags = CURLU_DISALLOW_USER | CURLU_PATH_AS_IS;
    CURLUcode code = curl_url_set(url.parts, CURLUPART_URL, copy.bytes, flags);
    bool taken = false;
    if (code == CURLUE_USER_NOT_ALLOWED) {
        (void)WHY(ret_why, "has a user name in it: send credentials as a header");
    } else if (code == CURLUE_UNSUPPORTED_SCHEME) {
        (void)WHY(ret_why, "is neither https nor http");
    } else if (code != CURLUE_OK) {
        (void)why_not(ret_why, URL_WHY_BYTES_MAX, "is none: %s", curl_url_strerror(code));
    } else {
        taken = scheme_read(&url, ret_why) && host_read(&url, ret_why) &&
                port_read(&url, ret_why) && (!made || path_read(&url, ret_why));
    }
    if (taken) {
        *ret_url = url;
    } else {
        http_url_deinit(&url);
    }
    return taken;
}

void http_url_put_shown(struct buf *out, const struct http_url *url) {
    bool v6 = strchr(url->host, ':') != NULL;
    char *path = part_of(url->parts, CURLUPART_PATH, 0);
    char *query = part_of(url->parts, CURLUPART_QUERY, 0);
    char *port = part_of(url->parts, CURLUPART_PORT, 0);
    (void)buf_printf(out, v6 ? "%s://[%s]" : "%s://%s", url->https ? "https" : "http", url->host);
    if (port != NULL) (void)buf_printf(out, ":%s", port);
    (void)buf_put_str(out, path == NULL ? "/" : path);
    if (query != NULL) (void)buf_put_str(out, "?…");
    curl_free(path);
    curl_free(query);
    curl_free(port);
}

void http_url_deinit(struct http_url *url) {
    curl_url_cleanup(url->parts);
    url->parts = NULL;
}
