/* SPDX-License-Identifier: MIT */
/*
 * store_v3.h - the v3 store, as its files store_v3.c, v3_puts.c and v3_removes.c see it.
 *
 * store.h describes the functions that are members of struct store_ops.
 */
#ifndef ETCDREG_LIB_STORE_STORE_V3_H
#define ETCDREG_LIB_STORE_STORE_V3_H

#include "store.h"
#include "v3_batch.h"
#include "v3_call.h"
#include "v3_leases.h"
#include "v3_watch.h"

struct store_v3 {
	struct store base;
	struct v3_access access;
	struct v3_watch *watch;
	struct v3_leases leases;
	struct v3_batch batch;
};

static inline struct store_v3 *v3_of(struct store *st)
{
	return (struct store_v3 *)(void *)st;
}

static inline uint64_t v3_ttl_ms(const struct store_v3 *v3)
{
	return (uint64_t)v3->base.ttl_s * 1000;
}

/* Sends a keepalive.  *ret_lost: etcd no longer has the lease. */
int v3_renew(struct store_v3 *v3, struct v3_kept *lease, bool *ret_lost, struct etcdreg_err *err);

/* Drops a lease that etcd no longer has, and marks its keys as lost and not held. */
void v3_lose(struct store_v3 *v3, int64_t id, struct store_key *keys);

int v3_store_put(struct store *st, struct store_key *key, struct etcdreg_err *err);
store_many_fn v3_store_put_many;

int v3_store_remove(struct store *st, struct store_key *key, struct etcdreg_err *err);
store_many_fn v3_store_remove_many;
int v3_store_remove_all(struct store *st, struct store_key *keys, struct etcdreg_err *err);

#endif
