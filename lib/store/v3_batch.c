/* SPDX-License-Identifier: MIT */
/* The size of a transaction. */
#define _GNU_SOURCE
#include "v3_batch.h"

#include <string.h>

/* Bytes of paths and documents.  A request has each of them twice; etcd's limit is 1.5 MB. */
#define LEN_MAX ((size_t)256 << 10)

size_t v3_batch_fit(const struct v3_batch *b, struct store_key *const *keys, size_t len)
{
	size_t bytes = 0, fit = 0;

	if (len > b->max)
		len = b->max;
	for (; fit < len; fit++) {
		bytes += strlen(keys[fit]->path) + strlen(keys[fit]->document);
		if (bytes > LEN_MAX)
			break;
	}
	return fit < 2 ? 0 : fit;
}

void v3_batch_grow(struct v3_batch *b)
{
	if (b->max < STORE_BATCH_MAX)
		b->max *= 2;
}

int v3_batch_refuse(struct v3_batch *b, int r)
{
	if (r == ETCDREG_E_UNREACH || r == ETCDREG_E_TIMEOUT || r == ETCDREG_E_NOMEM)
		return r;
	b->max = 1;
	return 0;
}
