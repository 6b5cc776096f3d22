/* SPDX-License-Identifier: MIT */
/*
 * leases.h - a table of the leases of a handle, in memory that the caller owns.
 *
 * A later handle continues under the same leases.  It may be in another process, if the memory is
 * shared.
 *
 * The store adds a lease before it puts the first key under it, and removes it when it knows that
 * the lease is gone.  So each key of the handle is under a lease of the table.  The exception: a
 * full table ignores further leases.  Their keys expire, and the later handle then takes them over.
 *
 * While a handle exists, only its thread writes to the table.
 */
#ifndef ETCDREG_LIB_STORE_LEASES_H
#define ETCDREG_LIB_STORE_LEASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LEASES_MAX = 64 };

struct leases {
	bool restored;                   /* an earlier handle may have put the wanted keys */
	_Atomic int64_t ids[LEASES_MAX]; /* 0: free */
};

static inline void leases_replace(struct leases *leases, int64_t from, int64_t to)
{
	for (size_t i = 0; leases && i < LEASES_MAX; i++) {
		if (leases->ids[i] == from) {
			leases->ids[i] = to;
			return;
		}
	}
}

/* Does nothing if the table is full, or if `leases` is NULL. */
static inline void leases_add(struct leases *leases, int64_t id)
{
	leases_replace(leases, 0, id);
}

static inline void leases_remove(struct leases *leases, int64_t id)
{
	leases_replace(leases, id, 0);
}

#endif
