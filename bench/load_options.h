/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of the load generator. */
#ifndef HOB_BENCH_LOAD_OPTIONS_H
#define HOB_BENCH_LOAD_OPTIONS_H

#include "load.h"

/** Read the arguments. Answers the protocol; NULL when they are wrong, and says so on stderr. */
const struct load_protocol *
load_options_parse(int argc, char **argv, struct load_options *ret_options);

#endif
