/* SPDX-License-Identifier: Apache-2.0 */
/* The screen is not cleared and no second screen is used: the cursor goes up over what was drawn,
 * each line is erased to its end, and the last picture stays when it is over. After a resize the
 * terminal has wrapped the lines anew, so then the whole screen is cleared.
 *
 * In a pipe, rows are compared by a hash of their line: a line that the last look did not have is
 * printed. Lines carry the id or name of their row and exact times, so equal lines are equal
 * rows. */
#include "cli/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/siphash.h"
#include "base/text.h"
#include "cli/interrupt.h"
#include "cli/print.h"
#include "os/clock.h"

enum { OUT_BYTES_MAX = 64 * 1024 * 1024, ROWS_IN_PIPE = 1000, LINES_BESIDE = 3 };

#define EVERY_DEFAULT (1 * NS_PER_SECOND)
#define EVERY_MIN     (100 * NS_PER_MS)
#define HIDE_CURSOR   "\x1b[?25l"
#define SHOW_CURSOR   "\x1b[?25h"
#define ERASE_LINE    "\x1b[K"
#define ERASE_BELOW   "\x1b[J"
#define CLEAR_SCREEN  "\x1b[H\x1b[2J"

struct watch {
    struct cli *cli;
    watch_look_fn *look;
    hob_ns every;
    struct buf seen;
    size_t drawn;    /* lines on the screen */
    uint64_t *known; /* hashes of the lines of the last look, sorted */
    size_t known_count;
};

/* --- on a terminal --- */

static void put_head(struct buf *out, const struct watch *watch) {
    HOB_AUTO_BUF struct buf line = buf_make(200);
    (void)buf_printf(&line, "hob %s, ", watch->cli->command->name);
    (void)text_put_time(&line, clock_wall() / NS_PER_SECOND * NS_PER_SECOND);
    (void)buf_put_str(&line, ", every ");
    cli_put_span(&line, watch->every);
    (void)buf_put_str(&line, "; Ctrl-C ends it");
    HOB_AUTO_BUF struct buf cut = buf_make(400);
    size_t columns = watch->cli->term.columns;
    size_t width = term_width(buf_slice(&line));
    term_put_padded(&cut, buf_slice(&line), width < columns ? width : columns, false);
    term_put_styled(out, &watch->cli->term, STYLE_DIM, buf_slice(&cut));
    (void)buf_put_char(out, '\n');
}

static void draw(struct watch *watch) {
    HOB_AUTO_BUF struct buf out = buf_make(OUT_BYTES_MAX);
    if (interrupt_resized()) {
        term_measure(&watch->cli->term);
        (void)buf_put_str(&out, CLEAR_SCREEN);
    } else if (watch->drawn > 0) {
        (void)buf_printf(&out, "\r\x1b[%zuA", watch->drawn);
    }
    HOB_AUTO_BUF struct buf picture = buf_make(OUT_BYTES_MAX);
    put_head(&picture, watch);
    (void)buf_put_slice(&picture, buf_slice(&watch->seen));
    watch->drawn = 0;
    size_t lines_max = watch->cli->term.lines - (watch->cli->term.lines > 1 ? 1 : 0);
    for (size_t at = 0; at < picture.size && watch->drawn < lines_max; watch->drawn++) {
        const char *end = memchr(picture.bytes + at, '\n', picture.size - at);
        hob_assert(end != NULL);
        size_t size = (size_t)(end - picture.bytes) - at;
        (void)buf_put(&out, picture.bytes + at, size);
        (void)buf_put_str(&out, ERASE_LINE "\n");
        at += size + 1;
    }
    (void)buf_put_str(&out, ERASE_BELOW);
    (void)cli_flush(&out);
    (void)fflush(stdout);
}

/* --- in a pipe --- */

static int compare_hashes(const void *a, const void *b) {
    const uint64_t *left = a;
    const uint64_t *right = b;
    return *left < *right ? -1 : *left > *right;
}

static bool print_changes(struct watch *watch) {
    HOB_AUTO_BUF struct buf out = buf_make(OUT_BYTES_MAX);
    const struct buf *seen = &watch->seen;
    size_t count = 0;
    for (size_t i = 0; i < seen->size; i++) count += seen->bytes[i] == '\n';
    uint64_t *hashes = calloc(count + 1, sizeof *hashes);
    hob_assert(hashes != NULL);
    count = 0;
    static const struct siphash_key key = {0};
    for (size_t at = 0; at < seen->size;) {
        const char *end = memchr(seen->bytes + at, '\n', seen->size - at);
        hob_assert(end != NULL);
        size_t size = (size_t)(end - seen->bytes) - at + 1;
        uint64_t hash = siphash(key, slice_of(seen->bytes + at, size));
        hashes[count++] = hash;
        bool known = watch->known_count > 0 &&
                     bsearch(&hash, watch->known, watch->known_count, sizeof hash, compare_hashes);
        if (!known) (void)buf_put(&out, seen->bytes + at, size);
        at += size;
    }
    qsort(hashes, count, sizeof *hashes, compare_hashes);
    free(watch->known);
    watch->known = hashes;
    watch->known_count = count;
    return cli_flush(&out) && fflush(stdout) == 0;
}

/* --- both --- */

static int loop(struct watch *watch, bool drawing) {
    struct cli *cli = watch->cli;
    while (!interrupt_came()) {
        size_t room = cli->term.lines > LINES_BESIDE ? cli->term.lines - LINES_BESIDE : 1;
        buf_reset(&watch->seen);
        cli->titled = false;
        if (!watch->look(cli, &watch->seen, drawing ? room : ROWS_IN_PIPE)) return cli->exit_code;
        if (interrupt_came()) break;
        if (drawing) {
            draw(watch);
        } else if (!print_changes(watch)) {
            return status_exit_code(HOB_FAILED);
        }
        interrupt_pause(watch->every);
    }
    return EXIT_INTERRUPTED;
}

int watch_run(struct cli *cli, watch_look_fn *look) {
    struct watch watch = {
        .cli = cli, .look = look, .every = EVERY_DEFAULT, .seen = buf_make(OUT_BYTES_MAX)};
    if (cli_value(cli, "watch")[0] != '\0' && !cli_span(cli, "watch", &watch.every)) {
        return cli->exit_code;
    }
    if (watch.every < EVERY_MIN) return cli_usage(cli, "--watch: at most ten times a second");
    bool drawing = cli->form == FORM_TABLE && cli->term.out && cli->term.smart;
    /* Times as people say them would change all lines all the time. */
    if (!drawing && cli->form == FORM_TABLE) cli->form = FORM_TABS;
    interrupt_begin();
    if (drawing) (void)fputs(HIDE_CURSOR, stdout);
    int code = loop(&watch, drawing);
    if (drawing) (void)fputs(SHOW_CURSOR "\n", stdout); /* the terminal has shown ^C */
    buf_deinit(&watch.seen);
    free(watch.known);
    return code;
}
