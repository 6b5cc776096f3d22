/* SPDX-License-Identifier: MIT */
/*
 * session.h - one client of etcd: its connections, its login, and the API that it uses.
 *
 * With api=auto the first call asks a node for its version.  It chooses v3 if the server has it,
 * and v2 otherwise.  The choice holds until etcd answers that it does not have that API, because
 * etcd was upgraded or its gateway was switched off.  Then the next call asks for the version
 * again.  It does not choose a v3 API that has not answered once since it was chosen.  If v3 has
 * ever answered, it chooses v2 only if a node tells its version.
 *
 * One thread at a time, except for cluster_interrupt() of its cluster.
 */
#ifndef ETCDREG_LIB_STORE_SESSION_H
#define ETCDREG_LIB_STORE_SESSION_H

#include "lib/config/config.h"
#include "lib/config/connstr.h"
#include "lib/config/credentials.h"
#include "store.h"

struct session;

/*
 * Creates a session; makes no request.  Borrows `credentials` until session_free(), and `cs` and
 * `cfg` for the call.  Fails as cluster_new() does.
 */
int session_new(const struct connstr *cs, const struct config *cfg,
		const struct credentials *credentials, struct session **ret,
		struct etcdreg_err *err);
void session_free(struct session *s);

/*
 * Returns the store of the chosen API.  Chooses the API first if there is none, or if etcd no
 * longer has it.  The store is valid until the next call of this function.  If that call returns
 * another store, it sets *ret_new, and the caller must reset its keys.  `ret_new` may be NULL.
 * Fails as cluster_call() does.
 */
int session_store(struct session *s, struct store **ret, bool *ret_new, struct etcdreg_err *err);

/*
 * Tells where a store finds the leases of an earlier handle and keeps its own.  Call it before the
 * first session_store().  Borrows `leases`, which may be NULL.
 */
void session_keep_leases(struct session *s, struct leases *leases);

/* Whether an earlier handle may have put keys that this one has not put (leases.h). */
bool session_is_restored(const struct session *s);

/* Makes calls try the nodes in `members` too.  Borrows it; other sessions may share it. */
void session_share_members(struct session *s, struct members *members);

/* Returns when session_refresh_members() has something to do, by now_ms(); UINT64_MAX: never. */
uint64_t session_members_due_ms(const struct session *s);

/*
 * Asks the node in use for the members of the cluster, if that is due.  Does not change anything
 * else in the session, even if it fails.  Blocks for at most budget_ms.
 */
void session_refresh_members(struct session *s, unsigned budget_ms);

/* Returns the time to live of keys, as configured. */
unsigned session_ttl_s(const struct session *s);

/* Returns the cluster, for cluster_answered() and the like.  It belongs to the session. */
struct cluster *session_cluster(struct session *s);

#endif
