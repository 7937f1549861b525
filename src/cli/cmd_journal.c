/* SPDX-License-Identifier: Apache-2.0 */
/* `hob journal …`, `hob backup`, `hob restore`: a journal without its server, or beside it. Damage
 * is told on stderr, one line each; stdout has the sum, or the records. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/print.h"
#include "cli/record_json.h"
#include "journal/inspect.h"
#include "space/copy.h"

enum { OUT_BYTES_MAX = 256 * 1024 * 1024, FLUSH_BYTES = 256 * 1024 };

static void tell_damage(void *context, const struct journal_find *find) {
    (void)context;
    const char *what = find->type == INSPECT_TORN ? "torn end" : "damaged";
    (void)fprintf(
        stderr,
        "hob: %020u.seg, byte %" PRIu64 ", %" PRIu64 " bytes, %s: %s",
        (unsigned)find->segment,
        find->offset,
        find->size,
        what,
        find->why
    );
    if (find->type == INSPECT_TORN) {
        (void)fprintf(stderr, "; never acknowledged, and cut at the next start\n");
    } else if (find->lost == UINT64_MAX) {
        (void)fprintf(stderr, "; how many batches it took is not known\n");
    } else {
        (void)fprintf(stderr, "; batches lost: %" PRIu64 "\n", find->lost);
    }
}

static void tell_job(void *context, uint64_t id, bool whole, const char *why) {
    (void)context;
    (void)fprintf(stderr, "hob: job %" PRIu64 "%s: %s\n", id, whole ? " is lost" : "", why);
}

static void tell_differs(void *context, const struct journal_find *find, const char *why) {
    (void)context;
    (void)fprintf(
        stderr,
        "hob: %020u.seg, byte %" PRIu64 ", batch %" PRIu64 ": %s; kept as it is read\n",
        (unsigned)find->segment,
        find->offset,
        find->batch.seq,
        why
    );
}

/* --- sums --- */

static void put_count(struct json_put *put, const char *key, uint64_t count) {
    json_put_key(put, key);
    json_put_u64(put, count);
}

static void report_json(struct buf *out, const struct copy_report *report) {
    struct json_put put = json_put_to(out);
    json_put_object(&put);
    put_count(&put, "jobs", report->jobs);
    put_count(&put, "batches", report->batches);
    put_count(&put, "bytes", report->bytes);
    put_count(&put, "damages", report->damages);
    put_count(&put, "torn_bytes", report->torn_bytes);
    put_count(&put, "batches_lost", report->batches_lost);
    json_put_key(&put, "more_may_be_lost");
    json_put_bool(&put, report->more_may_be_lost);
    put_count(&put, "records_lost", report->lost.effects);
    put_count(&put, "jobs_lost", report->lost.jobs);
    put_count(&put, "pushes_lost", report->lost.unseen);
    put_count(&put, "pieces_lost", report->lost.pieces);
    put_count(&put, "digests", report->digests);
    put_count(&put, "digests_compared", report->compared);
    json_put_key(&put, "digest_differs");
    json_put_bool(&put, report->differs);
    char digest[20];
    (void)snprintf(digest, sizeof digest, "%016" PRIx64, report->digest);
    json_put_key(&put, "digest");
    json_put_str(&put, digest);
    json_put_object_end(&put);
    (void)buf_put_char(out, '\n');
}

static void report_text(struct buf *out, const char *what, const struct copy_report *report) {
    (void)buf_printf(out, "%s: ", what);
    cli_put_count(out, report->jobs);
    (void)buf_put_str(out, " jobs, ");
    cli_put_count(out, report->batches);
    (void)buf_put_str(out, " batches, ");
    cli_put_count(out, report->bytes);
    (void)buf_printf(out, " bytes, digest %016" PRIx64 "; ", report->digest);
    cli_put_count(out, report->compared);
    (void)buf_put_str(out, " of ");
    cli_put_count(out, report->digests);
    (void)buf_put_str(out, " digests on the way compared\n");
    if (report->damages == 0) return;
    (void)buf_printf(
        out,
        "lost: %" PRIu64 " batches%s, with %" PRIu64 " pushes%s; %" PRIu64 " other jobs, %" PRIu64
        " pieces of jobs; %" PRIu64 " records left out that build on what is lost\n",
        report->batches_lost,
        report->more_may_be_lost ? " or more" : "",
        report->lost.unseen,
        report->lost.unseen_more ? " or more" : "",
        report->lost.jobs,
        report->lost.pieces,
        report->lost.effects
    );
}

static int report_print(const struct cli *cli, const char *what, const struct copy_report *report) {
    HOB_AUTO_BUF struct buf out = buf_make(4096);
    if (cli->json) report_json(&out, report);
    if (!cli->json) report_text(&out, what, report);
    return cli_flush(&out) ? 0 : status_exit_code(HOB_FAILED);
}

/* --- the commands --- */

