/* SPDX-License-Identifier: Apache-2.0 */
/* A cursor is "JOB" (go on with the jobs below it) or "JOB.SEQ" (inside this job, with lines below
 * that number). A chunk of a log is read forwards and told backwards: only the last lines that fit
 * into the page are remembered while it is read. */
#include "dialect/search.h"

#include "base/assert.h"
#include "base/text.h"
#include "dialect/complain.h"
#include "dialect/loglines.h"

enum { IDS_AT_ONCE = 200 };

static const char *const place_words[] = {
    [FOUND_LOG] = "log", [FOUND_ERROR] = "error", [FOUND_BACKTRACE] = "backtrace"};
_Static_assert(hob_countof(place_words) == FOUND_PLACE_COUNT, "each place has a word");

struct search {
    struct session *session;
    const struct search_request *request;
    search_found *on_found;
    void *context;
    struct search_page *page;
    uint64_t until_ns;
    /* Of the lines of a chunk that match the last ones: where they are in it. */
    struct {
        uint32_t offset;
        uint32_t line;
    } matches[SEARCH_FOUND_MAX];
};

const char *found_place_word(enum found_place place) {
    hob_assert(place < FOUND_PLACE_COUNT);
    return place_words[place];
}

static char lower(char c) {
    if (c >= 'A' && c <= 'Z') return (char)(c + ('a' - 'A'));
    return c;
}

/* Knuth, Morris and Pratt: linear whatever stands in text and part, since both come from strangers
 * and the loop waits. borders[n]: how many of the first n bytes of the part, at their end, are its
 * beginning again. */
bool search_holds(struct slice text, struct slice part) {
    hob_assert(part.size <= SEARCH_TEXT_BYTES_MAX);
    if (part.size == 0) return true;
    if (part.size > text.size) return false;
    uint8_t borders[SEARCH_TEXT_BYTES_MAX + 1] = {0};
    _Static_assert(SEARCH_TEXT_BYTES_MAX <= UINT8_MAX, "a border is a byte");
    char lowered[SEARCH_TEXT_BYTES_MAX];
    for (size_t i = 0; i < part.size; i++) lowered[i] = lower(part.bytes[i]);
    uint8_t held = 0;
    for (size_t i = 1; i < part.size; i++) {
        while (held > 0 && lowered[i] != lowered[held]) held = borders[held];
        if (lowered[i] == lowered[held]) held++;
        borders[i + 1] = held;
    }
    held = 0;
    for (size_t at = 0; at < text.size; at++) {
        char c = lower(text.bytes[at]);
        while (held > 0 && c != lowered[held]) held = borders[held];
        if (c == lowered[held]) held++;
        if (held == part.size) return true;
    }
    return false;
}

static bool is_over(const struct search *search) {
    const struct search_page *page = search->page;
    return page->found >= search->request->count || page->bytes >= SEARCH_BYTES_MAX ||
           page->jobs >= SEARCH_JOBS_MAX;
}

static bool is_in_time(const struct search *search, hob_ns at_ns) {
    return at_ns >= search->request->since_ns && at_ns <= search->until_ns;
}

static void tell(struct search *search, const struct found *found) {
    search->page->found++;
    search->on_found(search->context, found);
}

static void set_cursor(struct search *search, uint64_t job, uint64_t seq) {
    struct buf *cursor = &search->page->cursor;
    buf_reset(cursor);
    (void)buf_put_u64(cursor, job);
    if (seq == 0) return;
    (void)buf_put_char(cursor, '.');
    (void)buf_put_u64(cursor, seq);
}

/* --- errors --- */

/* The lines of a backtrace that hold the text; told as one, since they belong together. */
static void
search_backtrace(struct search *search, const struct job_view *job, const struct job_error *error) {
    struct host *host = search->session->host;
    struct hob_error err = {0};
    buf_reset(&host->scratch);
    search->page->bytes += error->backtrace.size;
    enum hob_status status =
        host->ops->body(host->context, error->backtrace.id, &host->scratch, &err);
    if (status != HOB_OK) return; /* a body that cannot be read is told of when the job is read */
    struct slice rest = buf_slice(&host->scratch);
    while (rest.size > 0) {
        const char *end = memchr(rest.bytes, '\n', rest.size);
        size_t size = end == NULL ? rest.size : (size_t)(end - rest.bytes);
        struct slice line = slice_of(rest.bytes, size);
        if (search_holds(line, search->request->text)) {
            struct found found = {
                .place = FOUND_BACKTRACE,
                .job = job,
                .attempt = error->attempt,
                .at_ns = error->at_ns,
                .level = LOG_ERROR,
                .text = line,
            };
            tell(search, &found);
            return;
        }
        if (end == NULL) return;
        rest = slice_of(end + 1, rest.size - size - 1);
    }
}

static void search_errors(struct search *search, const struct job_view *job) {
    for (uint32_t i = job->error_count; i > 0; i--) {
        const struct job_error *error = &job->errors[i - 1];
        search->page->bytes += error->text.size + error->what.size;
        if (!is_in_time(search, error->at_ns)) continue;
        bool in_text = search_holds(error->text, search->request->text);
        if (in_text || search_holds(error->what, search->request->text)) {
            struct found found = {
                .place = FOUND_ERROR,
                .job = job,
                .attempt = error->attempt,
                .at_ns = error->at_ns,
                .level = LOG_ERROR,
                .text = in_text ? error->text : error->what,
            };
            tell(search, &found);
        } else if (error->backtrace.id != 0) {
            search_backtrace(search, job, error);
        }
    }
}

/* --- logs --- */

/* Tell the last @room matching lines of a chunk below @before, newest first. Answers the sequence
 * number to go on below when there was no room for all of them, 0 when there was. */
