/* SPDX-License-Identifier: MIT */
/*
 * table.h - memory that outlives a worker: made by the keeper, shared with every worker that it
 * forks.  In it are the leases (leases.h) and one snapshot of what the worker knew (snapshot.h).
 *
 * A snapshot is written beside the one that is valid, and becomes valid by one store: whenever the
 * writer is killed, a whole one can be read.  It has at most TABLE_MAX bytes, some hundred for a
 * socket with its process and service; of one that is longer nothing is kept.  Pages that were
 * never written take no memory.
 */
#ifndef ETCDREG_AGENT_KEEPER_TABLE_H
#define ETCDREG_AGENT_KEEPER_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/store/leases.h"

enum { TABLE_MAX = 4 << 20 };

struct table;

/* NULL: no memory. */
struct table *table_new(void);

/* Unmaps it here; other processes keep it.  NULL is fine. */
void table_free(struct table *table);

struct leases *table_leases(struct table *table);

/* false: it is too long, and the table is empty now. */
bool table_write(struct table *table, const void *bytes, size_t len);

/* Valid until the next but one table_write().  *ret_len is 0 for an empty one. */
const void *table_read(const struct table *table, size_t *ret_len);

#endif
