/* SPDX-License-Identifier: MIT */
/*
 * v3_txn.h - transactions that put and delete keys.
 *
 * All but v3_take() compare first, and nobody can write between the compare and the write.  A
 * transaction of several keys applies only if the compare holds for each of them.  It is one write
 * of etcd at one revision.  etcd refuses it if it has more keys than --max-txn-ops (128 by
 * default), or if the user may not use one of them.
 *
 * Nested transactions could decide for each key.  They are not used: etcd up to at least 3.5.16
 * does not check the permissions for their keys (docs/design.md).
 *
 * All functions fail as v3_call() does.
 */
#ifndef ETCDREG_LIB_STORE_V3_TXN_H
#define ETCDREG_LIB_STORE_V3_TXN_H

#include "v3_call.h"

/* The result of v3_put(). */
struct v3_put {
	bool existed;     /* etcd had our document already; nothing was written */
	int64_t lease;    /* of the existing key; 0: none, it never expires */
	int64_t revision; /* of the latest write of the key */
};

/*
 * Puts the document under the lease key->lease, unless etcd has it already, under whatever lease.
 * Overwrites another document.
 */
int v3_put(struct v3_access *s, const struct store_key *key, struct v3_put *result,
	   struct etcdreg_err *err);

/* Puts the document under the lease key->lease.  Overwrites the key; does not compare. */
int v3_take(struct v3_access *s, const struct store_key *key, int64_t *ret_revision,
	    struct etcdreg_err *err);

/*
 * Deletes the key if it is under the lease key->lease.  etcd before 3.3 cannot compare leases:
 * there the key must have the revision key->index, or our document if that is 0.  Succeeds also if
 * the key is another one and stays.
 */
int v3_delete_leased(struct v3_access *s, struct store_key *key, struct etcdreg_err *err);

/* Several keys, and what v3_put_new() did about them. */
struct v3_puts {
	struct store_key *const *keys;
	size_t len;                           /* at most STORE_BATCH_MAX */
	bool done;                            /* all were written, at found[0].revision */
	struct v3_put found[STORE_BATCH_MAX]; /* if not done: what etcd has of keys[i] */
};

/*
 * Puts the documents under the leases of their keys if none of the keys exists.  Otherwise writes
 * nothing and fills puts->found, where a key with another document counts as missing.
 */
int v3_put_new(struct v3_access *s, struct v3_puts *puts, struct etcdreg_err *err);

/* Deletes the keys if v3_delete_leased() would delete each of them.  *ret_done: it did. */
int v3_delete_all(struct v3_access *s, struct store_key *const *keys, size_t len, bool *ret_done,
		  struct etcdreg_err *err);

#endif