static uint64_t search_chunk(
    struct search *search, const struct job_view *job, struct body_ref chunk, uint64_t before
) {
    struct host *host = search->session->host;
    struct hob_error err = {0};
    uint32_t room = search->request->count - search->page->found;
    hob_assert(room >= 1 && room <= SEARCH_FOUND_MAX);
    buf_reset(&host->scratch);
    search->page->bytes += chunk.size;
    if (host->ops->body(host->context, chunk.id, &host->scratch, &err) != HOB_OK) return 0;
    struct slice entries = buf_slice(&host->scratch);
    struct log_line line;
    bool bad = false;
    uint32_t matches = 0;
    for (uint32_t at = 0;; at++) {
        size_t offset = host->scratch.size - entries.size;
        if (!log_line_next(&entries, &line, &bad)) break;
        if (before != 0 && log_seq(chunk.id, at) >= before) break;
        if (line.level < search->request->level || !is_in_time(search, line.at_ns)) continue;
        if (!search_holds(line.text, search->request->text)) continue;
        search->matches[matches % room].offset = (uint32_t)offset;
        search->matches[matches++ % room].line = at;
    }
    uint32_t count = matches < room ? matches : room;
    for (uint32_t back = 1; back <= count; back++) {
        uint32_t at = (matches - back) % room;
        size_t offset = search->matches[at].offset;
        entries = slice_of(host->scratch.bytes + offset, host->scratch.size - offset);
        (void)log_line_next(&entries, &line, &bad);
        struct found found = {
            .place = FOUND_LOG,
            .job = job,
            .attempt = chunk.attempt,
            .seq = log_seq(chunk.id, search->matches[at].line),
            .at_ns = line.at_ns,
            .stream = line.stream,
            .level = line.level,
            .text = line.text,
        };
        tell(search, &found);
    }
    if (matches <= room) return 0;
    return log_seq(chunk.id, search->matches[matches % room].line);
}

/* False: the page is full, and its cursor is inside this job. */
static bool search_logs(struct search *search, const struct job_view *job, uint64_t before) {
    for (uint32_t i = job->log_count; i > 0; i--) {
        struct body_ref chunk = job->logs[i - 1];
        if (before != 0 && log_seq(chunk.id, 0) >= before) continue;
        if (is_over(search)) {
            set_cursor(search, job->id, log_seq(chunk.id + 1, 0));
            return false;
        }
        uint64_t on = search_chunk(search, job, chunk, before);
        if (on != 0) {
            set_cursor(search, job->id, on);
            return false;
        }
    }
    return true;
}

/* Everything that a job says lies between its making and its last change, but for one that runs. */
static bool can_hold(const struct search *search, const struct job_view *job) {
    if (job->created_ns > search->until_ns) return false;
    return job->state == JOB_RUNNING || job->state_ns >= search->request->since_ns;
}

static bool search_job(struct search *search, uint64_t id, uint64_t before) {
    struct job_view job;
    if (before == 0) search->page->jobs++; /* once, however many pages it takes */
    if (!session_job(search->session, id, &job) || !can_hold(search, &job)) return true;
    if (before == 0) search_errors(search, &job);
    return search_logs(search, &job, before);
}

/* --- pages --- */

static bool
parse_cursor(struct slice cursor, uint64_t *ret_job, uint64_t *ret_seq, struct buf *complaint) {
    *ret_job = 0;
    *ret_seq = 0;
    if (cursor.size == 0) return true;
    const char *dot = memchr(cursor.bytes, '.', cursor.size);
    size_t size = dot == NULL ? cursor.size : (size_t)(dot - cursor.bytes);
    bool fits = text_u64(slice_of(cursor.bytes, size), 1, UINT64_MAX - 1, ret_job);
    if (fits && dot != NULL) {
        fits = text_u64(slice_of(dot + 1, cursor.size - size - 1), 1, UINT64_MAX, ret_seq);
    }
    if (fits) return true;
    return complain(complaint, "cursor", cursor, "a cursor of a page before");
}

bool search_run(
    struct session *session,
    const struct search_request *request,
    search_found *on_found,
    void *context,
    struct search_page *ret_page
) {
    struct host *host = session->host;
    uint64_t job = 0;
    uint64_t seq = 0;
    hob_assert(request->count >= 1 && request->count <= SEARCH_FOUND_MAX);
    if (!parse_cursor(request->before, &job, &seq, &host->complaint)) return false;
    *ret_page = (struct search_page){.cursor = buf_make(SEARCH_CURSOR_BYTES_MAX)};
    struct search search = {
        .session = session,
        .request = request,
        .on_found = on_found,
        .context = context,
        .page = ret_page,
        .until_ns = request->until_ns == 0 ? HOB_NEVER : request->until_ns,
    };
    if (seq != 0 && !search_job(&search, job, seq)) return true;
    struct host_list list = {
        .queue = request->queue,
        .kind = request->kind,
        .states = request->states,
        .before_id = job,
        .count_max = IDS_AT_ONCE,
    };
    for (;;) {
        uint64_t ids[IDS_AT_ONCE];
        uint32_t count = 0;
        uint64_t next = session_list(session, &list, ids, &count);
        for (uint32_t i = 0; i < count; i++) {
            if (is_over(&search)) {
                set_cursor(&search, ids[i] + 1, 0);
                return true;
            }
            if (!search_job(&search, ids[i], 0)) return true;
        }
        if (next == 0) return true;
        /* A short list looked at many jobs that its filter refused: that was work enough. */
        if (count < IDS_AT_ONCE || is_over(&search)) {
            set_cursor(&search, next, 0);
            return true;
        }
        list.before_id = next;
    }
}
