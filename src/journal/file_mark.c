/* SPDX-License-Identifier: Apache-2.0 */
/* The mark: how far the journal was known to reach, in a small file beside the segments.
 *
 * Behind the last good frame nothing can tell a write that a crash tore from frames that somebody
 * or something took away: a file that became short, a newest segment that is gone. The mark tells:
 * it names a segment that is there and a batch that is synced, is written after both, and is never
 * taken back. So a start that finds less refuses, and one that finds more (the mark is written when
 * a segment begins and at a clean end, not with each batch) is right.
 *
 * It only ever adds a refusal: a journal without a mark, or with one that cannot be read or is of
 * another journal, starts as ever. One line of text:
 *
 *     hob-journal-mark 1 identity=%016x segment=%u batch=%u crc=%08x     CRC32C of what is
 *     before */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/crc32c.h"
#include "journal/file_private.h"

#define MARK_BEGIN "hob-journal-mark 1 "

enum { LINE_BYTES_MAX = 160 };

static uint32_t line_crc(const char *line, size_t size) {
    return crc32c(0, line, size);
}

/* The number behind @name. */
static bool field_parse(const char *line, const char *name, int base, uint64_t *ret_value) {
    const char *at = strstr(line, name);
    if (at == NULL) return false;
    char *end = NULL;
    *ret_value = strtoull(at + strlen(name), &end, base);
    return *end == ' ' || *end == '\n';
}

struct mark mark_read(const struct journal_file *file) {
    struct mark mark = {0};
    char line[LINE_BYTES_MAX + 1] = {0};
    int fd = -1;
    size_t got = 0;
    int failed = file_open(file->io, file->dir, MARK_NAME, O_RDONLY, &fd);
    if (failed == 0) failed = file_read(fd, 0, line, LINE_BYTES_MAX, &got);
    file_close(&fd);
    const char *crc_at = failed == 0 ? strstr(line, " crc=") : NULL;
    if (crc_at == NULL) return mark;
    uint64_t segment = 0;
    uint64_t crc = 0;
    mark.is_there = strncmp(line, MARK_BEGIN, sizeof MARK_BEGIN - 1) == 0 &&
                    field_parse(line, " identity=", 16, &mark.identity) &&
                    field_parse(line, " segment=", 10, &segment) &&
                    field_parse(line, " batch=", 10, &mark.seq) &&
                    field_parse(line, " crc=", 16, &crc) && segment <= UINT32_MAX &&
                    crc == line_crc(line, (size_t)(crc_at - line));
    mark.segment = (uint32_t)segment;
    return mark;
}

/* It is an aid: where it cannot be written, the old one says less, but nothing wrong. */
void mark_write(struct journal_file *file) {
    const struct writer *writer = &file->writer;
    char line[LINE_BYTES_MAX];
    int size = snprintf(
        line,
        sizeof line,
        MARK_BEGIN "identity=%016" PRIx64 " segment=%" PRIu32 " batch=%" PRIu64,
        file->identity,
        writer->segment,
        writer->last.seq
    );
    uint32_t crc = line_crc(line, (size_t)size);
    size += snprintf(line + size, sizeof line - (size_t)size, " crc=%08" PRIx32 "\n", crc);
    hob_assert((size_t)size < sizeof line);
    /* The segment's own name first: the mark must not outlive it. */
    int fd = -1;
    int failed = file->relaxed ? dir_sync(file->io, file->dir) : 0;
    if (failed == 0) {
        failed = file_open(file->io, file->dir, MARK_NEW_NAME, O_WRONLY | O_CREAT | O_TRUNC, &fd);
    }
    struct iovec part = file_part(line, (size_t)size);
    uint64_t written = 0;
    if (failed == 0) failed = file_write(file->io, fd, &part, 1, 0, &written);
    if (failed == 0) failed = file_sync(file->io, fd);
    file_close(&fd);
    if (failed == 0) failed = file_rename(file->io, file->dir, MARK_NEW_NAME, MARK_NAME);
    if (failed == 0) failed = dir_sync(file->io, file->dir);
    (void)failed;
}
