/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of the engine as lists of named fields: what a map in RESP and an object in JSON
 * show. Names and order are decided here, once; how a number or a time is written is the dialect's.
 * Absent values are left out. */
#ifndef HOB_DIALECT_FIELDS_H
#define HOB_DIALECT_FIELDS_H

#include "dialect/host.h"

/*                     RESP                  JSON */
enum field_type {
    FIELD_ID,      /* bulk of digits        string of digits */
    FIELD_NUMBER,  /* integer               number */
    FIELD_SIGNED,  /* integer               number */
    FIELD_TIME,    /* integer, unix ms      RFC 3339 */
    FIELD_SPAN,    /* integer, ms           number of ms */
    FIELD_BOOL,    /* boolean (RESP2: 1, 0) boolean */
    FIELD_TEXT,    /* bulk                  string */
    FIELD_BYTES,   /* bulk                  JSON, or string with an encoding */
    FIELD_BODY,    /* as FIELD_BYTES, but read from the host */
    FIELD_TRACE,   /* a body that is text:  bulk, string */
    FIELD_TAGS,    /* array of bulks         array of strings */
    FIELD_DONE,    /* bulk of JSON          the JSON itself: the text is on_done */
    FIELD_JSON,    /* bulk                  the JSON itself */
    FIELD_ERRORS,  /* the errors of the job: array of maps */
    FIELD_KINDS,   /* kinds that nobody runs: array of maps */
    FIELD_GATES,   /* of an explanation: array of maps */
    FIELD_MINUTES, /* a series: array of maps */
};

struct field {
    const char *name;
    enum field_type type;
    union {
        uint64_t number; /* id, number, bool; in ns: time, span */
        int64_t number_signed;
        struct slice text; /* text, bytes */
        struct body_ref body;
        const struct job_view *job; /* errors */
        const struct unserved_list *unserved;
        const struct explanation *explanation;    /* gates */
        const struct statistics_view *statistics; /* minutes */
    };
};

enum { FIELDS_MAX = 64, FIELD_SPEC_BYTES_MAX = 1600 };

struct fields {
    uint32_t count;
    struct field items[FIELDS_MAX];
    struct buf spec; /* bytes that no view holds: of the backoff, of a sentence */
};

enum job_detail {
    JOB_SHORT,  /* a line of a list */
    JOB_WHOLE,  /* everything */
    JOB_LEASED, /* everything, and the token of the lease */
};

/** An empty list. */
struct fields fields_make(void);
void fields_deinit(struct fields *fields);
#define HOB_AUTO_FIELDS __attribute__((cleanup(fields_deinit)))

/** One more field, whose value the caller sets; @name is static. There is room for FIELDS_MAX. */
struct field *fields_add(struct fields *fields, const char *name, enum field_type type);
/** One more field with a number: as @type reads it, or a plain one. */
void fields_add_u64(struct fields *fields, const char *name, enum field_type type, uint64_t value);
void fields_add_number(struct fields *fields, const char *name, uint64_t value);

/* Slices are borrowed from the view. */
void fields_of_job(struct fields *fields, const struct job_view *job, enum job_detail detail);
void fields_of_error(struct fields *fields, const struct job_error *error);
void fields_of_queue(struct fields *fields, const struct queue_view *queue);
void fields_of_token(struct fields *fields, const struct token_view *token);
void fields_of_valve(struct fields *fields, const struct valve_view *valve);
void fields_of_worker(struct fields *fields, const struct worker_view *worker);
void fields_of_unserved(struct fields *fields, const struct unserved_view *unserved);
void fields_of_stats(
    struct fields *fields,
    const struct host *host,
    const struct host_stats *stats,
    const struct unserved_list *unserved
);
/* gates.c */
void fields_of_explanation(struct fields *fields, const struct explanation *explanation);
void fields_of_gate(struct fields *fields, const struct gate *gate);
/* @waiting: NULL when the queue is not there, or all are asked for. */
void fields_of_statistics(
    struct fields *fields,
    const struct statistics_asked *asked,
    const struct statistics_waiting *waiting,
    hob_ns now_ns,
    const struct statistics_view *view
);
struct statistics_report;
/** The fields of a report (dialect/session.h), as the host sees the time. */
void fields_of_report(
    struct fields *fields, const struct host *host, const struct statistics_report *report
);
/** A row of a series. */
void fields_of_minute(struct fields *fields, const struct statistics_minute *minute);
/**
 * A field that is an array of maps: how many there are, and number @at of them. The maps hold no
 * arrays of maps.
 */
bool field_is_maps(const struct field *field);
uint32_t field_map_count(const struct field *field);
void field_map(const struct field *field, uint32_t at, struct fields *ret_fields);

#endif
