/* SPDX-License-Identifier: Apache-2.0 */
/* A cut body is an end that the response itself wanted: libcurl calls it a failed write. */
#include "worker/http_end.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/text.h"

static void
end_fail(struct outcome *outcome, const char *what, bool permanent, const struct buf *text) {
    *outcome = (struct outcome
    ){.verdict = OUTCOME_FAIL, .cause = "failed", .what = what, .permanent = permanent};
    struct slice shown = buf_slice(text);
    if (shown.size > sizeof outcome->text - 1) shown.size = sizeof outcome->text - 1;
    if (shown.size > 0) memcpy(outcome->text, shown.bytes, shown.size);
    outcome->text[shown.size] = '\0';
}

static const char *error_text(const struct http_end *end) {
    bool said = end->error != NULL && end->error[0] != '\0';
    return said ? end->error : curl_easy_strerror(end->code);
}

static void status_put(const struct http_end *end, struct buf *text) {
    const struct http_response *response = end->response;
    (void)buf_printf(text, "%ld", response->status);
    if (response->reason[0] != '\0') (void)buf_printf(text, " %s", response->reason);
}

static void judge_status(const struct http_end *end, bool permanent, struct outcome *outcome) {
    HOB_AUTO_BUF struct buf text = buf_make(4096);
    status_put(end, &text);
    (void)buf_put_str(&text, " from ");
    http_url_put_shown(&text, end->url);
    if (end->response->body.size > 0) {
        (void)buf_put_str(&text, "\n");
        response_put_excerpt(end->response, &text, HTTP_EXCERPT_BYTES);
    }
    end_fail(outcome, HTTP_WHAT_STATUS, permanent, &text);
    outcome->code = (int)end->response->status;
    struct slice after;
    if (!permanent && response_header(end->response, "retry-after", &after)) {
        outcome->has_retry_in = retry_after_parse(after, end->now_ns, &outcome->retry_in_ns);
    }
}

