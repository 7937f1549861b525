/* SPDX-License-Identifier: Apache-2.0 */
/* Batches are gathered into larger ones on the way: each is appended when it has a MiB, and synced
 * when its segment is full and at the end. Not here: leaving out what is dead. A copy holds the
 * history that the original still holds. */
#include "space/copy.h"

#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "os/file.h"
#include "space/copy_beside.h"

enum { APPEND_BYTES = 1024 * 1024 };

struct copying {
    const struct copy_options *options;
    struct copy_report *report;
    struct replica *replica;
    struct digests digests;
    struct journal *journal; /* the copy; NULL: nothing is written */
    uint64_t seq;
    uint64_t pos;
    uint64_t chain;
    struct replica_out kept;
};

/* --- the copy --- */

static enum hob_status copy_append(struct copying *copying, struct hob_error *err) {
    struct replica_out *kept = &copying->kept;
    if (kept->count == 0) return HOB_OK;
    struct journal_batch batch = {
        .seq = copying->seq + 1,
        .first_pos = copying->pos + 1,
        .effect_count = kept->count,
        .time_ns = kept->time_ns,
        .prev_chain = copying->chain,
        .bytes = buf_slice(&kept->bytes),
    };
    batch.chain = journal_chain(&batch);
    journal_append(copying->journal, &batch);
    struct journal_done done;
    enum hob_status status = journal_wait(copying->journal, &done);
    if (status != HOB_OK) return fail(err, status, "the copy took no batch");
    if (done.result != JOURNAL_OK) {
        if (err != NULL) *err = done.error;
        return done.error.status;
    }
    copying->seq = batch.seq;
    copying->pos += kept->count;
    copying->chain = batch.chain;
    buf_reset(&kept->bytes);
    kept->count = 0;
    return HOB_OK;
}

static enum hob_status copy_begin(struct copying *copying, struct hob_error *err) {
    struct journal_file_options file = {.path = copying->options->to};
    struct journal_wake wake = {0};
    enum hob_status status = journal_file_open(&file, wake, &copying->journal, err);
    if (status != HOB_OK) return status;
    struct journal_info info;
    journal_info(copying->journal, &info);
    if (info.seq != 0) return fail(err, HOB_CONFLICT, "%s holds a journal", file.path);
    copying->seq = 0;
    copying->pos = 0;
    copying->chain = info.chain;
    return HOB_OK;
}

static bool unlink_visit(void *context, const char *name) {
    int failed = file_unlink(&file_io_system, *(const int *)context, name);
    return failed == 0 || failed != EIO; /* what stays is told when the directory is used again */
}

/* Only ever of a directory that was empty when we came. */
static void copy_remove(struct copying *copying) {
    journal_close(copying->journal);
    copying->journal = NULL;
    int dir = -1;
    if (dir_open(copying->options->to, false, &dir) != 0) return;
    int failed = dir_list(dir, unlink_visit, &dir);
    (void)failed;
    file_close(&dir);
}

static bool any_visit(void *context, const char *name) {
    *(bool *)context = true;
    return strcmp(name, "lost+found") == 0;
}

static enum hob_status refuse_full(const char *path, struct hob_error *err) {
    int dir = -1;
    int failed = dir_open(path, false, &dir);
    if (failed == ENOENT) return HOB_OK;
    bool any = false;
    if (failed == 0) failed = dir_list(dir, any_visit, &any);
    file_close(&dir);
    if (failed != 0) return fail_errno(err, HOB_CONFIG, failed, "cannot look into %s", path);
    return any ? fail(err, HOB_CONFLICT, "%s is not empty: choose a new directory", path) : HOB_OK;
}

/* --- reading --- */

static void damage_count(struct copying *copying, const struct journal_find *find) {
    struct copy_report *report = copying->report;
    if (find->type == INSPECT_TORN) {
        report->torn_bytes += find->size;
    } else {
        report->damages++;
        replica_skips(copying->replica);
        copying->digests.is_void = true;
        if (find->lost == UINT64_MAX) report->more_may_be_lost = true;
        if (find->lost != UINT64_MAX) report->batches_lost += find->lost;
    }
    if (copying->options->damage != NULL) {
        copying->options->damage(copying->options->context, find);
    }
}

