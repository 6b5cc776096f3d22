/* SPDX-License-Identifier: MIT */
/*
 * v3_requests.h - the requests that the store makes of the v3 API, one function each.
 *
 * Keys go by struct store_key, whose path gets its leading slash here.  An answer that lacks what
 * it must have is ETCDREG_E_PROTO: the next node is asked.  All fail as v3_call() does.
 */
#ifndef ETCDREG_LIB_STORE_V3_REQUESTS_H
#define ETCDREG_LIB_STORE_V3_REQUESTS_H

#include "v3_call.h"

/* Adds the bytes as the JSON string that etcd takes them in. */
void v3_quote_base64(struct buf *b, const void *bytes, size_t len);

/* Adds the key of that path, which begins with a slash in etcd alone. */
void v3_add_key(struct buf *b, const char *path);

int v3_grant(struct v3_access *s, unsigned ttl_s, int64_t *ret_id, struct etcdreg_err *err);

/* *ret_ttl_s <= 0: the lease is gone, which is no failure. */
int v3_keepalive(struct v3_access *s, int64_t id, int64_t *ret_ttl_s, struct etcdreg_err *err);

/* Success where the lease is gone already. */
int v3_revoke(struct v3_access *s, int64_t id, struct etcdreg_err *err);

struct v3_lease {
	int64_t left_s;    /* rounded down; <= 0: it is gone */
	int64_t granted_s; /* what a keepalive makes of it; 0: not told */
};

/*
 * What is left of a lease.  With `keys`, those of them that were held under the
 * lease and are no longer attached to it are marked as not held.  Only we put under our lease, so
 * what is attached is there with our document: one request without keys in it finds all that was
 * deleted or written over.  Reading 1000 keys takes eight transactions of 128, which name every
 * key both ways; this answer is 91 kB (measured: 4.6 ms, where 500 keys take 3.8 ms).
 */
int v3_timetolive(struct v3_access *s, int64_t id, struct store_key *keys, struct v3_lease *ret,
		  struct etcdreg_err *err);

/* Deletes the key, whoever wrote it. */
int v3_delete(struct v3_access *s, const struct store_key *key, struct etcdreg_err *err);

/* Adds the request of a watch, on one key or on all that begin with the path. */
void v3_add_watch(struct buf *b, const char *path, bool is_prefix, int64_t start_revision);

/*
 * Of a watch that etcd has canceled.  Fails with ETCDREG_E_NOTFOUND where the start was compacted,
 * _DENIED or _UNREACH.
 */
int v3_watch_canceled(const struct json *result, struct etcdreg_err *err);

/* Reads the members into the list. */
int v3_members(struct v3_access *s, struct member_list *list, struct etcdreg_err *err);

#endif
