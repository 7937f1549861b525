/* SPDX-License-Identifier: Apache-2.0 */
/* fsync DIRECTORY [SECONDS]: how often a second this disk makes 4 KiB durable: overwrites of a
 * preallocated file, each followed by fdatasync. The ceiling of every queue that syncs, whatever it
 * is written in. Prints one line of key=value. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK_BYTES = 4096, BLOCKS = 4096, SECONDS_DEFAULT = 3 };

static int die(const char *what) {
    (void)fprintf(stderr, "fsync: %s: %s\n", what, strerrordesc_np(errno));
    return 1;
}

static double now(void) {
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    if (argc < 2 || argc > 3) {
        (void)fputs("usage: fsync DIRECTORY [SECONDS]\n", stderr);
        return 2;
    }
    double seconds = argc == 3 ? strtod(argv[2], NULL) : SECONDS_DEFAULT;
    int directory = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return die(argv[1]);
    static const char name[] = "fsync.tmp";
    int file = openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) return die(name);
    (void)unlinkat(directory, name, 0); /* gone with this process, however it ends */
    static char block[BLOCK_BYTES];
    memset(block, 'x', sizeof(block));
    /* Written, not only reserved: an extent that was never written costs metadata at each sync. */
    for (int i = 0; i < BLOCKS; i++) {
        if (pwrite(file, block, sizeof(block), (off_t)i * BLOCK_BYTES) < 0) return die("write");
    }
    if (fsync(file) < 0) return die("fsync");
    double start = now();
    long count = 0;
    while (now() - start < seconds) {
        block[0] = (char)count;
        off_t at = (off_t)(count % BLOCKS) * BLOCK_BYTES;
        if (pwrite(file, block, sizeof(block), at) < 0) return die("write");
        if (fdatasync(file) < 0) return die("fdatasync");
        count++;
    }
    double took = now() - start;
    (void)printf("syncs=%ld seconds=%.3f rate=%.0f\n", count, took, (double)count / took);
    return 0;
}
