/* SPDX-License-Identifier: Apache-2.0 */
/* The problems that HTTP has beside the answers of the engine (engine/answer.h): each has a page
 * at /problems/CODE, which is the `type` of the response.
 *
 *   code          HTTP  title, and what to do */
#ifndef HOB_DIALECT_HTTP_PROBLEMS_H
#define HOB_DIALECT_HTTP_PROBLEMS_H

/* clang-format off */
#define HTTP_PROBLEMS(X)                                                                           \
    X("NOROUTE",     404, "there is no such path",                                                 \
      "jobs are at /v1/jobs; all paths are in /openapi.json")                                      \
    X("NOWORKER",    404, "there is no such worker",                                               \
      "a worker registers itself; one that was silent for an hour is forgotten")                   \
    X("NORESULT",    404, "the job has no result",                                                 \
      "wait until it is completed; a job may also complete without a result")                      \
    X("METHOD",      405, "the path does not have this method",                                    \
      "the header Allow says which methods it has")                                                \
    X("ACCEPT",      406, "no media type of this path is accepted",                                \
      "name one of those that the detail lists in Accept, or leave Accept out")                    \
    X("TYPE",        415, "the body has a type that this path does not read",                      \
      "send JSON and say so: Content-Type: application/json")                                      \
    X("ORIGIN",      403, "a page of another site may not change anything here",                   \
      "browsers tell by Origin and Sec-Fetch-Site where a request comes from; use the API from "   \
      "programs, or from pages that this server serves")                                           \
    X("HOST",        421, "this server is not called that",                                        \
      "use its IP address or localhost, or name it with --host when the server is started")        \
    X("ERR",         400, "the request is not valid, or could not be served",                      \
      "the detail says why")
/* clang-format on */

#endif
