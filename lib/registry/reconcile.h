/* SPDX-License-Identifier: MIT */
/*
 * reconcile.h - makes etcd agree with a set of wanted services, one request or two at a time.
 *
 * The set is that of wanted.h.  Each entry has its own state and its own backoff; an entry that
 * etcd refuses does not hold up the others.  reconcile_step() does the most urgent thing there is:
 *
 *	1. a heartbeat that is so late that the time to live is in danger
 *	2. deletes      a process that is gone must be out of etcd in milliseconds
 *	3. puts
 *	4. heartbeats
 *	5. who is in the cluster (members.h), where there is time before the next heartbeat
 *
 * and with nothing left to do it sees to the watch on its keys (v3).  What the watch has told is
 * taken in at the beginning of each step, so a step is due whenever cluster_wait() returns.
 *
 * While no node answers there is one attempt every half second, whatever is wanted, and after a
 * time to live fewer (outage.h).  A service that joins or leaves meanwhile is tried at once, unless
 * etcd failed within the last half second: then its ETCDREG_RETRYING comes without a new attempt.
 *
 * No lock, no thread: the one thread that owns it calls everything; events are sent from inside
 * these calls.  All times are those of now_ms().
 */
#ifndef ETCDREG_LIB_REGISTRY_RECONCILE_H
#define ETCDREG_LIB_REGISTRY_RECONCILE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/etcd-registry.h"
#include "lib/store/session.h"

struct reconcile;
struct wanted_service;

/* `session` is borrowed; `on_event` may be NULL.  NULL: no memory. */
struct reconcile *reconcile_new(struct session *session, etcdreg_event_fn *on_event,
				void *event_arg);

/* Forgets all entries, without a request. */
void reconcile_free(struct reconcile *rec);

/* Takes the change of the set over, as wanted_apply() does. */
void reconcile_apply(struct reconcile *rec, struct wanted_service *change);

/* Want every service out of etcd, in as few requests as it can be done. */
void reconcile_leave_all(struct reconcile *rec);

/* Does at most one thing.  Returns when to call it again: a time that may have come already. */
uint64_t reconcile_step(struct reconcile *rec);

/* Whether etcd agrees with the wanted set, as far as is known. */
bool reconcile_is_settled(const struct reconcile *rec);

/* Whether there are entries, wanted or still to be deleted. */
bool reconcile_is_empty(const struct reconcile *rec);

/* The error of the latest attempt that failed; code 0: the latest did not. */
const struct etcdreg_err *reconcile_error(const struct reconcile *rec);

#endif
