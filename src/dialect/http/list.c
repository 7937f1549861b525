/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of many: jobs, queues, workers. Pages are bounded; each says where the next one
 * begins, in `next` and as a Link (RFC 8288). As application/x-ndjson a page is its rows alone, one
 * a line, and the Link says the rest. */
#include "base/assert.h"
#include "base/text.h"
#include "dialect/http/core.h"

enum {
    JOBS_DEFAULT = 100,
    NEXT_DEFAULT = 10,
    ROWS_MAX = 10000,
    LINK_BYTES_MAX = HTTP_TARGET_BYTES_MAX + 256
};

/* --- cursors --- */

/* "c1." and the id below which the next page begins; clients are told nothing of it, so that it can
 * become another thing. */
#define CURSOR_MARK "c1."

void http_put_cursor(struct buf *out, uint64_t before_id) {
    (void)buf_put_str(out, CURSOR_MARK);
    (void)buf_put_u64(out, before_id);
}

bool http_cursor_id(struct http_session *session, struct slice cursor, uint64_t *ret_before_id) {
    struct slice mark = SLICE(CURSOR_MARK);
    bool marked = cursor.size > mark.size && memcmp(cursor.bytes, mark.bytes, mark.size) == 0;
    struct slice rest =
        marked ? slice_of(cursor.bytes + mark.size, cursor.size - mark.size) : cursor;
    if (marked && text_u64(rest, 1, UINT64_MAX, ret_before_id)) return true;
    struct buf *complaint = &session->base.host->complaint;
    return complain(complaint, "cursor", cursor, "a cursor: send back what `next` said");
}

void http_put_next(struct json_put *put, uint64_t before_id) {
    if (before_id == 0) {
        json_put_null(put);
        return;
    }
    HOB_AUTO_BUF struct buf cursor = buf_make(CURSOR_BYTES_MAX);
    http_put_cursor(&cursor, before_id);
    json_put_text(put, buf_slice(&cursor));
}

/* --- pages --- */

static bool begins(struct slice text, struct slice with) {
    return text.size >= with.size && memcmp(text.bytes, with.bytes, with.size) == 0;
}

/* Characters that would end the target of a Link. */
static void put_escaped(struct buf *out, struct slice text) {
    for (size_t i = 0; i < text.size; i++) {
        char c = text.bytes[i];
        if (c == '<' || c == '>' || c == '"') {
            (void)buf_put_str(out, c == '<' ? "%3C" : c == '>' ? "%3E" : "%22");
        } else {
            (void)buf_put_char(out, c);
        }
    }
}

/* The target of this request with another place to begin at. */
static void put_link(
    struct buf *out, const struct http_request *request, const char *parameter, struct slice value
) {
    struct slice target = request->target;
    const char *mark = memchr(target.bytes, '?', target.size);
    size_t path = mark == NULL ? target.size : (size_t)(mark - target.bytes);
    (void)buf_put_char(out, '<');
    put_escaped(out, slice_of(target.bytes, path));
    char separator = '?';
    for (size_t at = path + 1; at < target.size;) {
        const char *end = memchr(target.bytes + at, '&', target.size - at);
        size_t size = end == NULL ? target.size - at : (size_t)(end - target.bytes) - at;
        struct slice part = slice_of(target.bytes + at, size);
        at += size + 1;
        bool places = begins(part, SLICE("cursor=")) || begins(part, SLICE("before=")) ||
                      begins(part, SLICE("from=")) || begins(part, SLICE("after="));
        if (size == 0 || places) continue;
        (void)buf_put_char(out, separator);
        put_escaped(out, part);
        separator = '&';
    }
    (void)buf_put_char(out, separator);
    (void)buf_put_str(out, parameter);
    (void)buf_put_char(out, '=');
    (void)buf_put_slice(out, value);
    (void)buf_put_str(out, ">; rel=\"next\"");
}

struct http_page
http_page_begin(struct http_session *session, const struct call *call, const char *name) {
    struct http_page page = {
        .request = call->request,
        .put = http_json(session),
        .is_lines = http_is_type(session, SLICE("application/x-ndjson")),
    };
    if (page.is_lines) return page;
    json_put_object(&page.put);
    json_put_key(&page.put, name);
    json_put_array(&page.put);
    return page;
}

void http_page_row_end(struct http_page *page) {
    if (!page->is_lines) return;
    (void)buf_put_char(page->put.out, '\n');
    page->put.comma = false;
}

/* @next: of @parameter, in text; empty at the end. */
void http_page_end(
    struct http_session *session, struct http_page *page, const char *parameter, struct slice next
) {
    if (!page->is_lines) {
        json_put_array_end(&page->put);
        json_put_key(&page->put, "next");
        if (next.size == 0) {
            json_put_null(&page->put);
        } else {
            json_put_text(&page->put, next);
        }
        json_put_object_end(&page->put);
        (void)buf_put_char(page->put.out, '\n');
    }
    http_reply_head(session, 200, page->is_lines ? "application/x-ndjson" : "application/json");
    if (next.size > 0) {
        HOB_AUTO_BUF struct buf link = buf_make(3 * LINK_BYTES_MAX);
        put_link(&link, page->request, parameter, next);
        (void)http_put_header(session->base.out, "Link", buf_slice(&link));
    }
    http_reply_body(session);
}

/* --- jobs --- */