int cmd_journal_check(struct cli *cli) {
    struct copy_options options = {.damage = tell_damage};
    struct copy_report report;
    struct hob_error err = {0};
    enum hob_status status = journal_check(cli->args[0], &options, &report, NULL, &err);
    if (status == HOB_OK) return report_print(cli, "good", &report);
    if (status != HOB_CORRUPT) return cli_fail(status, "%s", err.text);
    return cli_fail(
        status,
        "%s. A server does not start on this: `hob restore` a backup, or take what is left with "
        "`hob journal salvage %s OUT`",
        err.text,
        cli->args[0]
    );
}

static int copy(struct cli *cli, const struct copy_options *options, const char *done) {
    struct copy_report report;
    struct hob_error err = {0};
    enum hob_status status = journal_copy(options, &report, &err);
    if (status != HOB_OK) return cli_fail(status, "%s", err.text);
    return report_print(cli, done, &report);
}

int cmd_journal_salvage(struct cli *cli) {
    struct copy_options options = {
        .from = cli->args[0],
        .to = cli->args[1],
        .salvages = true,
        .damage = tell_damage,
        .job = tell_job,
        .differs = tell_differs,
    };
    return copy(cli, &options, "salvaged");
}

int cmd_backup(struct cli *cli) {
    struct copy_options options = {.from = cli->args[0], .to = cli->args[1], .is_backup = true};
    options.damage = tell_damage;
    return copy(cli, &options, "backed up");
}

int cmd_restore(struct cli *cli) {
    struct copy_options options = {.from = cli->args[0], .to = cli->args[1]};
    options.damage = tell_damage;
    return copy(cli, &options, "restored");
}

/* --- dump --- */

struct dump {
    struct buf out;
    struct effect_scratch scratch;
    uint64_t damages;
    bool bodies;
};

static void dump_place(struct json_put *put, const struct journal_find *find, size_t at) {
    put_count(put, "segment", find->segment);
    put_count(put, "byte", find->offset + at);
}

static void dump_damage(struct dump *dump, const struct journal_find *find) {
    tell_damage(NULL, find);
    if (find->type == INSPECT_DAMAGE) dump->damages++;
}

/* All records of a batch, a line each. False: told. */
static bool dump_batch(struct dump *dump, const struct journal_find *find) {
    enum { HEADER_BYTES = 64 };
    struct slice bytes = find->batch.bytes;
    uint64_t pos = find->batch.first_pos;
    size_t used = 0;
    for (size_t at = 0; at < bytes.size; at += used, pos++) {
        struct effect effect;
        struct hob_error err = {0};
        struct slice rest = slice_of(bytes.bytes + at, bytes.size - at);
        used = effect_decode(rest, &dump->scratch, &effect, &err);
        if (used == 0) {
            (void)cli_fail(HOB_CORRUPT, "batch %" PRIu64 ": %s", find->batch.seq, err.text);
            dump->damages++;
            return true;
        }
        if (effect.type == EFFECT_BODY && !dump->bodies) effect.body.bytes = SLICE_NONE;
        struct json_put put = json_put_to(&dump->out);
        json_put_object(&put);
        dump_place(&put, find, HEADER_BYTES + at);
        put_count(&put, "batch", find->batch.seq);
        put_count(&put, "pos", pos);
        put_count(&put, "size", used);
        record_put(&put, &effect);
        json_put_object_end(&put);
        (void)buf_put_char(&dump->out, '\n');
        if (dump->out.size >= FLUSH_BYTES && !cli_flush(&dump->out)) return false;
    }
    return true;
}

static int dump_run(struct dump *dump, struct journal_inspect *inspect) {
    struct hob_error err = {0};
    enum hob_status status = HOB_OK;
    bool goes_on = true;
    while (goes_on) {
        struct journal_find find;
        status = journal_inspect_next(inspect, &find, &err);
        if (status != HOB_OK) break;
        if (find.type == INSPECT_BATCH) goes_on = dump_batch(dump, &find);
        if (find.type == INSPECT_DAMAGE || find.type == INSPECT_TORN) dump_damage(dump, &find);
        if (find.type == INSPECT_RESTART) {
            (void)fprintf(stderr, "hob: a server cleaned away what was being read\n");
        }
    }
    if (!cli_flush(&dump->out) || !goes_on) return status_exit_code(HOB_FAILED);
    if (status != HOB_NOT_FOUND) return cli_fail(status, "%s", err.text);
    return dump->damages > 0 ? status_exit_code(HOB_CORRUPT) : 0;
}

int cmd_journal_dump(struct cli *cli) {
    struct journal_inspect *inspect = NULL;
    struct hob_error err = {0};
    enum hob_status status = journal_inspect_open(cli->args[0], &inspect, &err);
    if (status != HOB_OK) return cli_fail(status, "%s", err.text);
    struct dump dump = {.out = buf_make(OUT_BYTES_MAX), .bodies = cli_has(cli, "bodies")};
    int code = dump_run(&dump, inspect);
    effect_scratch_deinit(&dump.scratch);
    buf_deinit(&dump.out);
    journal_inspect_close(inspect);
    return code;
}
