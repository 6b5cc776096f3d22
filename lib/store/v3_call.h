/* SPDX-License-Identifier: MIT */
/*
 * v3_call.h - one call of the v3 API through etcd's JSON gateway: errors, user and token.
 *
 * With a user, a call logs in first where there is no token; the token is kept until etcd refuses
 * it, and then the call is made once more with a new one.  A refused login is not repeated for
 * 30 s: each costs etcd a bcrypt.
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
	struct store *store;          /* whose `gone` is kept */
	const char *prefix;           /* "/v3", ... */
	char *token;                  /* NULL: none */
	bool auth_off;                /* etcd says that it wants no users */
	uint64_t login_at_ms;         /* no login before that */
	unsigned login_pause_ms;      /* that led to it; 0: the latest login was fine */
	struct etcdreg_err login_err; /* why */
};

struct v3_request {
	const char *path;       /* without the prefix: "/kv/txn" */
	const struct buf *body; /* JSON; if it has failed, so does the call: ETCDREG_E_NOMEM */
	size_t answer_max;      /* bytes of the answer; of a stream, of one line */
};

/* Reads a success.  ETCDREG_E_PROTO: the answer lacks what it must have, ask the next node. */
typedef int v3_read_fn(const struct json *answer, void *arg, struct etcdreg_err *err);

/*
 * `path` is without the prefix ("/kv/txn"); `read` may be NULL.  Fails as cluster_call() does; with
 * ETCDREG_E_NOTFOUND where etcd says so, as of a lease or a revision that is gone.
 */
int v3_call(struct v3_access *s, const struct v3_request *rq, v3_read_fn *read, void *arg,
	    struct etcdreg_err *err);

/*
 * A call whose answer does not end, as cluster.h has it: logs in where that must be, and does not
 * wait for more.  Fails as the login does.
 */
int v3_stream_open(struct v3_access *s, const struct v3_request *rq, struct cluster_stream **ret,
		   struct etcdreg_err *err);

/*
 * As cluster_stream_read(), with etcd's errors as v3_call() has them.  A refused token is dropped.
 */
int v3_stream_read(struct v3_access *s, struct cluster_stream *stream, v3_read_fn *read, void *arg,
		   struct etcdreg_err *err);

/* The next call logs in again. */
void v3_drop_token(struct v3_access *s);

/* Clears the token. */
void v3_access_release(struct v3_access *s);

#endif
