/* SPDX-License-Identifier: MIT */
/*
 * v3_leases.h - the leases that a v3 store renews, and how many keys each of them has.
 *
 * No function makes a request.  Times are those of now_ms().  One thread at a time.
 */
#ifndef ETCDREG_LIB_STORE_V3_LEASES_H
#define ETCDREG_LIB_STORE_V3_LEASES_H

#include "store.h"

struct v3_kept {
	int64_t id;
	size_t keys;           /* put under it, or tried */
	uint64_t refreshed_ms; /* start of the latest request that renewed it */
	uint64_t compare_ms;   /* compare its keys then, even if a watch stands; UINT64_MAX: no */
	bool suspect;          /* etcd said that the lease is gone: renew it at once to find out */
	bool found;            /* from an earlier handle, and not renewed yet: it may be gone */
};

/* A pointer to a lease is valid until the next lease is added or dropped.  Zeroed: empty. */
struct v3_leases {
	struct v3_kept *all;
	size_t len, cap;
	/* the table of leases.h, borrowed; NULL: none */
	struct leases *written;
};

/* Takes the leases of the table, which an earlier handle wrote there, and marks them `found`. */
void v3_leases_init(struct v3_leases *l, struct leases *written);
void v3_leases_release(struct v3_leases *l);

/* Returns the lease with this id, or NULL. */
struct v3_kept *v3_leases_find(const struct v3_leases *l, int64_t id);

/* Adds a lease that etcd granted, also to the table.  NULL: out of memory. */
struct v3_kept *v3_leases_add(struct v3_leases *l, int64_t id, uint64_t granted_ms);

/* Forgets a lease that is gone or may expire, also in the table. */
void v3_leases_drop(struct v3_leases *l, struct v3_kept *lease);

/* Records that the key is under the lease.  Call it before the request that may put it there. */
void v3_leases_attach(struct v3_leases *l, struct store_key *key, struct v3_kept *lease);

/* Records that the key is under no lease, not held and not foreign. */
void v3_leases_detach(struct v3_leases *l, struct store_key *key);

#endif
