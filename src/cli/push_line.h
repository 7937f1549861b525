/* SPDX-License-Identifier: Apache-2.0 */
/* One line of `hob push -`: a JSON object with the fields of POST /v1/jobs, into words of PUSH. */
#ifndef HOB_CLI_PUSH_LINE_H
#define HOB_CLI_PUSH_LINE_H

#include "base/buf.h"
#include "base/json.h"
#include "base/time.h"
#include "cli/cli.h"

struct push_line {
    struct slice queue;
    struct slice kind;
    struct slice payload;
    struct cli_request options;
    bool imports;
    bool has_key;
    struct json_value payload_value; /* import: what payload_encoding is about */
    struct slice encoding;
    struct slice id;
    struct slice created;
    struct slice state;
    struct buf *scratch; /* decoded strings; has room for all, so it does not move */
    bool has_time;       /* of its own */
    const char *fault;
    struct slice fault_detail;
};

/**
 * The words of a line. Decoding never makes a text longer: with twice its size of room the scratch
 * buffer does not move. False with @parsed->fault.
 */
bool push_line_parse(struct slice line, struct push_line *parsed);

/**
 * Give the job at place @at of @count its part of @spread_ns, as a delay whose text is put into
 * @delay. False with @parsed->fault when it has a time of its own.
 */
bool push_line_spread(
    struct push_line *parsed, hob_ns spread_ns, uint64_t at, uint64_t count, char delay[24]
);

/** A line without a job. */
bool push_line_is_blank(struct slice line);

/** The next line of *rest, without its end; false when there is none. */
bool push_line_next(struct slice *rest, struct slice *ret_line);

/** How many lines have a job. */
uint64_t push_line_count(struct slice text);

#endif
