/* SPDX-License-Identifier: MIT */
/*
 * reconcile_private.h - the common part of reconcile.c and reconcile_events.c.  No other file
 * includes it.
 */
#ifndef ETCDREG_LIB_REGISTRY_RECONCILE_PRIVATE_H
#define ETCDREG_LIB_REGISTRY_RECONCILE_PRIVATE_H

#include <stdbool.h>

#include "outage.h"
#include "reconcile.h"
#include "wanted.h"

struct reconcile {
	struct session *session;
	struct store *store; /* of the latest attempt; NULL: none yet */
	etcdreg_event_fn *on_event;
	void *event_arg;
	struct wanted wanted;
	struct outage outage; /* of etcd as a whole, not of one key */
	bool told_down;       /* RETRYING was sent with down_err */
	bool leaving_all;     /* remove_all() must still succeed */
	struct etcdreg_err down_err;
	struct etcdreg_err failover_err; /* of the latest FAILOVER */
	struct etcdreg_err err;          /* see reconcile_error() */
};

/* Sends an event.  `s` NULL: it concerns etcd as a whole.  `err` NULL: the event has no error. */
void reconcile_emit(struct reconcile *rec, enum etcdreg_event_type type,
		    const struct wanted_service *s, const struct etcdreg_err *err);

/*
 * Sends REGISTERED and LOST for what the latest call of the store noted in the keys.  Plans the
 * repair of keys that somebody else disturbed.
 */
void reconcile_tell_states(struct reconcile *rec);

/* Sends FAILOVER if calls have moved to another node.  Sends no message twice in a row. */
void reconcile_tell_failover(struct reconcile *rec);

/*
 * Notes that etcd as a whole failed, and plans the next attempt.  Sends RETRYING if the error is
 * new, and for each pending service that has not had it in this outage.  ETCDREG_E_TIMEOUT, the end
 * of the handle, sends nothing.
 */
void reconcile_go_down(struct reconcile *rec, const struct etcdreg_err *err);

/* Sends RETRYING for each pending service that has not had it in this outage. */
void reconcile_tell_down(struct reconcile *rec);

/* Notes that etcd answers, and sends UP if an outage was reported. */
void reconcile_come_up(struct reconcile *rec);

/* Notes that etcd refused this key, plans its next attempt, and sends RETRYING for the service. */
void reconcile_back_off(struct reconcile *rec, struct wanted_service *s,
			const struct etcdreg_err *err);

#endif
