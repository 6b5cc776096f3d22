/* SPDX-License-Identifier: MIT */
/*
 * registry_private.h - the state of a handle.  Only registry.c, registration.c and thread.c include
 * it.
 */
#ifndef ETCDREG_LIB_REGISTRY_REGISTRY_PRIVATE_H
#define ETCDREG_LIB_REGISTRY_REGISTRY_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/config/config.h"
#include "lib/config/connstr.h"
#include "lib/config/credentials.h"
#include "queries.h"
#include "reconcile.h"
#include "session_source.h"
#include "wanted.h"

/* A join or leave that the thread has not applied yet. */
struct update {
	struct update *next;
	struct wanted_service *service;
};

struct etcdreg {
	/* Constant while the handle is open. */
	struct session_source source;
	struct config own_config;   /* loaded by etcdreg_open(); zero after registry_open() */
	struct connstr own_connstr; /* the same */
	struct credentials credentials;
	struct queries *queries;
	pthread_t thread;

	/* Used by the thread only.  Others call cluster_wake() and cluster_interrupt(). */
	struct session *session;
	struct reconcile *reconcile;

	/* Protected by `lock`.  Nobody holds it during I/O or a callback. */
	pthread_mutex_t lock;
	pthread_cond_t progress; /* the thread finished a step, or ended; uses CLOCK_MONOTONIC */
	struct update *first;
	struct update **last;
	bool settled;           /* etcd agreed with the wanted set after the latest step */
	struct etcdreg_err err; /* of the latest failed attempt; code 0: none */
	bool closing;           /* remove all services, then end */
	bool abandoned;         /* end now and leave the rest in etcd */
	bool stopped;           /* the thread has ended its work */
	char *hostname;         /* of services without one; NULL: not needed yet */
};

/* Starts the thread, with all signals blocked.  Fails with ETCDREG_E_SYSTEM. */
int registry_start_thread(struct etcdreg *reg, struct etcdreg_err *err);

/* Makes the thread look at the updates and at `closing`. */
void registry_wake_thread(struct etcdreg *reg);

/*
 * Waits for the thread's progress until `deadline`, a time of now_ms().  The caller holds the lock.
 * Returns false if the deadline has passed.
 */
bool registry_wait_for_progress(struct etcdreg *reg, uint64_t deadline);

/*
 * Removes all services from etcd, then ends and joins the thread.  Blocks for at most timeout_ms;
 * services that are left then stay in etcd until their lease or TTL expires.
 */
void registry_stop_thread(struct etcdreg *reg, unsigned timeout_ms);

#endif
