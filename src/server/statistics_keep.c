/* SPDX-License-Identifier: Apache-2.0 */
/* DATA/statistics: what was counted, over a restart. It is read before the server listens, written
 * every few minutes and when the server stops. Written means: in slices, so that no request waits
 * for it, then to the disk by a thread beside, under another name until it is whole. Statistics are
 * not jobs: when the file is lost or damaged they begin anew, and a crash loses what was counted
 * since it was written last. */
#include <errno.h>
#include <fcntl.h>

#include "os/file.h"
#include "os/log.h"
#include "os/thread.h"
#include "server/private.h"

#define STATISTICS_FILE "statistics"

enum {
    KEEP_MS = 5 * 60 * 1000,
    SLICE_MS = 20,
    SLICE_CELLS = 8192, /* about a third of a millisecond */
};

/* Whole under its name, or as it was. */
static int write_whole(const char *data_path, struct slice bytes) {
    int dir = -1;
    int fd = -1;
    uint64_t written = 0;
    const struct file_io *io = &file_io_system;
    struct iovec part = file_part(bytes.bytes, bytes.size);
    int failed = dir_open(data_path, false, &dir);
    if (failed == 0) {
        failed = file_open(io, dir, STATISTICS_FILE ".new", O_WRONLY | O_CREAT | O_TRUNC, &fd);
    }
    if (failed == 0) failed = file_write(io, fd, &part, 1, 0, &written);
    if (failed == 0) failed = file_sync(io, fd);
    file_close(&fd);
    if (failed == 0) failed = file_rename(io, dir, STATISTICS_FILE ".new", STATISTICS_FILE);
    if (failed == 0) failed = dir_sync(io, dir);
    /* Half of it would be in the way on a disk that is full. */
    if (failed != 0 && dir >= 0) {
        int removed = file_unlink(io, dir, STATISTICS_FILE ".new");
        (void)removed;
    }
    file_close(&dir);
    return failed;
}

static int read_whole(const char *data_path, struct buf *bytes) {
    int dir = -1;
    int fd = -1;
    uint64_t size = 0;
    int failed = dir_open(data_path, false, &dir);
    if (failed == 0) failed = file_open(&file_io_system, dir, STATISTICS_FILE, O_RDONLY, &fd);
    if (failed == 0) failed = file_size(fd, &size);
    if (failed == 0 && size > bytes->max) failed = EFBIG;
    if (failed == 0 && size > 0) {
        failed = file_read(fd, 0, buf_reserve(bytes, (size_t)size), (size_t)size, &bytes->size);
    }
    file_close(&fd);
    file_close(&dir);
    return failed;
}

/* --- reading --- */

void statistics_keep_load(struct server *server) {
    HOB_AUTO_BUF struct buf bytes = buf_make(STATISTICS_SAVED_BYTES_MAX);
    struct statistics *statistics = &server->statistics;
    int failed = read_whole(server->options->data_path, &bytes);
    if (failed == 0 && statistics_load(statistics, buf_slice(&bytes), server->host.now_ns)) {
        log_info("statistics are there", log_u64("bytes", bytes.size));
        return;
    }
    struct engine_stats stats;
    engine_stats(space_engine(server->space), &stats);
    if (failed == ENOENT && stats.next_id == 1) return;
    /* Of the time before nothing is known. */
    statistics->kept = (uint32_t)(server->host.now_ns / NS_PER_MINUTE);
    if (failed == ENOENT) {
        /* Of a copy, or of one that was killed before it wrote them the first time. */
        log_info("statistics begin anew: none were written before; jobs are not touched");
        return;
    }
    log_warn(
        "statistics begin anew: those of before are lost or damaged; jobs are not touched",
        log_str("file", STATISTICS_FILE),
        log_str("error", failed == 0 ? "not what was written" : strerrordesc_np(failed))
    );
}

/* --- writing --- */

static void tell(struct server *server, int failed, size_t bytes) {
    struct keep *keep = &server->keep;
    bool was_failing = keep->is_failing;
    keep->is_failing = failed != 0;
    if (failed == 0) {
        log_debug("statistics are written", log_u64("bytes", bytes));
    } else if (!was_failing) {
        log_warn("statistics cannot be written", log_str("error", strerrordesc_np(failed)));
    }
}

static void *write_beside(void *argument) {
    struct server *server = argument;
    struct keep *keep = &server->keep;
    keep->failed = write_whole(server->options->data_path, buf_slice(&keep->saver.bytes));
    atomic_store(&keep->is_written, true);
    return NULL;
}

static void on_due(uv_timer_t *timer);

/* What is written is written, or never will be. */
static void rest(struct server *server, int failed) {
    struct keep *keep = &server->keep;
    tell(server, failed, keep->saver.bytes.size);
    statistics_saver_deinit(&keep->saver);
    (void)uv_timer_start(&keep->timer, on_due, KEEP_MS, 0);
}

static void on_writing(uv_timer_t *timer) {
    struct server *server = timer->data;
    struct keep *keep = &server->keep;
    if (!atomic_load(&keep->is_written)) return;
    thread_join(keep->thread);
    keep->has_thread = false;
    rest(server, keep->failed);
}

static void on_slice(uv_timer_t *timer) {
    struct server *server = timer->data;
    struct keep *keep = &server->keep;
    if (!statistics_save_step(&keep->saver, &server->statistics, SLICE_CELLS)) return;
    int failed = EFBIG;
    atomic_store(&keep->is_written, false);
    if (keep->saver.bytes.size > 0) {
        failed = thread_start(&keep->thread, "statistics", write_beside, server);
    }
    keep->has_thread = failed == 0;
    if (failed != 0) {
        rest(server, failed);
    } else {
        (void)uv_timer_start(timer, on_writing, SLICE_MS, SLICE_MS);
    }
}

static void on_due(uv_timer_t *timer) {
    struct server *server = timer->data;
    statistics_save_begin(&server->keep.saver, &server->statistics);
    (void)uv_timer_start(timer, on_slice, 0, SLICE_MS);
}

void statistics_keep_open(struct server *server) {
    (void)uv_timer_init(net_loop(server->net), &server->keep.timer);
    server->keep.timer.data = server;
    (void)uv_timer_start(&server->keep.timer, on_due, KEEP_MS, 0);
}

void statistics_keep_close(struct server *server) {
    struct keep *keep = &server->keep;
    uv_close((uv_handle_t *)&keep->timer, NULL);
    if (keep->has_thread) thread_join(keep->thread);
    keep->has_thread = false;
    statistics_saver_deinit(&keep->saver);
}

void statistics_keep_end(struct server *server) {
    struct statistics_saver saver;
    statistics_save_begin(&saver, &server->statistics);
    while (!statistics_save_step(&saver, &server->statistics, SLICE_CELLS)) {
    }
    int failed = EFBIG;
    if (saver.bytes.size > 0) {
        failed = write_whole(server->options->data_path, buf_slice(&saver.bytes));
    }
    tell(server, failed, saver.bytes.size);
    statistics_saver_deinit(&saver);
}
