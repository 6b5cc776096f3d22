/* SPDX-License-Identifier: MIT */
/*
 * v3_txn.h - the transactions that put and delete keys: each compares first, so that what somebody
 * else has written is found, and not written over.
 *
 * A transaction of several keys is done whole or not at all, in one write of etcd's and at one
 * revision: what it compares must be so for each.  Transactions within one could decide for each
 * key, but up to 3.5.16 at least etcd does not ask who may use the keys of the inner ones
 * (docs/design.md).  etcd refuses more keys than its --max-txn-ops (128 by default), and all where
 * one is not permitted.
 *
 * All fail as v3_call() does.
 */
#ifndef ETCDREG_LIB_STORE_V3_TXN_H
#define ETCDREG_LIB_STORE_V3_TXN_H

#include "v3_call.h"

/* What v3_put() found. */
struct v3_put {
	bool existed;     /* our document was there already; nothing was written */
	int64_t lease;    /* of what existed; 0: none, it would stay for ever */
	int64_t revision; /* of the latest write of the key */
};

/* Puts the document under the lease that key->lease names, unless it is there already. */
int v3_put(struct v3_access *s, const struct store_key *key, struct v3_put *result,
	   struct etcdreg_err *err);

/* Puts it whatever is there. */
int v3_take(struct v3_access *s, const struct store_key *key, int64_t *ret_revision,
	    struct etcdreg_err *err);

/*
 * Deletes the key where it is under the lease that key->lease names.  etcd before 3.3 cannot
 * compare leases; there the revision in key->index stands in, and where that is not known the
 * document.
 */
int v3_delete_leased(struct v3_access *s, struct store_key *key, struct etcdreg_err *err);

/* Several keys, and what v3_put_new() did about them. */
struct v3_puts {
	struct store_key *const *keys;
	size_t len;                           /* at most STORE_BATCH_MAX */
	bool done;                            /* all were written, at revision found[0].revision */
	struct v3_put found[STORE_BATCH_MAX]; /* not done: what there is of keys[i] */
};

/*
 * Puts the documents under the leases that their keys name, if none of the keys exists.  Otherwise
 * writes nothing, and fills puts->found; a key with another document counts as missing there.
 */
int v3_put_new(struct v3_access *s, struct v3_puts *puts, struct etcdreg_err *err);

/* Deletes the keys, if v3_delete_leased() would delete each of them: *ret_done. */
int v3_delete_all(struct v3_access *s, struct store_key *const *keys, size_t len, bool *ret_done,
		  struct etcdreg_err *err);

#endif
