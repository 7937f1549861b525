/* SPDX-License-Identifier: Apache-2.0 */
/* Dates are left to libcurl, which reads all three forms that HTTP has. */
#include "worker/http_rules.h"

#include <curl/curl.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"

enum { STATUS_MIN = 100, STATUS_MAX = 599, DATE_BYTES_MAX = 64 };

static void set_one(struct status_set *set, uint64_t status) {
    uint64_t at = status - STATUS_MIN;
    set->words[at / 64] |= UINT64_C(1) << at % 64;
}

bool status_set_add(struct status_set *set, struct slice text) {
    uint64_t from = 0;
    uint64_t to = 0;
    const char *dash = text.size == 0 ? NULL : memchr(text.bytes, '-', text.size);
    size_t head = dash == NULL ? text.size : (size_t)(dash - text.bytes);
    if (!text_u64(slice_of(text.bytes, head), STATUS_MIN, STATUS_MAX, &from)) return false;
    to = from;
    if (dash != NULL) {
        struct slice rest = slice_of(dash + 1, text.size - head - 1);
        if (!text_u64(rest, from, STATUS_MAX, &to)) return false;
    }
    for (uint64_t status = from; status <= to; status++) set_one(set, status);
    return true;
}

bool status_set_has(const struct status_set *set, long status) {
    if (status < STATUS_MIN || status > STATUS_MAX) return false;
    uint64_t at = (uint64_t)(status - STATUS_MIN);
    return (set->words[at / 64] >> at % 64 & 1) != 0;
}

static void set_add_all(struct status_set *set, const char *const *texts, size_t count) {
    for (size_t i = 0; i < count; i++) {
        bool added = status_set_add(set, slice_str(texts[i]));
        hob_assert(added);
    }
}

struct http_rules http_rules_default(void) {
    static const char *const success[] = {"200-299"};
    static const char *const retry[] = {"408", "425", "429", "500-599"};
    struct http_rules rules = {0};
    set_add_all(&rules.success, success, hob_countof(success));
    set_add_all(&rules.retry, retry, hob_countof(retry));
    return rules;
}

enum http_verdict http_rules_judge(const struct http_rules *rules, long status) {
    if (status_set_has(&rules->success, status)) return HTTP_SUCCESS;
    return status_set_has(&rules->retry, status) ? HTTP_RETRY : HTTP_PERMANENT;
}

bool retry_after_parse(struct slice value, hob_ns now_ns, hob_ns *ret_wait) {
    hob_ns wait_ns = 0;
    uint64_t seconds = 0;
    bool digits = value.size > 0;
    for (size_t i = 0; i < value.size; i++) {
        digits = digits && value.bytes[i] >= '0' && value.bytes[i] <= '9';
    }
    if (digits) {
        while (value.size > 1 && value.bytes[0] == '0') {
            value = slice_of(value.bytes + 1, value.size - 1);
        }
        if (!text_u64(value, 0, RETRY_AFTER_MAX_NS / NS_PER_SECOND, &seconds)) {
            seconds = RETRY_AFTER_MAX_NS / NS_PER_SECOND; /* however long it is */
        }
        wait_ns = seconds * NS_PER_SECOND;
    } else {
        char text[DATE_BYTES_MAX];
        if (value.size == 0 || value.size >= sizeof text) return false;
        memcpy(text, value.bytes, value.size);
        text[value.size] = '\0';
        time_t at = curl_getdate(text, NULL);
        if (at < 0) return false;
        uint64_t now_s = now_ns / NS_PER_SECOND;
        seconds = (uint64_t)at > now_s ? (uint64_t)at - now_s : 0;
        bool far = seconds > RETRY_AFTER_MAX_NS / NS_PER_SECOND;
        wait_ns = far ? RETRY_AFTER_MAX_NS : seconds * NS_PER_SECOND;
    }
    *ret_wait = wait_ns;
    return true;
}