/* libcurl gave up before there was a whole response. */
static void judge_broken(const struct http_end *end, struct outcome *outcome) {
    HOB_AUTO_BUF struct buf text = buf_make(4096);
    const struct http_response *response = end->response;
    bool headers = response->header_bytes > RESPONSE_HEADER_BYTES_MAX ||
                   response->header_count > RESPONSE_HEADERS_MAX;
    bool begun = response->status != 0;
    if (headers) {
        (void)buf_put_str(&text, "more headers than 64 KiB or 200 from ");
    } else if (begun) {
        (void)buf_put_str(&text, "the response broke off (");
        status_put(end, &text);
        (void)buf_printf(&text, ", then: %s), from ", error_text(end));
    } else {
        (void)buf_printf(&text, "%s: ", error_text(end));
    }
    http_url_put_shown(&text, end->url);
    /* Not yet connected is the one thing that is known to have done nothing there. */
    curl_off_t connected_us = 0;
    (void)curl_easy_getinfo(end->easy, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
    bool broken = headers || begun || connected_us > 0;
    end_fail(outcome, broken ? HTTP_WHAT_BROKEN : HTTP_WHAT_CONNECT, false, &text);
    if (end->code == CURLE_OPERATION_TIMEDOUT) outcome->cause = "timeout";
}

enum host_end
http_end_judge(const struct http_end *end, struct outcome *ret_outcome, struct buf *result) {
    const struct http_response *response = end->response;
    *ret_outcome = (struct outcome){0};
    if (end->refusal != NULL) {
        HOB_AUTO_BUF struct buf text = buf_make(4096);
        http_end_put_refusal(&text, end->url, NULL, end->refusal, end->permit);
        end_fail(ret_outcome, HTTP_WHAT_REFUSED, true, &text);
        return HOST_UNKNOWN;
    }
    bool whole = end->code == CURLE_OK || (end->code == CURLE_WRITE_ERROR && response->body_cut);
    enum http_verdict verdict = http_rules_judge(end->rules, response->status);
    if (response->status == 0 || (!whole && verdict == HTTP_SUCCESS) ||
        (!whole && end->code == CURLE_WRITE_ERROR)) {
        judge_broken(end, ret_outcome);
        return HOST_BADLY;
    }
    if (verdict == HTTP_SUCCESS) {
        ret_outcome->verdict = OUTCOME_ACK;
        response_put(response, result);
        ret_outcome->result = buf_slice(result);
    } else {
        judge_status(end, verdict == HTTP_PERMANENT, ret_outcome);
    }
    return response->status >= 500 ? HOST_BADLY : HOST_WELL;
}

void http_end_timeout(
    const struct http_end *end, hob_ns timeout_ns, bool in_lookup, struct outcome *ret_outcome
) {
    HOB_AUTO_BUF struct buf text = buf_make(4096);
    (void)buf_put_str(&text, "it took longer than ");
    (void)text_put_duration(&text, timeout_ns);
    if (in_lookup) {
        (void)buf_printf(&text, " to look up the host %s", end->url->host);
    } else if (end->response->status != 0) {
        (void)buf_put_str(&text, ", with the response begun (");
        status_put(end, &text);
        (void)buf_printf(&text, ", %zu bytes of body): ", end->response->body.size);
    } else {
        (void)buf_put_str(&text, " and no response came: ");
    }
    if (!in_lookup) http_url_put_shown(&text, end->url);
    end_fail(ret_outcome, HTTP_WHAT_TIMEOUT, false, &text);
    ret_outcome->cause = "timeout";
}

static uint64_t ms_at(const struct http_end *end, CURLINFO info) {
    curl_off_t us = 0;
    (void)curl_easy_getinfo(end->easy, info, &us);
    return (uint64_t)us / 1000;
}

void http_end_put_line(const struct http_end *end, struct buf *line) {
    const struct http_response *response = end->response;
    char *ip = NULL;
    long port = 0;
    long connects = 0;
    (void)curl_easy_getinfo(end->easy, CURLINFO_PRIMARY_IP, &ip);
    (void)curl_easy_getinfo(end->easy, CURLINFO_PRIMARY_PORT, &port);
    (void)curl_easy_getinfo(end->easy, CURLINFO_NUM_CONNECTS, &connects);
    if (end->refusal != NULL) {
        http_end_put_refusal(line, end->url, NULL, end->refusal, end->permit);
    } else if (response->status != 0) {
        status_put(end, line);
        (void)buf_printf(
            line, ", %zu bytes%s", response->body.size, response->body_cut ? " and more" : ""
        );
    }
    bool cut = end->code == CURLE_WRITE_ERROR && response->body_cut;
    if (end->code != CURLE_OK && !cut && end->refusal == NULL) {
        (void)buf_printf(line, response->status == 0 ? "%s" : ", then: %s", error_text(end));
    }
    if (ip != NULL && ip[0] != '\0') {
        (void)buf_printf(line, strchr(ip, ':') == NULL ? "; %s:%ld" : "; [%s]:%ld", ip, port);
    }
    (void)buf_printf(line, "; in ms: name %llu,", (unsigned long long)(end->found_ns / NS_PER_MS));
    if (connects == 0 && response->status != 0) {
        (void)buf_put_str(line, " connection kept,");
    } else {
        (void)buf_printf(
            line,
            " connect %llu, TLS %llu,",
            (unsigned long long)ms_at(end, CURLINFO_CONNECT_TIME_T),
            (unsigned long long)ms_at(end, CURLINFO_APPCONNECT_TIME_T)
        );
    }
    (void)buf_printf(
        line,
        " first byte %llu, total %llu",
        (unsigned long long)ms_at(end, CURLINFO_STARTTRANSFER_TIME_T),
        (unsigned long long)ms_at(end, CURLINFO_TOTAL_TIME_T)
    );
}

void http_end_put_refusal(
    struct buf *line,
    const struct http_url *url,
    const struct guard_address *address,
    const char *refusal,
    const char *permit
) {
    (void)buf_put_str(line, "not sent: the target ");
    http_url_put_shown(line, url);
    if (address != NULL) {
        char text[GUARD_TEXT_BYTES_MAX];
        const char *kind = guard_address_kind(address);
        guard_address_put(address, text);
        (void
        )buf_printf(line, " (%s%s%s)", text, kind == NULL ? "" : ", ", kind == NULL ? "" : kind);
    }
    (void)buf_printf(line, " %s; %s could permit it", refusal, permit);
}
