/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of RESP commands. A row and the function that it names are all that a command
 * needs: arity checks, "wrong number of arguments", HELP, COMMAND and "do you mean" come from the
 * row. Rows are looked for from the top: the hot ones come first. */
#ifndef HOB_DIALECT_RESP_COMMANDS_H
#define HOB_DIALECT_RESP_COMMANDS_H

/* ANY_COUNT: no upper bound. Counts are of arguments behind the command word.
 *
 * The scope is what a caller needs (dialect/access.h); what the command touches is checked by
 * session_apply, session_job and their like.
 *
 *  name           function         scope    min  max        usage, what it does */
/* clang-format off */
#define RESP_COMMANDS(X)                                                                           \
    X("PUSH",       resp_push,       PUSH,    3, ANY_COUNT,                                        \
      "queue kind payload [option value ...]",                                                     \
      "add a job to a queue")                                                                      \
    X("ACK",        resp_ack,        WORK,    2, 3, "id token [result]",                           \
      "finish a leased job")                                                                       \
    X("FETCH",      resp_fetch,      WORK,    3, ANY_COUNT, "worker [COUNT n] [WAIT ms] "          \
      "[MODE weighted|listed|merged] [SAME nothing|kind|group] [LEASE ms] [FORM array|map] "       \
      "QUEUES queue ...",                                                                          \
      "lease the next jobs to a worker, waiting for one if asked")                                 \
    X("MACK",       resp_mack,       WORK,    2, ANY_COUNT, "id token [id token ...]",             \
      "finish several leased jobs")                                                                \
    X("MPUSH",      resp_mpush,      PUSH,    5, ANY_COUNT,                                        \
      "[ATOMIC] [SPREAD ms] n (queue kind payload optc [option value ...]) ...",                   \
      "add several jobs, each for itself, or all or none of them")                                 \
    X("FAIL",       resp_fail_job,   WORK,    3, ANY_COUNT,                                        \
      "id token message [WHAT class] [CAUSE word] "                                                \
      "[CODE n] [BACKTRACE text] [PERMANENT] [RETRYIN ms] [PAUSELIMITER ms]",                      \
      "end an attempt: retry later or discard")                                                    \
    X("MFAIL",      resp_mfail,      WORK,    3, ANY_COUNT, "message id token [id token ...]",     \
      "end several attempts")                                                                      \
    X("EXTEND",     resp_extend,     WORK,    2, 3, "id token [ms]",                               \
      "lengthen a lease")                                                                          \
    X("BEAT",       resp_beat,       WORK,    1, ANY_COUNT,                                        \
      "worker [ms] [GRACE ms] [HOLDS id token ...]",                                               \
      "a worker is alive: its leases stay, or those that it names")                                \
    X("LOG",        resp_log,        WORK,    4, ANY_COUNT, "id token [STREAM out|err|sys] "       \
      "[LEVEL debug|info|warn|error] [AT unix-ms] LINES line ...",                                 \
      "add lines to the log of the running attempt")                                               \
    X("PROGRESS",   resp_progress,   WORK,    3, 4, "id token percent [text]",                     \
      "say how far a running job is")                                                              \
    X("CHECKPOINT", resp_checkpoint, WORK,    3, 3, "id token bytes",                              \
      "save what the next attempt shall receive")                                                  \
    X("RELEASE",    resp_release,    WORK,    2, 4, "id token [DELAY ms]",                         \
      "give a leased job back without counting the attempt")                                       \
    X("GET",        resp_get,        READ,    1, 3, "id [WAIT ms]",                                \
      "show a job, waiting until it is final if asked")                                            \
    X("WAIT",       resp_wait,       READ,    2, 2, "id ms",                                       \
      "as GET id WAIT ms")                                                                         \
    X("WORKER",     resp_worker,     WORK,    1, ANY_COUNT,                                        \
      "name [FRESH] [SLOTS n] [LABELS label,...] [KINDS n kind ...]",                              \
      "register a worker; this connection keeps it alive")                                         \
    X("FIND",       resp_find,       READ,    1, 1, "ref",                                         \
      "the newest job with this ref")                                                              \
    X("RESULT",     resp_result,     READ,    1, 1, "id",                                          \
      "the result of a completed job")                                                             \
    X("PAYLOAD",    resp_payload,    READ,    1, 1, "id",                                          \
      "the payload of a job")                                                                      \
    X("LOGS",       resp_logs,       READ,    1, ANY_COUNT,                                        \
      "id [ATTEMPT n] [AFTER seq] [COUNT n] [WAIT ms]",                                            \
      "the lines of the log of a job, waiting for more if asked")                                  \
    X("SEARCH",     resp_search,     READ,    0, ANY_COUNT, "[TEXT t] [QUEUE q] [KIND k] "         \
      "[STATE s ...] [LEVEL l] [SINCE time] [UNTIL time] [BEFORE cursor] [COUNT n]",               \
      "search what jobs said, from new to old")                                                    \
    X("LS",         resp_ls,         READ,    0, ANY_COUNT, "[QUEUE q] [KIND k] [STATE s ...] "    \
      "[TAG t] [KEY k] [REF r] [PARENT id] [SINCE t] [UNTIL t] [BEFORE id] [COUNT n]",             \
      "list jobs, from new to old")                                                                \
    X("CANCEL",     resp_cancel,     MANAGE,  1, 5, "id [BY who] [WHY text]",                      \
      "stop a job that is not final")                                                              \
    X("DISCARD",    resp_discard,    MANAGE,  1, 5, "id [BY who] [WHY text]",                      \
      "end a waiting job as failed")                                                               \
    X("UPDATE",     resp_update,     MANAGE,  2, ANY_COUNT,                                        \
      "id [IFVERSION n] [QUEUE q] [PAYLOAD bytes] [PRIORITY n] [DELAY ms] [AT unix-ms] "           \
      "[ATTEMPTS n] [TIMEOUT ms] [KEEP ms] [BACKOFF spec] [TAGS tag,...] [HEADERS json] "          \
      "[TYPE type] [ONDONE json] [GROUP name] [FRONT | NOFRONT] [LIMITERS name,...]",              \
      "change fields of a waiting job; answers its version")                                       \
    X("RETRY",      resp_retry,      MANAGE,  1, 5, "id [BY who] [WHY text]",                      \
      "make a final or waiting job available now")                                                 \
    X("DELETE",     resp_delete,     MANAGE,  1, 1, "id",                                          \
      "remove a job and everything it holds")                                                      \
    X("PAUSE",      resp_pause,      MANAGE,  1, 9,                                                \
      "name [KIND | LIMITER | GROUPOF queue] [UNTIL unix-ms | FOR ms] [BY who] [WHY text]",        \
      "let no more jobs of a queue start, or of a kind, a limiter, a group")                       \
    X("RESUME",     resp_resume,     MANAGE,  1, 3,                                                \
      "name [KIND | LIMITER | GROUPOF queue]",                                                     \
      "let them start again")                                                                      \
    X("KIND",       resp_kind,       READ_ALL, 1, 1, "name",                                       \
      "show whether a kind is paused")                                                             \
    X("KINDS",      resp_kinds,      READ_ALL, 0, 5, "[AFTER name] [COUNT n] [STOPPED]",           \
      "show the kinds that are paused")                                                            \
    X("LIMITER",    resp_limiter,    READ_ALL, 1, 8,                                               \
      "name [CONCURRENCY n] [RATE n/span|none] [BURST n] [RESET]",                                 \
      "show a limiter, or set it; a name with a * is a rule")                                      \
    X("LIMITERS",   resp_limiters,   READ_ALL, 0, 5, "[AFTER name] [COUNT n] [STOPPED]",           \
      "show all limiters and rules")                                                               \
    X("GROUP",      resp_group,      READ,    2, 11,                                               \
      "queue name [WEIGHT n] [CONCURRENCY n] [RATE n/span|none] [BURST n] [RESET]",                \
      "show a group of a queue, or set it")                                                        \
    X("GROUPS",     resp_groups,     READ,    1, 6, "queue [AFTER name] [COUNT n] [STOPPED]",      \
      "show the groups of a queue, or those that are paused or blocked")                           \
    X("SKIP",       resp_skip,       MANAGE,  2, 2, "queue group",                                 \
      "go on after the job that blocks a group; answers its id")                                   \
    X("QUEUE",      resp_queue,      READ,    1, 33,                                               \
      "name [ORDER fifo|lifo] [TIER n] [WEIGHT n] [CONCURRENCY n] [RATE n/span|none] [BURST n] "   \
      "[AGING ms] [LENGTH n] [ONFULL reject|drop_oldest|drop_newest] [GROUPCONCURRENCY n] "        \
      "[GROUPRATE n/span|none] [GROUPBURST n] [GROUPORDER loose|block|skip|park] "                 \
      "[KEEP duration count] [KEEPFAILED duration count]",                                         \
      "show a queue, or change its settings")                                                      \
    X("QUEUES",     resp_queues,     READ,    0, 4, "[FROM n] [COUNT n]",                          \
      "show all queues")                                                                           \
    X("NEXT",       resp_next,       READ,    1, 3, "queue [COUNT n]",                             \
      "the jobs of a queue that would be fetched next, in order")                                  \
    X("WORKERS",    resp_workers,    READ_ALL, 0, 4, "[FROM n] [COUNT n]",                         \
      "show all workers")                                                                          \
    X("STATS",      resp_stats,      READ,    0, ANY_COUNT,                                        \
      "[QUEUE q | KIND k | ALL [SERIES] [SINCE time]]",                                            \
      "figures of this server; what happened to jobs, by queue and kind")                          \
    X("UNSERVED",   resp_unserved,   READ,    0, 0, "",                                            \
      "kinds with available jobs that no live worker runs")                                        \
    X("EXPLAIN",    resp_explain,    READ,    1, 1, "id",                                          \
      "why a job does not run: every gate between it and a worker")                                \
    X("HELP",       resp_help,       ANY,     0, 1, "[command]",                                   \
      "this table")                                                                                \
    X("SUBSCRIBE",  resp_subscribe,  READ,    1, ANY_COUNT, "channel ...",                         \
      "hear of jobs: hob:job:ID hob:queue:NAME hob:kind:KIND hob:finished hob:events")             \
    X("UNSUBSCRIBE", resp_unsubscribe, ANY,   0, ANY_COUNT, "[channel ...]",                       \
      "no longer, or of none")                                                                     \
    X("PSUBSCRIBE", resp_psubscribe, READ,    1, ANY_COUNT, "pattern ...",                         \
      "hear of jobs on all channels that a glob fits")                                             \
    X("PUNSUBSCRIBE", resp_punsubscribe, ANY, 0, ANY_COUNT, "[pattern ...]",                       \
      "no longer, or of none")                                                                     \
    X("MULTI",      resp_multi,      ANY,     0, 0, "",                                            \
      "keep the commands that follow for EXEC")                                                    \
    X("EXEC",       resp_exec,       ANY,     0, 0, "",                                            \
      "run them as one block; DISCARD without an id forgets them")                                 \
    X("PING",       resp_ping,       NONE,    0, 1, "[text]",                                      \
      "answer PONG or the text")                                                                   \
    X("ECHO",       resp_echo,       ANY,     1, 1, "text",                                        \
      "answer the text")                                                                           \
    X("HELLO",      resp_hello,      NONE,    0, ANY_COUNT,                                        \
      "[2|3 [AUTH user token] [SETNAME name]]",                                                    \
      "choose the version of RESP, and show a token")                                              \
    X("AUTH",       resp_auth,       NONE,    1, 2, "[name] token",                                \
      "show a token")                                                                              \
    X("TOKEN",      resp_token,      ADMIN,   1, ANY_COUNT,                                        \
      "CREATE name SCOPE word [...] [QUEUE glob ...] [EXPIRES ms] [BY who] | "                     \
      "REVOKE name [FORCE] | LIST",                                                                \
      "make, revoke, list tokens; a new one is told this once")                                    \
    X("AUDIT",      resp_audit,      ADMIN,   0, 4, "[SINCE time] [COUNT n]",                      \
      "who did what: the latest lines of the audit trail")                                         \
    X("SELECT",     resp_select,     ANY,     1, 1, "0",                                           \
      "accepted, for clients that choose a database")                                              \
    X("CLIENT",     resp_client,     ANY,     1, ANY_COUNT,                                        \
      "SETNAME name | SETINFO LIB-NAME|LIB-VER text | GETNAME | ID | INFO",                        \
      "what Redis clients send on connect")                                                        \
    X("COMMAND",    resp_command,    ANY,     0, ANY_COUNT,                                        \
      "[COUNT | LIST | DOCS [name ...] | INFO [name ...]]",                                        \
      "this table, for Redis clients")                                                             \
    X("INFO",       resp_info,       ANY,     0, ANY_COUNT, "[section ...]",                       \
      "figures of this server, as Redis clients read them")                                        \
    X("RESET",      resp_reset,      NONE,    0, 0, "",                                            \
      "back to RESP2, without a name")                                                             \
    X("CONFIG",     resp_config,     ANY,     1, ANY_COUNT, "GET pattern ...",                     \
      "the few settings that Redis clients ask for")                                               \
    X("TIME",       resp_time,       ANY,     0, 0, "",                                            \
      "the time of this server: seconds and microseconds")                                         \
    X("QUIT",       resp_quit,       NONE,    0, 0, "",                                            \
      "close the connection")
/* clang-format on */

#endif
