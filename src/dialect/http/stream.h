/* SPDX-License-Identifier: Apache-2.0 */
/* A response that goes on: an event stream (stream.c), as events.c begins it. */
#ifndef HOB_DIALECT_HTTP_STREAM_H
#define HOB_DIALECT_HTTP_STREAM_H

#include "dialect/http/core.h"

enum {
    STREAM_BACKLOG_BYTES_MAX = 256 * 1024,
    STREAM_TEXT_BYTES_MAX = 2 * RING_TEXT_BYTES_MAX,
};

struct http_stream {
    uint32_t types; /* bits 1u << enum event_type */
    uint32_t states;
    uint64_t job;       /* 0: any */
    bool ends;          /* with the job */
    size_t backlog_max; /* bytes that have not left */
    uint64_t quiet_at;  /* bytes written by the last beat, to know that nothing was since */
    uint64_t written;
    uint32_t queue_size;
    uint32_t kind_size;
    uint32_t tag_size;
    char queue[NAME_BYTES_MAX];
    char kind[NAME_BYTES_MAX];
    char tag[NAME_BYTES_MAX];
};

/** One event; @number 0: it has none, and Last-Event-ID stays what it was. */
void stream_write(
    struct http_session *session, uint64_t number, const char *word, struct slice data
);

/** An event {"KEY": VALUE} with the number of the latest. */
void stream_write_word(
    struct http_session *session, const char *word, const char *key, struct slice value
);

/** Write an event if this stream wants it. True when the stream has ended by it. */
bool stream_tell(struct http_session *session, const struct ring_event *event);

/** The response is whole now: the next request may come. */
void stream_end(struct http_session *session);

#endif
