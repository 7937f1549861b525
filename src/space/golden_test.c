/* SPDX-License-Identifier: Apache-2.0 */
/* Journals that older versions wrote are read by this one, for ever: tests/golden/journal-N was
 * written when the format was N. What it tells is compared with a text that was written then, line
 * by line; and this version goes on in a copy of it. A test that fails here means that data of
 * users cannot be read any more: the reader is to be mended, never these files. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/status.h"
#include "base/test.h"
#include "space/copy.h"
#include "space/space.h"

enum { TEXT_BYTES_MAX = 1024 * 1024 };

/* The number is that of the format; what the others have of it was not known to the first. */
static const char *const journals[] = {"0", "1", "1-digests"};
enum { JOURNALS = sizeof journals / sizeof journals[0] };

static void path_of(int journal, const char *name, char *ret_path, size_t size) {
    (void)snprintf(ret_path, size, "%s/journal-%s%s", GOLDEN_DIRECTORY, journals[journal], name);
}

static void put_body(struct buf *out, const char *name, const struct body_ref *body) {
    if (body->id == 0) return;
    (void)buf_printf(out, " %s=%llu/%u", name, (unsigned long long)body->id, body->size);
}

/* What a job says, without what other versions may reckon otherwise. */
static void put_job(struct buf *out, const struct job_view *job) {
    (void)buf_printf(
        out,
        "%llu %s %.*s %.*s priority=%u attempt=%u/%u releases=%u",
        (unsigned long long)job->id,
        job_state_word(job->state),
        SLICE_ARG(job->queue),
        SLICE_ARG(job->kind),
        job->priority,
        job->attempt,
        job->attempt_max,
        job->releases
    );
    (void)buf_printf(
        out,
        " created=%llu run_at=%llu timeout=%llu keep=%llu token=%llu percent=%u errors=%u logs=%u",
        (unsigned long long)job->created_ns,
        (unsigned long long)job->run_at_ns,
        (unsigned long long)job->timeout_ns,
        (unsigned long long)job->keep_ns,
        (unsigned long long)job->token,
        job->percent,
        job->error_count,
        job->log_count
    );
    const struct slice texts[] = {
        job->key,
        job->ref,
        job->group,
        job->unique,
        job->tags,
        job->headers,
        job->content_type,
        job->worker,
        job->progress_text,
        job->by,
        job->why,
    };
    for (size_t i = 0; i < hob_countof(texts); i++) {
        (void)buf_printf(out, " [%.*s]", SLICE_ARG(texts[i]));
    }
    put_body(out, "payload", &job->payload_body);
    put_body(out, "result", &job->result);
    put_body(out, "checkpoint", &job->checkpoint);
    (void)buf_printf(out, " front=%d on_done=%zu payload:", job->front, job->on_done.size);
    for (size_t i = 0; i < job->payload.size && i < 40; i++) {
        (void)buf_printf(out, "%02x", (unsigned)(unsigned char)job->payload.bytes[i]);
    }
    (void)buf_put_char(out, '\n');
}

static void put_queue(struct buf *out, const struct queue_view *queue) {
    (void)buf_printf(
        out,
        "queue %.*s tier=%u weight=%u concurrency=%u paused=%d [%.*s] [%.*s]\n",
        SLICE_ARG(queue->name),
        queue->tier,
        queue->weight,
        queue->concurrency,
        queue->paused,
        SLICE_ARG(queue->paused_by),
        SLICE_ARG(queue->paused_why)
    );
}

static void put_state(struct buf *out, const struct engine *engine) {
    struct engine_stats stats;
    engine_stats(engine, &stats);
    (void)buf_printf(
        out,
        "jobs=%llu keys=%u tokens=%u next_id=%llu\n",
        (unsigned long long)stats.jobs,
        stats.keys,
        stats.tokens,
        (unsigned long long)stats.next_id
    );
    struct queue_view queue;
    for (uint32_t i = 0; engine_queue_at(engine, i, &queue); i++) put_queue(out, &queue);
    struct token_view token;
    for (uint32_t i = 0; engine_token_at(engine, i, &token); i++) {
        (void)buf_printf(out, "token %.*s scopes=%u\n", SLICE_ARG(token.name), token.scopes);
    }
    struct job_view job;
    for (uint64_t id = 1; id < stats.next_id; id++) {
        if (engine_job(engine, id, &job)) put_job(out, &job);
    }
}

static void file_read_text(const char *path, struct buf *out) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) fail_msg("there is no %s", path);
    char *to = buf_reserve(out, TEXT_BYTES_MAX / 2);
    CHECK(to != NULL);
    out->size = fread(to, 1, TEXT_BYTES_MAX / 2, file);
    (void)fclose(file);
}

/* HOB_GOLDEN_WRITE=1 writes the text: for a new format, and then never again. */
static void file_write_text(const char *path, const struct buf *text) {
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL);
    CHECK_EQUAL(fwrite(text->bytes, 1, text->size, file), text->size);
    CHECK_EQUAL(fclose(file), 0);
}

