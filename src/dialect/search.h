/* SPDX-License-Identifier: Apache-2.0 */
/* Searching what jobs said: lines of logs, texts of errors, backtraces; from the newest job to the
 * oldest, in each from its last line to its first.
 *
 * There is no index: a search reads logs. So one request looks at a bounded number of jobs and
 * bytes, answers what it found on the way, and a cursor to go on from; an empty page is not the
 * end, a cursor of nothing is. */
#ifndef HOB_DIALECT_SEARCH_H
#define HOB_DIALECT_SEARCH_H

#include "dialect/session.h"
#include "engine/logline.h"

enum {
    SEARCH_FOUND_MAX = 1000, /* of one page */
    SEARCH_FOUND_DEFAULT = 100,
    SEARCH_JOBS_MAX = 5000,             /* looked at by one request */
    SEARCH_BYTES_MAX = 4 * 1024 * 1024, /* read by one request, roughly */
    SEARCH_TEXT_BYTES_MAX = 200,
    SEARCH_CURSOR_BYTES_MAX = 48,
};

struct search_request {
    struct slice text; /* ASCII letters of any case; empty: every line */
    struct slice queue;
    struct slice kind;
    uint32_t states;      /* of the job; 0: any */
    enum log_level level; /* and above; errors count as `error` */
    hob_ns since_ns;
    hob_ns until_ns;     /* 0: now */
    struct slice before; /* the cursor */
    uint32_t count;
};

enum found_place { FOUND_LOG, FOUND_ERROR, FOUND_BACKTRACE, FOUND_PLACE_COUNT };

/** log, error, backtrace. */
const char *found_place_word(enum found_place place);

struct found {
    enum found_place place;
    const struct job_view *job;
    uint32_t attempt;
    uint64_t seq; /* FOUND_LOG */
    hob_ns at_ns;
    enum log_stream stream; /* FOUND_LOG */
    enum log_level level;
    struct slice text; /* the line; of an error its text */
};

struct search_page {
    uint32_t found;
    uint32_t jobs; /* looked at */
    uint64_t bytes;
    struct buf cursor; /* empty: this was the end */
};

typedef void search_found(void *context, const struct found *found);

/**
 * One page. Uses the host's `scratch` room; what is found is borrowed for the call.
 *
 * @ret_page  its cursor is to be freed with buf_deinit()
 * False, with the host's complaint set: the cursor is none
 */
bool search_run(
    struct session *session,
    const struct search_request *request,
    search_found *on_found,
    void *context,
    struct search_page *ret_page
);

/** Does @text hold @part? ASCII letters compare without case; an empty part is everywhere. */
bool search_holds(struct slice text, struct slice part);

#endif
