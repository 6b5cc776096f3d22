/* SPDX-License-Identifier: MIT */
/*
 * watch_state.h - the services that a watch knows, and the changes that it has yet to report.
 *
 * A write of the same document again is no change.  A new list, between watch_state_begin_list()
 * and watch_state_end_list(), becomes the differences from the known services.
 *
 * One thread at a time.  All failures are ETCDREG_E_NOMEM.
 */
#ifndef ETCDREG_LIB_REGISTRY_WATCH_STATE_H
#define ETCDREG_LIB_REGISTRY_WATCH_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/etcd-registry.h"

struct known; /* a service, with its key */
struct told;  /* a change that is yet to be reported */

/* Borrows `folder` and `name`, which are those of entry_is_of(). */
struct watch_state {
	const char *folder;
	const char *name;
	struct known **known; /* sorted by path */
	size_t len;
	size_t cap;
	unsigned list; /* number of the latest list; a service with another one was not in it */
	bool complete; /* the first list has ended, so further services are new */
	struct told *first;
	struct told **last;
	struct told *taken; /* the change that was returned last */
};

void watch_state_init(struct watch_state *s, const char *folder, const char *name);
void watch_state_release(struct watch_state *s);

/*
 * Notes that the key has this document.  A document that is no service of the watch counts as
 * removed.
 */
int watch_state_put(struct watch_state *s, const char *path, const char *text,
		    struct etcdreg_err *err);

/* Notes that the key is gone; with `is_folder`, also all keys under it. */
int watch_state_remove(struct watch_state *s, const char *path, bool is_folder,
		       struct etcdreg_err *err);

void watch_state_begin_list(struct watch_state *s);
int watch_state_end_list(struct watch_state *s, struct etcdreg_err *err);

/* Returns the next change, which is valid until the next call; NULL: none. */
const struct etcdreg_change *watch_state_take(struct watch_state *s);

#endif