bool http_take_list(
    struct http_session *session, const struct list_request *request, struct host_list *ret_list
) {
    *ret_list = (struct host_list){
        .queue = request->queue,
        .kind = request->kind,
        .states = request->states,
        .marks = request->marks,
        .before_id = request->before_id,
        .count_max = request->count,
    };
    if (request->cursor.size == 0) return true;
    return http_cursor_id(session, request->cursor, &ret_list->before_id);
}

void http_jobs(struct http_session *session, const struct call *call) {
    struct list_request request = {.count = JOBS_DEFAULT};
    struct host_list list;
    if (!http_query(session, call, &request) || !http_take_list(session, &request, &list)) {
        http_refuse(session);
        return;
    }
    uint64_t ids[LIST_IDS_MAX];
    uint32_t count = 0;
    uint64_t cursor = session_list(&session->base, &list, ids, &count);
    struct http_page page = http_page_begin(session, call, "jobs");
    for (uint32_t i = 0; i < count; i++) {
        struct job_view job;
        if (!session_job(&session->base, ids[i], &job)) continue;
        if (!http_put_job(session, &page.put, &job, JOB_SHORT)) return;
        http_page_row_end(&page);
    }
    HOB_AUTO_BUF struct buf next = buf_make(CURSOR_BYTES_MAX);
    if (cursor != 0) http_put_cursor(&next, cursor);
    http_page_end(session, &page, "cursor", buf_slice(&next));
}

/* --- jobs that are next --- */

struct next {
    uint32_t limit;
};

static const struct option next_options[] = {
    {NULL,
     "limit",
     OPTION_U32,
     offsetof(struct next, limit),
     OPTION_NO_HAS,
     1,
     NEXT_COUNT_MAX,
     NULL},
};
const struct option_set http_next_options = {next_options, hob_countof(next_options)};

void http_queue_next(struct http_session *session, const struct call *call) {
    struct host *host = session->base.host;
    struct next next = {.limit = NEXT_DEFAULT};
    if (!http_query(session, call, &next)) {
        http_refuse(session);
        return;
    }
    struct queue_view queue;
    struct answer refused = {.code = ANSWER_NO_QUEUE};
    bool is_seen = session_sees(&session->base, call->name);
    if (!is_seen) refused = session_denied_queue(&session->base);
    if (!is_seen || !host->ops->queue(host->context, call->name, &queue)) {
        http_answer_problem(session, &refused);
        return;
    }
    uint64_t ids[NEXT_COUNT_MAX];
    uint32_t count = host->ops->next(host->context, call->name, next.limit, ids);
    struct http_page page = http_page_begin(session, call, "jobs");
    for (uint32_t i = 0; i < count; i++) {
        struct job_view job;
        if (!session_job(&session->base, ids[i], &job)) continue;
        if (!http_put_job(session, &page.put, &job, JOB_SHORT)) return;
        http_page_row_end(&page);
    }
    http_page_end(session, &page, "", SLICE_NONE);
}

/* --- rows with numbers --- */

struct rows {
    uint32_t from;
    uint32_t limit;
};

static const struct option row_options[] = {
    {NULL, "from", OPTION_U32, offsetof(struct rows, from), OPTION_NO_HAS, 0, INT32_MAX, NULL},
    {NULL, "limit", OPTION_U32, offsetof(struct rows, limit), OPTION_NO_HAS, 1, ROWS_MAX, NULL},
};
const struct option_set http_rows_options = {row_options, hob_countof(row_options)};

/* The fields of the first row from number *at on that the caller may see; *at goes behind it. False
 * past the last. */
typedef bool row_next(struct http_session *session, uint32_t *at, struct fields *fields);

static bool queue_next(struct http_session *session, uint32_t *at, struct fields *fields) {
    struct queue_view queue;
    if (!session_queue_next(&session->base, at, &queue)) return false;
    fields_of_queue(fields, &queue);
    return true;
}

static bool worker_next(struct http_session *session, uint32_t *at, struct fields *fields) {
    struct host *host = session->base.host;
    struct worker_view worker;
    if (!host->ops->worker_at(host->context, *at, &worker)) return false;
    fields_of_worker(fields, &worker);
    *at += 1;
    return true;
}

static void reply_rows(
    struct http_session *session, const struct call *call, const char *name, row_next *next_row
) {
    struct rows rows = {.from = 0, .limit = ROWS_MAX};
    if (!http_query(session, call, &rows)) {
        http_refuse(session);
        return;
    }
    struct http_page page = http_page_begin(session, call, name);
    uint32_t at = rows.from;
    uint32_t next_at = 0; /* of a row that there is still, behind the page */
    for (uint32_t count = 0; count <= rows.limit; count++) {
        HOB_AUTO_FIELDS struct fields fields = fields_make();
        uint32_t this_at = at;
        if (!next_row(session, &at, &fields)) break;
        if (count == rows.limit) {
            next_at = this_at;
            break;
        }
        (void)http_put_fields(session, &page.put, &fields);
        http_page_row_end(&page);
    }
    HOB_AUTO_BUF struct buf next = buf_make(CURSOR_BYTES_MAX);
    if (next_at != 0) (void)buf_put_u64(&next, next_at);
    http_page_end(session, &page, "from", buf_slice(&next));
}

void http_queues(struct http_session *session, const struct call *call) {
    reply_rows(session, call, "queues", queue_next);
}

void http_workers(struct http_session *session, const struct call *call) {
    reply_rows(session, call, "workers", worker_next);
}
