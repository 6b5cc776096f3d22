/* SPDX-License-Identifier: MIT */
/*
 * wanted.h - the set of wanted services, with those that must still be deleted from etcd.
 *
 * The set has one service for each path (name and url), in the order in which they came.  A service
 * that is no longer wanted stays until the caller has deleted its key and drops it.  The keys of
 * all services form one list, which a store works on (store.h).
 *
 * The set makes no request, sends no event and reads no clock.  Only wanted_service_new() can fail.
 * The number of services has no limit; each call takes linear time at most.
 *
 * Times are those of now_ms().  One thread at a time uses a set, or a service outside any set.
 */
#ifndef ETCDREG_LIB_REGISTRY_WANTED_H
#define ETCDREG_LIB_REGISTRY_WANTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/store/store.h"
#include "service.h"

/*
 * A service of the set.  The members after `wanted` belong to the caller that talks to etcd; an
 * update resets them, except repairs_ms.
 */
struct wanted_service {
	struct store_key key; /* the first member; borrows the service's path and document */
	struct service service;
	bool wanted;
	bool told_registered; /* REGISTERED was sent since it joined or was lost */
	bool told_down;       /* RETRYING was sent in this outage */
	unsigned backoff_ms;  /* after the latest failure of this key alone; 0: none */
	uint64_t retry_ms;    /* no attempt before that time */
	uint64_t repairs_ms;  /* the time that its repairs use up, at one per interval */
};

/* Zeroed: empty. */
struct wanted {
	struct store_key *keys; /* of all services; callers read it and pass it to a store */
};

/* The first services that are due at one time, in the order in which they came. */
struct wanted_batch {
	struct store_key *keys[STORE_BATCH_MAX];
	size_t len;
};

/*
 * Makes an update of a set: `service` is wanted, or must be deleted from etcd.  Allocates what
 * wanted_apply() needs, so that it cannot fail.  Takes what *service owns and empties it, even on
 * failure.  Any thread may call it.  NULL: out of memory.
 */
struct wanted_service *wanted_service_new(struct service *service, bool wanted);

/* Frees a service that is in no set.  Does nothing if it is NULL. */
void wanted_service_free(struct wanted_service *s);

/* Returns the service that has this key; NULL if `key` is NULL. */
struct wanted_service *wanted_service_of(struct store_key *key);

/* Returns whether its key must still be put or deleted, as far as is known. */
bool wanted_service_is_pending(const struct wanted_service *s);

/* Frees all services.  Does not tell a store. */
void wanted_release(struct wanted *w);

/* Iterate over the services; NULL: no more.  Fetch the next service before dropping one. */
struct wanted_service *wanted_first(const struct wanted *w);
struct wanted_service *wanted_next(const struct wanted_service *s);

/*
 * Takes ownership of an update.  Adds it to the set if its path is new.  Else merges it into the
 * service with this path and frees it.  That service may then be tried at once, and its events are
 * sent again.
 */
void wanted_apply(struct wanted *w, struct wanted_service *update);

/* Makes all services unwanted.  All may be tried at once. */
void wanted_leave_all(struct wanted *w);

/* Frees a service of the set.  The store must have removed or forgotten its key. */
void wanted_drop(struct wanted *w, struct wanted_service *s);

/*
 * Resets what a store keeps in the keys.  Call it before another store uses them, since they only
 * mean something to the store that put them.  A key that was held becomes lost; the rest is zeroed.
 */
void wanted_reset_keys(struct wanted *w);

/* Returns whether no service is pending. */
bool wanted_is_settled(const struct wanted *w);

/*
 * Finds the first STORE_BATCH_MAX pending services that may be tried at `now`: those to put if
 * `wanted`, else those to delete.  If a service may only be tried later, but before *next, lowers
 * *next to that time.
 */
void wanted_find_due(const struct wanted *w, bool wanted, uint64_t now, struct wanted_batch *ret,
		     uint64_t *next);

#endif