/* Begin anew: a server cleaned away what was read. */
static enum hob_status read_again(struct copying *copying, struct hob_error *err) {
    replica_free(copying->replica);
    copying->replica = replica_new();
    copying->digests = (struct digests){0};
    *copying->report = (struct copy_report){0};
    buf_reset(&copying->kept.bytes);
    copying->kept.count = 0;
    if (copying->journal == NULL) return HOB_OK;
    copy_remove(copying);
    return copy_begin(copying, err);
}

static void tell_difference(struct copying *copying, const struct journal_find *find) {
    struct copy_report *report = copying->report;
    if (report->differs || copying->digests.difference.status == HOB_OK) return;
    report->differs = true;
    if (copying->options->differs == NULL) return;
    copying->options->differs(copying->options->context, find, copying->digests.difference.text);
}

static enum hob_status
read_batch(struct copying *copying, const struct journal_find *find, struct hob_error *err) {
    const struct journal_batch *batch = &find->batch;
    copying->report->batches++;
    copying->report->bytes += batch->bytes.size;
    copying->digests.goes_on = copying->options->salvages;
    if (copying->digests.oldest_segment == 0) copying->digests.oldest_segment = find->segment;
    struct replica_out *kept = copying->journal == NULL ? NULL : &copying->kept;
    if (kept != NULL && kept->bytes.size + batch->bytes.size > APPEND_BYTES) {
        enum hob_status status = copy_append(copying, err);
        if (status != HOB_OK) return status;
    }
    struct hob_error inner = {0};
    struct replica_lost before = replica_lost(copying->replica);
    enum hob_status status =
        replica_batch(copying->replica, batch, kept, &copying->digests, &inner);
    tell_difference(copying, find);
    struct replica_lost after = replica_lost(copying->replica);
    if (status == HOB_OK && !copying->options->salvages && after.effects > before.effects) {
        status = HOB_CORRUPT;
    }
    if (status == HOB_OK) return HOB_OK;
    return fail(
        err,
        status,
        "batch %llu in segment %u, byte %llu: %.140s",
        (unsigned long long)batch->seq,
        find->segment,
        (unsigned long long)find->offset,
        inner.text
    );
}

static enum hob_status
read_all(struct copying *copying, struct journal_inspect *inspect, struct hob_error *err) {
    struct hob_error first = {0};
    for (;;) {
        struct journal_find find;
        enum hob_status status = journal_inspect_next(inspect, &find, err);
        if (status == HOB_NOT_FOUND) break;
        if (status != HOB_OK) return status;
        switch (find.type) {
        case INSPECT_SEGMENT:
            break;
        case INSPECT_RESTART:
            status = read_again(copying, err);
            break;
        case INSPECT_DAMAGE:
        case INSPECT_TORN:
            damage_count(copying, &find);
            break;
        case INSPECT_BATCH:
            /* Behind damage records contradict each other: only salvage makes sense of them. */
            if (copying->report->damages > 0 && !copying->options->salvages) break;
            status = read_batch(copying, &find, err);
            break;
        }
        if (status != HOB_OK) return status;
        if (first.status == HOB_OK && copying->report->damages > 0) {
            (void)fail(
                &first,
                HOB_CORRUPT,
                "segment %u, byte %llu: %s",
                find.segment,
                (unsigned long long)find.offset,
                find.why
            );
        }
    }
    if (first.status == HOB_OK || copying->options->salvages) return HOB_OK;
    if (err != NULL) *err = first;
    return HOB_CORRUPT;
}

static void report_state(struct copying *copying) {
    struct engine_stats stats;
    engine_stats(replica_engine(copying->replica), &stats);
    copying->report->jobs = stats.jobs;
    copying->report->lost = replica_lost(copying->replica);
    copying->report->digests = copying->digests.seen;
    copying->report->compared = copying->digests.compared;
    copying->report->digest = engine_digest(replica_engine(copying->replica));
}

