/* SPDX-License-Identifier: MIT */
/*
 * v3_call.h - one call of the v3 API through etcd's JSON gateway, with its errors and its login.
 *
 * If a user is configured, a call without a token logs in first.  The token is kept until etcd
 * refuses it; then the call logs in again and is repeated once.  After a refused login, calls fail
 * without a request for 0.5 s, doubled up to 30 s: each login costs etcd a bcrypt.
 */
#ifndef ETCDREG_LIB_STORE_V3_CALL_H
#define ETCDREG_LIB_STORE_V3_CALL_H

#include "lib/base/buf.h"
#include "store.h"

#define V3_TEXT_MAX ((size_t)4 << 20) /* bytes of a request */

enum v3_code {
	V3_CANCELLED = 1,
	V3_UNKNOWN = 2,
	V3_INVALID_ARGUMENT = 3,
	V3_DEADLINE = 4,
	V3_NOT_FOUND = 5,
	V3_DENIED = 7,
	V3_PRECONDITION = 9,
	V3_INTERNAL = 13,
	V3_UNAVAILABLE = 14,
	V3_UNAUTHENTICATED = 16,
};

struct v3_access {
	struct store *store;          /* borrowed; calls set its `gone` and `worked` */
	const char *prefix;           /* "/v3", ... */
	char *token;                  /* NULL: none */
	bool auth_off;                /* etcd says that authentication is not enabled */
	uint64_t login_at_ms;         /* no login before that time */
	unsigned login_pause_ms;      /* the pause before it; 0: the latest login succeeded */
	struct etcdreg_err login_err; /* why the latest login was refused */
};

struct v3_request {
	const char *path;       /* without the prefix: "/kv/txn" */
	const struct buf *body; /* JSON; a failed buffer makes the call fail: ETCDREG_E_NOMEM */
	size_t answer_max;      /* bytes of the answer, or of one line of a stream */
};

/* Reads a success.  ETCDREG_E_PROTO: the answer lacks a field; the next node is asked. */
typedef int v3_read_fn(const struct json *answer, void *arg, struct etcdreg_err *err);

/*
 * Sends the request and passes the answer to `read`, which may be NULL.  Fails as cluster_call()
 * does.  ETCDREG_E_NOTFOUND: etcd no longer has the lease or the revision.
 */
int v3_call(struct v3_access *s, const struct v3_request *rq, v3_read_fn *read, void *arg,
	    struct etcdreg_err *err);

/*
 * Opens a stream (cluster.h).  Blocks for a login if there is no token, but not for the answer.
 * Fails as the login or cluster_stream_open() does.
 */
int v3_stream_open(struct v3_access *s, const struct v3_request *rq, struct cluster_stream **ret,
		   struct etcdreg_err *err);

/*
 * Reads a stream as cluster_stream_read() does, and etcd's errors as v3_call() does.  Drops a token
 * that etcd refused.
 */
int v3_stream_read(struct v3_access *s, struct cluster_stream *stream, v3_read_fn *read, void *arg,
		   struct etcdreg_err *err);

/* Forgets the token: the next call logs in again. */
void v3_drop_token(struct v3_access *s);

/* Clears the token from memory. */
void v3_access_release(struct v3_access *s);

#endif
