/* SPDX-License-Identifier: Apache-2.0 */
/* The journal in files passes the suite, with each way of syncing: the program's argument says
 * which. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "journal/rig.h"
#include "journal_conform.h"

static struct rig_dir dir;
static struct journal_file_options options;

static struct journal *open_again(uint64_t segment_bytes, struct journal_wake wake) {
    options.path = dir.path;
    options.segment_bytes = segment_bytes;
    struct journal *journal = NULL;
    struct hob_error err;
    enum hob_status status = journal_file_open(&options, wake, &journal, &err);
    if (status != HOB_OK) (void)fprintf(stderr, "%s\n", err.text);
    hob_assert(status == HOB_OK);
    return journal;
}

static void clean(void) {
    if (dir.path[0] != '\0') rig_dir_remove(&dir);
    dir.path[0] = '\0';
}

static struct journal *open_new(uint64_t segment_bytes, struct journal_wake wake) {
    clean();
    dir = rig_dir_make();
    return open_again(segment_bytes, wake);
}

int main(int argc, char **argv) {
    const char *durability = argc > 1 ? argv[1] : "always";
    options.no_sync = strcmp(durability, "none") == 0;
    options.sync_interval_ns = strcmp(durability, "interval") == 0 ? NS_PER_MS : 0;
    const struct journal_subject subject = {
        .name = "journal in files",
        .keeps = true,
        .open_new = open_new,
        .open_again = open_again,
        .clean = clean,
    };
    return journal_conform(&subject);
}
