/* SPDX-License-Identifier: MIT */
/*
 * v3_batch.h - how many keys the next transaction of a v3 store may have: as many as fit, one after
 * a refusal, and then more and more again, so that one key that etcd refuses is soon found, and the
 * others are not long without company.
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

/* How many of the keys, from the first on, one transaction takes; 0: fewer than two. */
size_t v3_batch_fit(const struct v3_batch *b, struct store_key *const *keys, size_t len);

/* What was tried alone was taken. */
void v3_batch_grow(struct v3_batch *b);

/*
 * Several were tried, and `r` came of it.  0: they are to be tried alone, since what is refused of
 * several says nothing about one; else `r`, where no node answered.
 */
int v3_batch_refuse(struct v3_batch *b, int r);

#endif
