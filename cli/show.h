/* SPDX-License-Identifier: MIT */
/*
 * show.h - services on stdout, in the form that the options ask for: a table, --verbose, --format
 * or --json.  Whatever etcd holds goes through terminal.h.
 */
#ifndef ETCDREG_CLI_SHOW_H
#define ETCDREG_CLI_SHOW_H

#include <stddef.h>

#include "lib/etcd-registry.h"
#include "options.h"

/* With --json an array, one document to a line.  None: nothing else is printed. */
void show_list(const struct options *opts, struct etcdreg_entry *const *entries, size_t len);

/* With --json the document. */
void show_one(const struct options *opts, struct etcdreg_entry *entry);

/* One line. */
void show_change(const struct options *opts, const struct etcdreg_change *change);

#endif
