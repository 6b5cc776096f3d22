/* SPDX-License-Identifier: MIT */
/*
 * v3_requests.h - one function for each request of the v3 API, except transactions and lists.
 *
 * In etcd a key is the path of struct store_key with a leading slash, which these functions add.
 * All fail as v3_call() does.  ETCDREG_E_PROTO: the answers of all nodes lack a field.
 */
#ifndef ETCDREG_LIB_STORE_V3_REQUESTS_H
#define ETCDREG_LIB_STORE_V3_REQUESTS_H

#include "v3_call.h"

/* Adds the bytes as a JSON string in base64. */
void v3_quote_base64(struct buf *b, const void *bytes, size_t len);

/* Adds the key with this path as a JSON string in base64. */
void v3_add_key(struct buf *b, const char *path);

/* Creates a lease. */
int v3_grant(struct v3_access *s, unsigned ttl_s, int64_t *ret_id, struct etcdreg_err *err);

/* Renews the lease.  *ret_ttl_s <= 0: the lease is gone, which is not a failure. */
int v3_keepalive(struct v3_access *s, int64_t id, int64_t *ret_ttl_s, struct etcdreg_err *err);

/* Revokes the lease, which deletes its keys.  Succeeds if the lease is gone already. */
int v3_revoke(struct v3_access *s, int64_t id, struct etcdreg_err *err);

struct v3_lease {
	int64_t left_s;    /* rounded down; <= 0: the lease is gone */
	int64_t granted_s; /* its time after a keepalive; 0: etcd did not say */
};

/*
 * Asks how long a lease lives.  If `keys` is not NULL, also asks which keys are attached to it, and
 * marks the others that were held under the lease as not held.
 *
 * Only we put under our leases, so an attached key still has our document.  One small request thus
 * finds all keys that were deleted or overwritten (docs/design.md).
 */
int v3_timetolive(struct v3_access *s, int64_t id, struct store_key *keys, struct v3_lease *ret,
		  struct etcdreg_err *err);

/* Deletes the key, even if somebody else wrote it. */
int v3_delete(struct v3_access *s, const struct store_key *key, struct etcdreg_err *err);

/*
 * Adds the request for a watch on one key, or on all keys that start with the path.
 * start_revision 0: from now on.
 */
void v3_add_watch(struct buf *b, const char *path, bool is_prefix, int64_t start_revision);

/*
 * Returns why etcd canceled a watch: ETCDREG_E_NOTFOUND (its start was compacted), _DENIED, or
 * _UNREACH for any other reason.
 */
int v3_watch_canceled(const struct json *result, struct etcdreg_err *err);

/* Reads the members of the cluster into the list. */
int v3_members(struct v3_access *s, struct member_list *list, struct etcdreg_err *err);

#endif
