/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of the checker. */
#ifndef HOB_TORTURE_RIG_H
#define HOB_TORTURE_RIG_H

#include "torture/checker.h"

/** Judge a history that is written as its lines, each ended; what is wrong is counted, not told. */
struct checker_verdict rig_judge(const char *text);

#endif
