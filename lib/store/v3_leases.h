/* SPDX-License-Identifier: MIT */
/*
 * v3_leases.h - the leases that a v3 store keeps, and which of its keys are under which.
 *
 * Nothing here makes a request.  Times are those of now_ms().  One thread at a time.
 */
#ifndef ETCDREG_LIB_STORE_V3_LEASES_H
#define ETCDREG_LIB_STORE_V3_LEASES_H

#include "store.h"

struct v3_kept {
	int64_t id;
	size_t keys;           /* attached to it, or attempted */
	uint64_t refreshed_ms; /* start of the latest request that renewed it */
	uint64_t compare_ms;   /* when its keys are to be compared, watch or not; UINT64_MAX: not */
	bool suspect;          /* etcd said that it is gone: ask at once */
	bool found;            /* of the handle before: not known to be alive yet */
};

/* A pointer into it is good until the next lease is added or dropped.  Zeroed: none. */
struct v3_leases {
	struct v3_kept *all;
	size_t len, cap;
	/* where they are written down (leases.h), borrowed; NULL: nowhere */
	struct leases *written;
};

/* Begins with those that a handle before this one has written down, as `found`. */
void v3_leases_init(struct v3_leases *l, struct leases *written);
void v3_leases_release(struct v3_leases *l);

/* NULL: there is none. */
struct v3_kept *v3_leases_find(const struct v3_leases *l, int64_t id);

/* One that etcd has granted: writes it down.  NULL: no memory. */
struct v3_kept *v3_leases_add(struct v3_leases *l, int64_t id, uint64_t granted_ms);

/* It is gone, or is left to end by itself. */
void v3_leases_drop(struct v3_leases *l, struct v3_kept *lease);

/* Before the first request that may put the key under the lease. */
void v3_leases_attach(struct v3_leases *l, struct store_key *key, struct v3_kept *lease);

/* The key is under none that is kept here, and not held. */
void v3_leases_detach(struct v3_leases *l, struct store_key *key);

#endif
