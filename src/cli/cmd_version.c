/* SPDX-License-Identifier: Apache-2.0 */
/* `hob version`: one line, enough to know the build. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/version.h"

#ifdef __clang__
#    define COMPILER "built with"
#else
#    define COMPILER "built with gcc"
#endif

int cmd_version(struct cli *cli) {
    (void)cli;
    (void)printf("hob %s (" COMPILER " %s)\n", HOB_VERSION, __VERSION__);
    return 0;
}
