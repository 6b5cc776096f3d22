/* SPDX-License-Identifier: MIT */
/*
 * session.h - one line to etcd: its connections, its login, and the API that was chosen.
 *
 * With api=auto the first call asks a node for its version and takes v3 where the server has it,
 * else v2.  The choice stands until etcd says that it no longer has that API, since it was upgraded
 * or its gateway is switched off; then the next call asks for the version again.  It does not take
 * v3 again where that was missing from the first call on; and where v3 has worked, only a node that
 * tells its version can make it v2.
 *
 * Used by one thread at a time, except for cluster_interrupt() of its cluster.
 */
#ifndef ETCDREG_LIB_STORE_SESSION_H
#define ETCDREG_LIB_STORE_SESSION_H

#include "lib/config/config.h"
#include "lib/config/connstr.h"
#include "lib/config/credentials.h"
#include "store.h"

struct session;

/*
 * `credentials` are borrowed until session_free(), the others for the call.  Fails as
 * cluster_new() does.
 */
int session_new(const struct connstr *cs, const struct config *cfg,
		const struct credentials *credentials, struct session **ret,
		struct etcdreg_err *err);
void session_free(struct session *s);

/*
 * The store of the chosen API, choosing first where there is none.  Valid until the next call of
 * this function: it is another one, and *ret_new set, where the API had to be chosen again; keys
 * of the old one are then to be reset.  `ret_new` may be NULL.  Fails as cluster_call() does.
 */
int session_store(struct session *s, struct store **ret, bool *ret_new, struct etcdreg_err *err);

/*
 * Before the first session_store(): `leases` (borrowed; may be NULL) is where a store finds and
 * keeps its leases.
 */
void session_keep_leases(struct session *s, struct leases *leases);

/* May a handle before this one have put what this one never has?  See leases.h. */
bool session_is_restored(const struct session *s);

/* The nodes that `members` (borrowed) name are tried too; other sessions may share it. */
void session_share_members(struct session *s, struct members *members);

/* When session_refresh_members() has something to do; UINT64_MAX: never. */
uint64_t session_members_due_ms(const struct session *s);

/*
 * If it is due, asks the node in use who is in the cluster.  Nothing else of the session changes,
 * whatever comes of it.  Blocks for at most budget_ms.
 */
void session_refresh_members(struct session *s, unsigned budget_ms);

/* As configured. */
unsigned session_ttl_s(const struct session *s);

/* For cluster_answered() and the like.  Borrowed. */
struct cluster *session_cluster(struct session *s);

#endif
