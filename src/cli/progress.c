/* SPDX-License-Identifier: Apache-2.0 */
/* The clock is read at each call: that costs some 25 ns, less than what is counted. */
#include "cli/progress.h"

#include <stdio.h>

#include "cli/print.h"
#include "os/clock.h"

#define FIRST_NS  NS_PER_SECOND
#define OVER_NS   (200 * NS_PER_MS)
#define LINES_NS  (10 * NS_PER_SECOND)
#define ERASE_EOL "\x1b[K"

enum { LINE_BYTES_MAX = 400 };

struct progress progress_begin(const char *what, uint64_t total, bool over) {
    hob_ns now = clock_monotonic();
    return (struct progress){
        .what = what,
        .total = total,
        .over = over,
        .begun = now,
        .next = ns_add(now, over ? FIRST_NS : LINES_NS),
    };
}

/* "12,000 of 50,000 jobs cancelled, 8,100 a second, 5 s left" */
static void put_line(struct buf *out, const struct progress *progress, uint64_t done, hob_ns now) {
    cli_put_count(out, done);
    if (progress->total > 0) {
        (void)buf_put_str(out, " of ");
        cli_put_count(out, progress->total);
    }
    (void)buf_printf(out, " %s", progress->what);
    hob_ns spent = now - progress->begun;
    if (done == 0 || spent == 0) return;
    double rate = (double)done / ((double)spent / (double)NS_PER_SECOND);
    (void)buf_put_str(out, ", ");
    cli_put_count(out, (uint64_t)rate);
    (void)buf_put_str(out, " a second");
    if (progress->total < done) return;
    double left = (double)(progress->total - done) / rate;
    if (left > 1e9) return;
    (void)buf_put_str(out, ", ");
    cli_put_span(out, (hob_ns)(left * (double)NS_PER_SECOND) / NS_PER_SECOND * NS_PER_SECOND);
    (void)buf_put_str(out, " left");
}

void progress_tell(struct progress *progress, uint64_t done) {
    hob_ns now = clock_monotonic();
    if (now < progress->next) return;
    progress->next = ns_add(now, progress->over ? OVER_NS : LINES_NS);
    HOB_AUTO_BUF struct buf line = buf_make(LINE_BYTES_MAX);
    put_line(&line, progress, done, now);
    (void)fprintf(
        stderr,
        "%s%.*s%s",
        progress->over ? "\r" : "",
        SLICE_ARG(buf_slice(&line)),
        progress->over ? ERASE_EOL : "\n"
    );
    (void)fflush(stderr);
    progress->told = progress->over;
}

void progress_clear(struct progress *progress) {
    if (progress->told) (void)fprintf(stderr, "\r" ERASE_EOL);
    progress->told = false;
}
