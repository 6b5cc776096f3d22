/* SPDX-License-Identifier: MIT */
/*
 * reconcile.h - make etcd agree with a set of wanted services, one or two requests at a time.
 *
 * The set is that of wanted.h.  Each service has a state and a backoff of its own, so a service
 * that etcd refuses does not delay the others.  reconcile_step() does the most urgent thing:
 *
 *	1. a heartbeat that is so late that the TTL is in danger
 *	2. deletes      a process that has ended must be out of etcd within milliseconds
 *	3. puts
 *	4. heartbeats
 *	5. the list of members (members.h), if there is time before the next heartbeat
 *
 * If nothing is due, it opens the watch streams on its keys (v3).  Each step first reads the events
 * of the watch, so the caller must make a step whenever cluster_wait() returns.
 *
 * While no node answers, there is one attempt every half second in total, and fewer after a TTL
 * (outage.h).  A service that joins or leaves in that time is tried at once.  If etcd failed within
 * the last half second, the service gets its ETCDREG_RETRYING without a new attempt.
 *
 * It has no lock and no thread: the thread that owns it makes all calls, which send the events.
 * Times are those of now_ms().
 */
#ifndef ETCDREG_LIB_REGISTRY_RECONCILE_H
#define ETCDREG_LIB_REGISTRY_RECONCILE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/etcd-registry.h"
#include "lib/store/session.h"

struct reconcile;
struct wanted_service;

/* Borrows `session`.  `on_event` may be NULL.  NULL: out of memory. */
struct reconcile *reconcile_new(struct session *session, etcdreg_event_fn *on_event,
				void *event_arg);

/* Frees it with all services.  Makes no request. */
void reconcile_free(struct reconcile *rec);

/* Takes ownership of an update of the set, as wanted_apply() does. */
void reconcile_apply(struct reconcile *rec, struct wanted_service *update);

/* Makes all services unwanted.  Steps then delete them with as few requests as possible. */
void reconcile_leave_all(struct reconcile *rec);

/* Does at most one thing.  Returns when to call it again, which may be a time in the past. */
uint64_t reconcile_step(struct reconcile *rec);

/* Returns whether etcd agrees with the wanted set, as far as is known. */
bool reconcile_is_settled(const struct reconcile *rec);

/* Returns whether there are no services, neither wanted nor to be deleted. */
bool reconcile_is_empty(const struct reconcile *rec);

/* Returns the error of the latest failed attempt; code 0: there is no failure at present. */
const struct etcdreg_err *reconcile_error(const struct reconcile *rec);

#endif
