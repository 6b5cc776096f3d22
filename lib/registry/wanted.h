/* SPDX-License-Identifier: MIT */
/*
 * wanted.h - the set of wanted services: what is to be in etcd, and what is still to be out of it.
 *
 * One entry for each path (name and url), in the order in which they came.  An entry that is no
 * longer wanted stays until whoever has seen to its delete drops it.  The keys of all entries are
 * one list, which is what a store works on (store.h).
 *
 * It knows no etcd and no clock: nothing here makes a request, sends an event or, but for
 * wanted_service_new(), can fail.  Each call is linear in the number of entries at most; of these
 * there is no limit.
 *
 * Times are those of now_ms().  One thread at a time; an entry that is in no set is its maker's.
 */
#ifndef ETCDREG_LIB_REGISTRY_WANTED_H
#define ETCDREG_LIB_REGISTRY_WANTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/store/store.h"
#include "service.h"

/* What follows `wanted` is for whoever talks to etcd; a change of the entry begins it anew. */
struct wanted_service {
	struct store_key key; /* the first member; borrows the service's path and document */
	struct service service;
	bool wanted;
	bool told_registered; /* since it joined, or was lost */
	bool told_down;       /* in this outage */
	unsigned backoff_ms;  /* of the latest failure of its own; 0: none */
	uint64_t retry_ms;    /* nothing before that */
	uint64_t repairs_ms;  /* the time that its repairs take up, at one an interval; it stays */
};

/* Zeroed: empty. */
struct wanted {
	struct store_key *keys; /* of all entries; to be read, and handed to a store */
};

/* The first entries that are due at one time, in the order in which they came. */
struct wanted_batch {
	struct store_key *keys[STORE_BATCH_MAX];
	size_t len;
};

/*
 * A change of the set: `service` is wanted, or is to be out of etcd.  It is made apart from where
 * it is applied, so that applying cannot fail.  Takes what *service owns and leaves it empty, on
 * failure too.  Any thread.  NULL: no memory.
 */
struct wanted_service *wanted_service_new(struct service *service, bool wanted);

/* Of one that is in no set; NULL is none. */
void wanted_service_free(struct wanted_service *e);

/* The entry that a key of a set is in; NULL: `key` is NULL. */
struct wanted_service *wanted_service_of(struct store_key *key);

/* Whether etcd is still to be made to agree with it, as far as is known. */
bool wanted_service_is_pending(const struct wanted_service *e);

/* Frees all entries; no store hears of it. */
void wanted_release(struct wanted *w);

/* Round all entries; NULL: no more.  An entry may be dropped once its next one is known. */
struct wanted_service *wanted_first(const struct wanted *w);
struct wanted_service *wanted_next(const struct wanted_service *e);

/*
 * Takes the change over: it is the entry of its path, or is merged into the one that is there and
 * freed.  That one then may be tried at once, and what was told of it is told again.
 */
void wanted_apply(struct wanted *w, struct wanted_service *change);

/* From now on none is wanted, and all may be tried at once. */
void wanted_leave_all(struct wanted *w);

/* Frees an entry of the set.  The store must have removed or forgotten its key. */
void wanted_drop(struct wanted *w, struct wanted_service *e);

/*
 * Keys mean something to the store that they were put with, and nothing to another: before they go
 * to another one, what was held is lost, and all else that a store keeps in a key is zero again.
 */
void wanted_reset_keys(struct wanted *w);

/* Whether no entry is pending. */
bool wanted_is_settled(const struct wanted *w);

/*
 * Of the pending entries those to put (`wanted`) or those to delete that may be tried at `now`: the
 * first STORE_BATCH_MAX.  *next becomes earlier if one that was passed over may be tried before it.
 */
void wanted_find_due(const struct wanted *w, bool wanted, uint64_t now, struct wanted_batch *ret,
		     uint64_t *next);

#endif
