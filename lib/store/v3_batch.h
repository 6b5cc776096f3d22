/* SPDX-License-Identifier: MIT */
/*
 * v3_batch.h - the size of the next transaction of a v3 store.
 *
 * A transaction takes as many keys as fit.  After etcd refuses one, keys go alone, then two, four
 * and more together.  So the store soon finds the key that etcd refuses, and soon puts the others
 * together again.
 *
 * One thread at a time.
 */
#ifndef ETCDREG_LIB_STORE_V3_BATCH_H
#define ETCDREG_LIB_STORE_V3_BATCH_H

#include "store.h"

struct v3_batch {
	size_t max;
};

static inline void v3_batch_init(struct v3_batch *b)
{
	b->max = STORE_BATCH_MAX;
}

/* Returns how many keys, from the first on, one transaction takes; 0: fewer than two. */
size_t v3_batch_fit(const struct v3_batch *b, struct store_key *const *keys, size_t len);

/* Doubles the size.  Call it after etcd accepted a key that went alone. */
void v3_batch_grow(struct v3_batch *b);

/*
 * Call it after a transaction of several keys failed with `r`, or was not applied (0).  Returns `r`
 * if no node answered or memory ran out.  Otherwise sets the size to one key and returns 0: the
 * refusal of several keys says nothing about one of them.
 */
int v3_batch_refuse(struct v3_batch *b, int r);

#endif
