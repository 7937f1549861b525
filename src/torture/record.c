/* SPDX-License-Identifier: Apache-2.0 */
/* The history file, a line a write, so that it is with the system before the request is; and the
 * payloads, which tell whose they are. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/text.h"
#include "os/clock.h"
#include "os/file.h"
#include "torture/private.h"

enum hob_status record_open(struct torture *torture, struct hob_error *err) {
    const char *path = torture->options.dir;
    int dir = -1;
    int failed = dir_open(path, true, &dir);
    if (failed != 0) return fail_errno(err, HOB_DISK, failed, "cannot open %s", path);
    int flags = O_RDWR | O_CREAT | O_EXCL | O_APPEND;
    failed = file_open(&file_io_system, dir, "history", flags, &torture->history_fd);
    if (failed == 0) {
        failed = file_open(
            &file_io_system,
            dir,
            "server.log",
            O_WRONLY | O_CREAT | O_APPEND,
            &torture->child.log_fd
        );
    }
    file_close(&dir);
    if (failed == EEXIST) {
        return fail(err, HOB_USAGE, "%s holds a history already: give a new directory", path);
    }
    if (failed != 0) return fail_errno(err, HOB_DISK, failed, "cannot make files in %s", path);
    return HOB_OK;
}

static void write_line(struct torture *torture, struct history_event event, const char *note) {
    HOB_AUTO_BUF struct buf line = buf_make(HISTORY_LINE_BYTES_MAX);
    event.at = clock_monotonic();
    history_put(&line, &event, note);
    struct iovec part = file_part(line.bytes, line.size);
    uint64_t written;
    int failed =
        file_write(&file_io_system, torture->history_fd, &part, 1, torture->history_size, &written);
    torture->history_size += written;
    if (failed != 0) torture_fail(torture, "cannot write the history: errno %d", failed);
}

void record(struct torture *torture, struct history_event event) {
    write_line(torture, event, NULL);
}

void record_note(struct torture *torture, const char *text) {
    write_line(torture, (struct history_event){.type = HISTORY_NOTE}, text);
}

static uint64_t mix(uint64_t x) {
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint64_t torture_draw(struct torture *torture, uint64_t count) {
    torture->random = mix(torture->random);
    return torture->random % count;
}

struct slice payload_of(struct torture *torture, uint64_t key) {
    uint64_t state = mix(key ^ torture->options.seed);
    size_t large = state / 64 % PAYLOAD_BYTES_MAX;
    size_t filler = state % 32 == 0 ? large : state / 64 % 150;
    int size =
        snprintf(torture->payload, sizeof torture->payload, "%llu:", (unsigned long long)key);
    char *to = torture->payload + size;
    for (size_t i = 0; i < filler; i++) {
        if (i % 8 == 0) state = mix(state);
        to[i] = (char)('a' + (state >> (i % 8 * 8)) % 26);
    }
    return slice_of(torture->payload, (size_t)size + filler);
}

bool payload_key(struct torture *torture, struct slice payload, uint64_t *ret_key) {
    size_t digits = 0;
    while (digits < payload.size && payload.bytes[digits] != ':') digits++;
    if (!text_u64(slice_of(payload.bytes, digits), 1, UINT64_MAX, ret_key)) return false;
    return slice_equal(payload, payload_of(torture, *ret_key));
}
