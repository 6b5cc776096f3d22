/* SPDX-License-Identifier: MIT */
/*
 * store.h - what the registry needs of etcd, and its two forms: the v3 API and the v2 keys API.
 *
 * A store knows nothing of services: it keeps keys.  Each call makes at most a few requests, one
 * after the other, and blocks for at most the cluster's timeout for each.  One thread at a time.
 *
 * Failures: whatever cluster_call() gives.  ETCDREG_E_DENIED is about the user's permissions,
 * ETCDREG_E_SERVER any other refusal; whether a node answered at all says cluster_answered().
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
 * One key.  The caller owns it and sets next, path, document and unowned; the rest is the store's,
 * zero at first.  A key that was put must be removed, or dropped with forget(), before it goes.
 */
struct store_key {
	struct store_key *next; /* the list of all keys that the caller has */
	const char *path;       /* "services/..." */
	const char *document;
	bool unowned;        /* never put by us: remove() deletes whatever is there, or what
				   is under our leases where they were found (leases.h) */
	bool held;           /* etcd has the document, and somebody keeps it alive */
	bool lost;           /* was held, and found missing or different; the caller resets it */
	bool foreign;        /* v3: another lease than ours keeps it */
	bool disturbed;      /* somebody deleted it or wrote over it; the caller resets it */
	int64_t lease;       /* v3: of the latest put or find; 0: none */
	int64_t index;       /* modifiedIndex or revision of the write that we know of; 0: none */
	uint64_t due_ms;     /* of its next refresh (v2), or look at its lease (v3, foreign) */
	uint64_t expires_ms; /* when it is gone without us, at the latest (v2, and unowned) */
};

/* What is dealt with at once, at most: half of what etcd takes in a transaction by default. */
enum { STORE_BATCH_MAX = 64 };

struct store;

/* A document found in etcd; both texts are valid during the call only. */
typedef int store_each_fn(const char *path, const char *document, void *arg,
			  struct etcdreg_err *err);

/* One call of list(). */
struct store_query {
	const char *folder; /* "services/", with its slash */
	store_each_fn *each;
	void *arg;
	int64_t *
		ret_revision; /* every change after the list has a later revision; NULL: not asked */
};

/* A change that etcd tells of; both texts are valid during the call only. */
struct store_change {
	const char *path;
	const char *document; /* NULL: the key is gone */
	bool is_folder;       /* v2: what is gone is a folder, with all that was under it */
};

typedef int store_change_fn(const struct store_change *change, void *arg, struct etcdreg_err *err);

/* The changes under a folder as they come: one stream of the cluster.  Zeroed: none. */
struct store_follow {
	struct cluster_stream *stream; /* NULL: to be opened */
	int64_t after;                 /* revision of the latest change that was told */
	bool stands;                   /* etcd has said that it watches */
	bool broken;                   /* a stream has ended since check(), or could not be had */
	int64_t marked_at;             /* v3: a revision, and what etcd had then; 0: none */
	uint64_t mark;
};

typedef int store_many_fn(struct store *st, struct store_key *const *keys, size_t len,
			  size_t *ret_len, struct etcdreg_err *err);

struct store_ops {
	/* Makes etcd hold the document; sets key->held. */
	int (*put)(struct store *st, struct store_key *key, struct etcdreg_err *err);

	/* Takes it out, unless somebody else has written it since.  Success: ours is not there. */
	int (*remove)(struct store *st, struct store_key *key, struct etcdreg_err *err);

	/*
	 * v3 only, else NULL: the same for several keys, in one write.  *ret_len: how many of the
	 * first were removed, or of all are held now; 0: etcd may refuse some of them, or has
	 * another document there: put() or remove() must find out which.
	 */
	store_many_fn *put_many, *remove_many;

	/* Drops what the store keeps for the key, without a request. */
	void (*forget)(struct store *st, struct store_key *key);

	/* When heartbeat() is next to be called; UINT64_MAX: never. */
	uint64_t (*due_ms)(const struct store *st, const struct store_key *keys);

	/*
	 * The one heartbeat that is most overdue: v3 one request per lease of up to 1000 keys and
	 * no write (a keepalive), and where no watch stands a second one (a look at what is
	 * attached), v2 one write per key.  `keys` are all there are.  A key that is found missing
	 * or different is no longer held, and lost; v3 leaves it to put() to find out which, and
	 * only unholds it.
	 */
	int (*heartbeat)(struct store *st, struct store_key *keys, struct etcdreg_err *err);

	/*
	 * v3 only, else NULL: takes notice of what the watch has told since, without waiting for
	 * more.  A key that something has happened to is no longer held.  `keys` are all there are.
	 */
	void (*notice)(struct store *st, struct store_key *keys);

	/*
	 * v3 only, else NULL: opens the watch on the keys where it is missing, without waiting for
	 * it.  Returns when to call it again; UINT64_MAX: when there are other keys.
	 */
	uint64_t (*watch)(struct store *st, const struct store_key *keys);

	/*
	 * Takes all keys of ours out in as few requests as it can; what then is still held or
	 * unowned needs remove().
	 */
	int (*remove_all)(struct store *st, struct store_key *keys, struct etcdreg_err *err);

	/*
	 * Calls `each` for every key under the folder, as the majority of the members has them now.
	 * v3 makes one request for each page of 1000 keys; all pages have one revision.
	 */
	int (*list)(struct store *st, const struct store_query *query, struct etcdreg_err *err);

	/*
	 * Whether the majority answers, and still has what was followed so far.
	 * ETCDREG_E_NOTFOUND: it has an older state, or (v3) after a stream has broken off another
	 * one that has come as far; list() has to tell.
	 */
	int (*check)(struct store *st, const char *folder, struct store_follow *follow,
		     struct etcdreg_err *err);

	/*
	 * Opens the stream of the changes under the folder after follow->after, without waiting for
	 * it.  It is closed with cluster_stream_close().
	 */
	int (*follow)(struct store *st, const char *folder, struct store_follow *follow,
		      struct etcdreg_err *err);

	/*
	 * Hands out the changes that have come, each once, and moves follow->after along.  Fails as
	 * `each` and cluster_stream_read() do: the stream is then to be opened again (v2: after
	 * each change).  ETCDREG_E_NOTFOUND: etcd no longer has what comes next, list() has to
	 * tell.
	 */
	int (*read_follow)(struct store *st, struct store_follow *follow, store_change_fn *each,
			   void *arg, struct etcdreg_err *err);

	/* Who is in the cluster; nothing is written. */
	int (*members)(struct store *st, struct member_list *list, struct etcdreg_err *err);

	void (*free)(struct store *st);
};

/* The common part of both forms: the first member of theirs. */
struct store {
	const struct store_ops *ops;
	struct cluster *cluster;               /* borrowed */
	const struct credentials *credentials; /* borrowed */
	unsigned ttl_s;
	struct leases *leases; /* borrowed; NULL: nobody keeps them */
	bool worked;           /* etcd has answered with this API */
	bool gone;             /* etcd no longer has this API: choose again */
};

/* `prefix` is "/v3", "/v3beta" or "/v3alpha" (a literal).  NULL: no memory. */
struct store *store_v3_new(const struct store *common, const char *prefix);
struct store *store_v2_new(const struct store *common);

/* The first revision after one that etcd has told, which may be any number. */
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
