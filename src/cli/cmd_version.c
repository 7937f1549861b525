/* SPDX-License-Identifier: Apache-2.0 */
/* `hob version`: one line, enough to know the build. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/version.h"

int cmd_version(struct cli *cli) {
    (void)cli;
    (void)printf("hob %s (%s)\n", HOB_VERSION, __VERSION__);
    return 0;
}
