/* SPDX-License-Identifier: MIT */
/*
 * show.h - print services to stdout: as a table, or by --verbose, --format or --json.  All text
 * from etcd goes through terminal.h.
 */
#ifndef ETCDREG_CLI_SHOW_H
#define ETCDREG_CLI_SHOW_H

#include <stddef.h>

#include "lib/etcd-registry.h"
#include "options.h"

/* Prints a list; --json: an array, one document a line.  An empty list prints nothing else. */
void show_list(const struct options *opts, struct etcdreg_entry *const *entries, size_t len);

/* Prints one service; --json: its document. */
void show_one(const struct options *opts, struct etcdreg_entry *entry);

/* Prints one change as one line. */
void show_change(const struct options *opts, const struct etcdreg_change *change);

#endif
