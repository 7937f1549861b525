/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets have names in the configuration; jobs, logs and the command line carry the names.
 *
 *     secrets:
 *       billing: env:BILLING_SECRET      # a variable of the environment
 *       shop: file:/etc/hob/shop.key     # a file, without the newline at its end
 *       mail: credential:mail            # a file in $CREDENTIALS_DIRECTORY (systemd)
 *       test: whsec_…                    # or the secret itself
 *
 * Files that others can read are warned about. So are secrets that cannot be read; a worker does
 * not start when its kinds need one of them. */
#ifndef HOB_CONFIG_SECRETS_H
#define HOB_CONFIG_SECRETS_H

#include "config/yaml_read.h"

enum { SECRETS_MAX = 1000, SECRET_BYTES_MAX = 64 * 1024 };

/* What `hob config show` prints for what it must not show; refused when it is read. */
#define SECRET_REDACTED "(redacted)"

struct secret_config {
    const char *name;
    const char *reference; /* NULL: the secret itself stands in the file */
    struct slice text;     /* with a zero behind it; empty: it cannot be read here */
};

struct config;
struct config_input;

/** The secret of this name; empty: there is none, or it cannot be read here. */
struct slice config_secret(const struct config *config, struct slice name);

/** Report each use of a secret that there is not, or, where kinds are run, that cannot be read. */
HOB_CHECK enum hob_status secrets_check(struct yaml_read *read, const struct config *config);

/** Read what stands below `secrets:`; @into is the struct config. */
HOB_CHECK enum hob_status secrets_read(struct yaml_read *read, yaml_node_t *node, void *into);

#endif
