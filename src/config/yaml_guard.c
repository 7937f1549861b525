/* SPDX-License-Identifier: Apache-2.0 */
/* Depth and nodes are counted; anchors, aliases and tags end it. So do a second document and
 * whatever is not YAML, with the place that the parser tells. */
#include "config/yaml_guard.h"

#include <stdio.h>

#include "base/assert.h"

struct guard {
    const struct yaml_read *read;
    size_t depth;
    size_t nodes;
    size_t documents;
    bool ended;
};

static enum hob_status
refuse(const struct guard *guard, const yaml_mark_t *mark, const char *what, const char *more) {
    char place[300];
    (void)snprintf(
        place, sizeof place, "%s:%zu:%zu", guard->read->name, mark->line + 1, mark->column + 1
    );
    return report_error(guard->read->report, place, "%s%s", what, more);
}

static enum hob_status parser_fail(const struct guard *guard, const yaml_parser_t *parser) {
    char text[200];
    (void)snprintf(
        text,
        sizeof text,
        "%s%s%s",
        parser->problem == NULL ? "cannot be read" : parser->problem,
        parser->context == NULL ? "" : " ",
        parser->context == NULL ? "" : parser->context
    );
    yaml_mark_t mark = parser->problem_mark;
    bool reader = parser->error == YAML_READER_ERROR; /* it has no mark, only an offset */
    if (reader) mark = parser->mark;
    bool is_token = parser->problem != NULL && strstr(parser->problem, "start any token") != NULL;
    if (is_token && parser->buffer.pointer[0] == '\t') {
        return refuse(guard, &mark, "not YAML: a tab; indent with spaces", "");
    }
    return refuse(guard, &mark, "not YAML: ", text);
}

static enum hob_status
node_check(struct guard *guard, const yaml_event_t *event, const char *anchor, const char *tag) {
    static const char no_anchor[] =
        "anchors and aliases are not taken: write the value where it belongs";
    const yaml_mark_t *mark = &event->start_mark;
    if (anchor != NULL || event->type == YAML_ALIAS_EVENT) {
        return refuse(guard, mark, no_anchor, "");
    }
    if (tag != NULL) return refuse(guard, mark, "tags are not taken: ", tag);
    if (++guard->nodes > YAML_NODES_MAX) {
        return refuse(guard, mark, "more than 50,000 values are no configuration", "");
    }
    return HOB_OK;
}

static enum hob_status enter(struct guard *guard, const yaml_event_t *event) {
    if (++guard->depth <= YAML_DEPTH_MAX) return HOB_OK;
    return refuse(guard, &event->start_mark, "nested deeper than 32 levels", "");
}

static enum hob_status event_check(struct guard *guard, const yaml_event_t *event) {
    enum hob_status status = HOB_OK;
    switch (event->type) {
    case YAML_STREAM_END_EVENT:
        guard->ended = true;
        return HOB_OK;
    case YAML_DOCUMENT_START_EVENT:
        if (++guard->documents == 1) return HOB_OK;
        return refuse(guard, &event->start_mark, "only one document is allowed", "");
    case YAML_ALIAS_EVENT:
        return node_check(guard, event, NULL, NULL);
    case YAML_SCALAR_EVENT:
        return node_check(
            guard, event, (char *)event->data.scalar.anchor, (char *)event->data.scalar.tag
        );
    case YAML_SEQUENCE_START_EVENT:
        status = node_check(
            guard,
            event,
            (char *)event->data.sequence_start.anchor,
            (char *)event->data.sequence_start.tag
        );
        return status == HOB_OK ? enter(guard, event) : status;
    case YAML_MAPPING_START_EVENT:
        status = node_check(
            guard,
            event,
            (char *)event->data.mapping_start.anchor,
            (char *)event->data.mapping_start.tag
        );
        return status == HOB_OK ? enter(guard, event) : status;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        hob_assert(guard->depth > 0);
        guard->depth--;
        return HOB_OK;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return HOB_OK;
    }
    return HOB_OK;
}

enum hob_status yaml_guard(const struct yaml_read *read, struct slice bytes) {
    struct guard guard = {.read = read};
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        return report_error(read->report, read->name, "out of memory");
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)bytes.bytes, bytes.size);
    enum hob_status status = HOB_OK;
    while (status == HOB_OK && !guard.ended) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            status = parser_fail(&guard, &parser);
        } else {
            status = event_check(&guard, &event);
            yaml_event_delete(&event);
        }
    }
    yaml_parser_delete(&parser);
    return status;
}
