/* SPDX-License-Identifier: MIT */
/*
 * table.h - memory that outlives a worker.
 *
 * The keeper creates it, and shares it with every worker that it forks.  It holds the leases
 * (leases.h) and one snapshot of what the worker knows (snapshot.h).
 *
 * A new snapshot is written beside the valid one, and becomes valid by one store.  So the reader
 * finds a whole snapshot, whenever the writer was killed.  A snapshot has at most TABLE_MAX bytes,
 * some hundred for a socket with its process and service.  The table keeps nothing of a longer one.
 * Pages that were never written take no memory.
 */
#ifndef ETCDREG_AGENT_KEEPER_TABLE_H
#define ETCDREG_AGENT_KEEPER_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/store/leases.h"

enum { TABLE_MAX = 4 << 20 };

struct table;

/* Returns an empty table; NULL: no memory. */
struct table *table_new(void);

/* Unmaps the table in this process; other processes keep it.  Accepts NULL. */
void table_free(struct table *table);

/* Returns the leases in the table, which owns them. */
struct leases *table_leases(struct table *table);

/* Stores a snapshot.  Returns false if it is too long: the table then has none. */
bool table_write(struct table *table, const void *bytes, size_t len);

/*
 * Returns the snapshot.  *ret_len is 0 if there is none.  The bytes stay valid during the next
 * table_write(), until the one after that.
 */
const void *table_read(const struct table *table, size_t *ret_len);

#endif
