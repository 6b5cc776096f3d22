/* SPDX-License-Identifier: MIT */
/*
 * v2_call.h - one call of the v2 keys API, with its errors.
 *
 * One thread at a time.
 */
#ifndef ETCDREG_LIB_STORE_V2_CALL_H
#define ETCDREG_LIB_STORE_V2_CALL_H

#include "store.h"

#define V2_TEXT_MAX 65536 /* bytes of a path with its query, and of a body */

enum { V2_KEY_NOT_FOUND = 100 }; /* an etcd_code */

struct store_v2 {
	struct store base;
	char *authorization; /* NULL: no user */
};

static inline struct store_v2 *v2_of(struct store *st)
{
	return (struct store_v2 *)(void *)st;
}

/* One request and its result.  The caller sets the members from v2 to list. */
struct v2_call {
	struct store_v2 *v2;
	const char *method;
	const char *path;               /* as of struct store_key, or a folder */
	const char *query;              /* "?quorum=true"; NULL: none */
	const char *form;               /* the body; NULL: none */
	const struct store_key *key;    /* NULL: a list */
	const struct store_query *list; /* of a list */
	int64_t etcd_code;              /* of the error; 0: none */
	int64_t index;  /* modifiedIndex of the key; latest one of a list; index of an error */
	bool different; /* the value of the key is not our document */
};

/*
 * Sends the request, and reads the key or the list into `call`.  Fails as cluster_call() does.
 * ETCDREG_E_NOTFOUND: etcd does not have the key, or not the version of it that the query names.
 */
int v2_request(struct v2_call *call, struct etcdreg_err *err);

/*
 * Returns 0 if the answer is a success, and otherwise the error that it is.  Of `call` it reads v2
 * and sets etcd_code and index.
 */
int v2_read_failure(struct v2_call *call, const struct cluster_answer *answer,
		    struct etcdreg_err *err);

#endif
