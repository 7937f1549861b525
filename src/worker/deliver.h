/* SPDX-License-Identifier: Apache-2.0 */
/* The process that delivers callbacks: `hob callbacks-child PARENT`, which `hob serve` starts. It
 * is a worker as any other, in a process of its own, so that what strangers answer is never parsed
 * where the jobs are; its configuration and its two connections come from the server that started
 * it, by descriptors. People never type it. */
#ifndef HOB_WORKER_DELIVER_H
#define HOB_WORKER_DELIVER_H

/* The word that selects it on the command line of `hob`. */
#define DELIVER_WORD "callbacks-child"

#define DELIVER_QUEUE "hob.callbacks"
#define DELIVER_KIND  "hob.webhook"

/* Its secret when the job names none. */
#define DELIVER_SECRET "default"

enum deliver_fd {
    DELIVER_FD_CONFIG, /* to be read to its end: a configuration as config/config.h reads it */
    DELIVER_FD_NONE,
    DELIVER_FD_LOG,
    DELIVER_FD_CONTROL,
    DELIVER_FD_FETCH,
    DELIVER_FD_COUNT
};

/**
 * Be that process.
 *
 * @argc, @argv  the words behind DELIVER_WORD: the process id of the server
 * @version      of this program
 *
 * Answers  the exit code
 */
int deliver_main(int argc, char **argv, const char *version);

#endif
