/* SPDX-License-Identifier: MIT */
/*
 * leases.h - the leases that a handle has, written down in memory of the caller's, so that a handle
 * that comes after it (in another process, when the memory is shared) goes on under the same ones.
 *
 * A lease is written down before the first key is put under it and struck out when it is known to
 * be gone, so what a handle has put is under one of these.  With more than LEASES_MAX the others
 * are not written down: keys under them are left to expire, and taken over in time.
 *
 * Written by the handle's thread alone, while there is a handle.
 */
#ifndef ETCDREG_LIB_STORE_LEASES_H
#define ETCDREG_LIB_STORE_LEASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LEASES_MAX = 64 };

struct leases {
	bool restored;                   /* a handle before this one may have put what is wanted */
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

/* `leases` may be NULL: nobody wants to know. */
static inline void leases_add(struct leases *leases, int64_t id)
{
	leases_replace(leases, 0, id);
}

static inline void leases_remove(struct leases *leases, int64_t id)
{
	leases_replace(leases, id, 0);
}

#endif