enum hob_status journal_check(
    const char *path,
    const struct copy_options *options,
    struct copy_report *ret_report,
    struct replica **ret_replica,
    struct hob_error *err
) {
    struct copy_options checking = {.context = options->context, .damage = options->damage};
    struct copying copying = {.options = &checking, .report = ret_report, .replica = replica_new()};
    *ret_report = (struct copy_report){0};
    struct journal_inspect *inspect = NULL;
    enum hob_status status = journal_inspect_open(path, &inspect, err);
    if (status == HOB_OK) status = read_all(&copying, inspect, err);
    journal_inspect_close(inspect);
    if (status == HOB_OK) status = replica_end(copying.replica, err);
    if (status == HOB_OK) report_state(&copying);
    if (status == HOB_OK && ret_replica != NULL) {
        *ret_replica = copying.replica;
        copying.replica = NULL;
    }
    replica_free(copying.replica);
    return status;
}

/* --- copying --- */

/* What is written behind the batches. */
static enum hob_status copy_end(struct copying *copying, struct hob_error *err) {
    struct replica_tell tell = {.context = copying->options->context, .job = copying->options->job};
    enum hob_status status = copy_append(copying, err);
    if (status != HOB_OK) return status;
    while (copying->options->salvages && replica_mend(copying->replica, &copying->kept, &tell)) {
        status = copy_append(copying, err);
        if (status != HOB_OK) return status;
    }
    replica_leap(copying->replica, &copying->kept);
    replica_digest(copying->replica, &copying->kept);
    status = copy_append(copying, err);
    if (status == HOB_OK) status = replica_end(copying->replica, err);
    if (status == HOB_OK) report_state(copying);
    return status;
}

/* The copy, read back: whole, and the same state. */
static enum hob_status copy_prove(const struct copying *copying, struct hob_error *err) {
    struct copy_report report;
    struct copy_options options = {0};
    enum hob_status status = journal_check(copying->options->to, &options, &report, NULL, err);
    if (status != HOB_OK || report.digest == copying->report->digest) return status;
    return fail(err, HOB_CORRUPT, "the copy tells another state than the original: it is no good");
}

static enum hob_status
copy_run(struct copying *copying, struct journal_inspect *inspect, struct hob_error *err) {
    if (copying->options->salvages && journal_inspect_holder(inspect) != 0) {
        return fail(err, HOB_CONFLICT, "a server has this journal open: end it first");
    }
    enum hob_status status = copy_begin(copying, err);
    if (status == HOB_OK) status = read_all(copying, inspect, err);
    if (status == HOB_OK) status = copy_end(copying, err);
    if (status != HOB_OK) return status;
    journal_close(copying->journal); /* seals */
    copying->journal = NULL;
    replica_free(copying->replica);
    copying->replica = NULL;
    return copy_prove(copying, err);
}

enum hob_status journal_copy(
    const struct copy_options *options, struct copy_report *ret_report, struct hob_error *err
) {
    struct copying copying = {
        .options = options,
        .report = ret_report,
        .replica = replica_new(),
        .kept = {.bytes = buf_make(JOURNAL_BATCH_BYTES_MAX)},
    };
    *ret_report = (struct copy_report){0};
    struct journal_inspect *inspect = NULL;
    enum hob_status status = refuse_full(options->to, err);
    bool empty = status == HOB_OK;
    if (status == HOB_OK) status = journal_inspect_open(options->from, &inspect, err);
    if (status == HOB_OK) status = copy_run(&copying, inspect, err);
    if (status == HOB_OK) status = copy_beside(options->from, options->to, err);
    if (status == HOB_OK && options->is_backup) {
        static const char text[] = "This is a backup: hob restore it into a new directory.\n";
        status = copy_mark(options->to, COPY_BACKUP_MARK, text, err);
    }
    journal_inspect_close(inspect);
    if (status != HOB_OK && empty) copy_remove(&copying);
    replica_free(copying.replica);
    buf_deinit(&copying.kept.bytes);
    return status;
}