static void check_lines(const struct buf *got, const struct buf *wanted) {
    size_t at = 0;
    while (at < got->size && at < wanted->size && got->bytes[at] == wanted->bytes[at]) at++;
    if (at == got->size && at == wanted->size) return;
    size_t line = at;
    while (line > 0 && got->bytes[line - 1] != '\n') line--;
    fail_msg("byte %zu: got\n%.300s\nwanted\n%.300s", at, got->bytes + line, wanted->bytes + line);
}

TEST(journals_of_each_format_tell_what_they_always_told) {
    for (int journal = 0; journal < JOURNALS; journal++) {
        char path[512];
        path_of(journal, "", path, sizeof path);
        struct copy_options options = {0};
        struct copy_report report;
        struct replica *replica = NULL;
        struct hob_error err = {0};
        enum hob_status status = journal_check(path, &options, &report, &replica, &err);
        if (status != HOB_OK) fail_msg("%s: %s", path, err.text);
        bool has_digests = strchr(journals[journal], 'd') != NULL;
        CHECK_EQUAL(report.compared > 0, has_digests);
        HOB_AUTO_BUF struct buf got = buf_make(TEXT_BYTES_MAX);
        put_state(&got, replica_engine(replica));
        (void)buf_put_char(&got, '\0');
        got.size--;
        replica_free(replica);
        path_of(journal, "/expected.txt", path, sizeof path);
        if (getenv("HOB_GOLDEN_WRITE") != NULL) { /* NOLINT(concurrency-mt-unsafe) */
            if (access(path, F_OK) != 0) file_write_text(path, &got);
        }
        HOB_AUTO_BUF struct buf wanted = buf_make(TEXT_BYTES_MAX);
        file_read_text(path, &wanted);
        (void)buf_put_char(&wanted, '\0');
        wanted.size--;
        check_lines(&got, &wanted);
    }
}

static void run(char *const *argv) {
    pid_t child = fork();
    if (child == 0) {
        (void)execvp(argv[0], argv);
        _exit(1);
    }
    int code = 0;
    CHECK_EQUAL(waitpid(child, &code, 0), child);
    CHECK_EQUAL(code, 0);
}

static void on_answer(void *context, const struct answer *answer) {
    (void)context;
    (void)answer;
}

static struct space *space_at(const char *path, hob_ns now_ns) {
    struct journal_file_options file = {.path = path, .segment_bytes = 64 * 1024};
    struct space_options options = {.sink = {.answer = on_answer}};
    struct space_recovery recovery;
    struct journal *journal = NULL;
    struct space *space = NULL;
    struct hob_error err = {0};
    enum hob_status status = journal_file_open(&file, (struct journal_wake){0}, &journal, &err);
    if (status == HOB_OK) status = space_open(journal, &options, now_ns, &space, &recovery, &err);
    if (status != HOB_OK) fail_msg("%s: %s", path, err.text);
    return space;
}

/* Bodies come back too, and what this version adds stands behind what the old one wrote. */
TEST(this_version_goes_on_where_an_older_one_stopped) {
    for (int journal = 0; journal < JOURNALS; journal++) {
        char directory[64] = "/tmp/hob-golden-XXXXXX";
        char from[512];
        CHECK(mkdtemp(directory) != NULL);
        path_of(journal, "/.", from, sizeof from);
        char *copy[] = {(char *)"cp", (char *)"-r", from, directory, NULL};
        run(copy);
        hob_ns now_ns = 1;
        struct space *space = space_at(directory, now_ns);
        struct job_view job;
        CHECK(engine_job(space_engine(space), 2, &job));
        HOB_AUTO_BUF struct buf body = buf_make(TEXT_BYTES_MAX);
        CHECK_EQUAL(space_body(space, job.payload_body.id, &body, NULL), HOB_OK);
        CHECK_EQUAL(body.size, 3000);
        CHECK(body.bytes[0] == 'L' && body.bytes[2999] == 'L');
        struct engine_stats before;
        engine_stats(space_engine(space), &before);
        uint64_t last = 0;
        for (int i = 0; i < 100; i++) {
            struct command push = {.type = COMMAND_PUSH};
            push.push.queue = SLICE("new");
            push.push.kind = SLICE("k");
            push.push.payload = slice_of(body.bytes, 2000);
            struct answer answer;
            space_turn_begin(space, now_ns);
            space_apply(space, &push, &answer);
            (void)space_turn_end(space);
            CHECK_EQUAL(space_flush(space, NULL), HOB_OK);
            CHECK_EQUAL(answer.code, ANSWER_OK);
            CHECK(answer.id >= before.next_id);
            last = answer.id;
        }
        uint64_t digest = engine_digest(space_engine(space));
        space_close(space);
        space = space_at(directory, now_ns);
        CHECK(engine_digest(space_engine(space)) == digest);
        CHECK(engine_job(space_engine(space), last, &job));
        CHECK(engine_job(space_engine(space), 1, &job));
        engine_check(space_engine(space));
        space_close(space);
        char *remove[] = {(char *)"rm", (char *)"-rf", directory, NULL};
        run(remove);
    }
}

TESTS(
    journals_of_each_format_tell_what_they_always_told,
    this_version_goes_on_where_an_older_one_stopped
)
