/* SPDX-License-Identifier: MIT */
/*
 * store.h - the interface to etcd, with two implementations: the v3 API and the v2 keys API.
 *
 * A store keeps keys alive; it does not know what a service is.  Each call makes at most a few
 * requests, one after the other.  Each request blocks for at most the cluster's timeout.  Times
 * (`_ms`) are those of now_ms().  One thread at a time.
 *
 * Calls fail as cluster_call() does.  ETCDREG_E_DENIED: the user lacks a permission.
 * ETCDREG_E_SERVER: etcd refuses for another reason.  cluster_answered() says whether a node
 * answered at all.
 */
#ifndef ETCDREG_LIB_STORE_STORE_H
#define ETCDREG_LIB_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leases.h"
#include "lib/config/credentials.h"
#include "lib/etcd-registry.h"
#include "lib/net/cluster.h"

/*
 * One key.  The caller owns it, sets next, path, document and unowned, and zeroes the rest, which
 * belongs to the store.  Before the caller frees a key that was put, it calls remove() or forget().
 *
 * remove() deletes an unowned key whoever wrote it.  But if there are leases of an earlier handle
 * (leases.h), it deletes the key only if it is under one of them.
 */
struct store_key {
	struct store_key *next; /* the list of all keys that the caller has */
	const char *path;       /* "services/..." */
	const char *document;
	bool unowned;        /* we never put it */
	bool held;           /* etcd has the document under a live lease or TTL, ours or foreign */
	bool lost;           /* was held, then found missing or different; the caller resets it */
	bool foreign;        /* v3: under a lease that is not ours */
	bool disturbed;      /* somebody deleted or overwrote it; the caller resets it */
	int64_t lease;       /* v3: the lease it was put or found under; 0: none */
	int64_t index;       /* latest known modifiedIndex (v2) or revision (v3); 0: none */
	uint64_t due_ms;     /* v2: next refresh; v3, foreign: next look at its lease */
	uint64_t expires_ms; /* v2, and unowned: gone by then if nobody renews it */
};

/* Most keys of one transaction: half of etcd's default limit. */
enum { STORE_BATCH_MAX = 64 };

struct store;

/* Receives a document of a list.  Both texts are valid during the call only. */
typedef int store_each_fn(const char *path, const char *document, void *arg,
			  struct etcdreg_err *err);

/* One call of list(). */
struct store_query {
	const char *folder; /* "services/", with its slash */
	store_each_fn *each;
	void *arg;
	int64_t *ret_revision; /* every later change has a higher one; NULL: not asked */
};

/* A change that etcd reports.  Both texts are valid during the call only. */
struct store_change {
	const char *path;
	const char *document; /* NULL: the key is gone */
	bool is_folder;       /* v2: a folder was removed, with all keys under it */
};

typedef int store_change_fn(const struct store_change *change, void *arg, struct etcdreg_err *err);

/* One watch stream on all keys under a folder.  Zeroed: no stream, nothing reported yet. */
struct store_follow {
	struct cluster_stream *stream; /* NULL: to be opened */
	int64_t after;                 /* revision of the latest change that was reported */
	bool stands;                   /* etcd has confirmed the watch */
	bool broken;                   /* a stream has failed since the latest check() */
	int64_t marked_at;             /* v3: the revision of `mark`; 0: none */
	uint64_t mark;                 /* v3: a hash of what etcd had then (v3_follow.h) */
};

typedef int store_many_fn(struct store *st, struct store_key *const *keys, size_t len,
			  size_t *ret_len, struct etcdreg_err *err);

struct store_ops {
	/* Makes etcd have the document; overwrites another one.  Sets key->held. */
	int (*put)(struct store *st, struct store_key *key, struct etcdreg_err *err);

	/* Deletes the key, unless somebody else has written it since.  Success: ours is gone. */
	int (*remove)(struct store *st, struct store_key *key, struct etcdreg_err *err);

	/*
	 * v3; NULL in v2.  Put or delete several keys in one transaction, which may take fewer
	 * than `len`.  *ret_len: after remove_many, so many keys from the first on were deleted;
	 * after put_many, so many of all keys are held.  0: none was tried, etcd refuses one of
	 * them, or it has another document there.  Call put() or remove() to find out which.
	 */
	store_many_fn *put_many, *remove_many;

	/* Drops what the store knows about the key.  Makes no request. */
	void (*forget)(struct store *st, struct store_key *key);

	/* Returns when to call heartbeat() next; UINT64_MAX: never. */
	uint64_t (*due_ms)(const struct store *st, const struct store_key *keys);

	/*
	 * Sends the heartbeat that is most overdue.  `keys` are all keys of the caller.
	 *
	 *	v2   one write, the refresh of one key
	 *	v3   one keepalive for a lease of up to 1000 keys, no write; if no watch stands, a
	 *	     second request that asks which keys are attached to the lease
	 *
	 * v2 marks a key that is missing or different as lost and not held.  v3 only marks it as
	 * not held; put() then finds out what happened.
	 */
	int (*heartbeat)(struct store *st, struct store_key *keys, struct etcdreg_err *err);

	/*
	 * v3; NULL in v2.  Reads the events of the watch that have arrived.  Does not block.  Marks
	 * the keys that they are about as not held.  `keys` are all keys of the caller.
	 */
	void (*notice)(struct store *st, struct store_key *keys);

	/*
	 * v3; NULL in v2.  Opens watch streams for the keys that have none.  Does not wait for
	 * them, but may block for a login.  Returns when to call it again; UINT64_MAX: after keys
	 * were added or removed.
	 */
	uint64_t (*watch)(struct store *st, const struct store_key *keys);

	/*
	 * v3 revokes its leases, which deletes all keys under them; v2 does nothing.  Call remove()
	 * for each key that is held or unowned afterwards.
	 */
	int (*remove_all)(struct store *st, struct store_key *keys, struct etcdreg_err *err);

	/*
	 * Calls `each` for every key under the folder, as the majority of the members has them: a
	 * member that is cut off cannot answer.  v3 makes one request for each page of 1000 keys;
	 * all pages have one revision.
	 */
	int (*list)(struct store *st, const struct store_query *query, struct etcdreg_err *err);

	/*
	 * Checks that the majority of the members answers and still has the state that was reported
	 * so far.  ETCDREG_E_NOTFOUND: etcd has an older state; in v3, after a broken stream, also:
	 * etcd lost its data and was written to since.  The caller must list() again.
	 */
	int (*check)(struct store *st, const char *folder, struct store_follow *follow,
		     struct etcdreg_err *err);

	/*
	 * Opens follow->stream, which reports the changes under the folder after follow->after.
	 * Does not wait for it, but may block for a login.  Close it with cluster_stream_close().
	 */
	int (*follow)(struct store *st, const char *folder, struct store_follow *follow,
		      struct etcdreg_err *err);

	/*
	 * Calls `each` once for every change that has arrived, and advances follow->after.  Does
	 * not block.  Fails as `each` and cluster_stream_read() do; the caller must then open the
	 * stream again.  In v2 the stream ends after each change.  ETCDREG_E_NOTFOUND: etcd no
	 * longer has the next change; the caller must list() again.
	 */
	int (*read_follow)(struct store *st, struct store_follow *follow, store_change_fn *each,
			   void *arg, struct etcdreg_err *err);

	/* Reads the members of the cluster into the list. */
	int (*members)(struct store *st, struct member_list *list, struct etcdreg_err *err);

	void (*free)(struct store *st);
};

/* The first member of both implementations. */
struct store {
	const struct store_ops *ops;
	struct cluster *cluster;               /* borrowed */
	const struct credentials *credentials; /* borrowed */
	unsigned ttl_s;
	struct leases *leases; /* borrowed; NULL: not kept for a later handle */
	bool worked;           /* etcd has answered with this API */
	bool gone;             /* etcd does not have this API: choose again */
};

/*
 * Create a store from the members of `common`, all but `ops`.  `prefix` is the literal "/v3",
 * "/v3beta" or "/v3alpha".  NULL: out of memory.  Free it with ops->free().
 */
struct store *store_v3_new(const struct store *common, const char *prefix);
struct store *store_v2_new(const struct store *common);

/* The revision after this one, which etcd sent and may be any number. */
static inline int64_t store_next_revision(int64_t revision)
{
	return revision < INT64_MAX ? revision + 1 : revision;
}

/* The time between two heartbeats. */
static inline uint64_t store_interval_ms(const struct store *st)
{
	return (uint64_t)st->ttl_s * 500;
}

#endif
