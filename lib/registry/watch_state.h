/* SPDX-License-Identifier: MIT */
/*
 * watch_state.h - what a watch knows of the services, and the changes that it has still to tell.
 *
 * A write of the document that is there already is no change.  A list that is made again between
 * watch_state_begin_list() and watch_state_end_list() becomes the difference to what was known.
 * One thread at a time.  All that can fail does so with ETCDREG_E_NOMEM.
 */
#ifndef ETCDREG_LIB_REGISTRY_WATCH_STATE_H
#define ETCDREG_LIB_REGISTRY_WATCH_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/etcd-registry.h"

struct known; /* a service, by its key */
struct told;  /* a change that waits */

/* `folder` and `name` are borrowed; see entry_is_of(). */
struct watch_state {
	const char *folder;
	const char *name;
	struct known **known; /* sorted by path */
	size_t len;
	size_t cap;
	unsigned list; /* number of the latest one; what has another was not in it */
	bool complete; /* a list has ended: what comes is new */
	struct told *first;
	struct told **last;
	struct told *taken; /* the change that was handed out latest */
};

void watch_state_init(struct watch_state *s, const char *folder, const char *name);
void watch_state_release(struct watch_state *s);

/* The key has this document.  What is no service of the watch counts as gone. */
int watch_state_put(struct watch_state *s, const char *path, const char *text,
		    struct etcdreg_err *err);

/* The key is gone, or with `is_folder` all that was under it. */
int watch_state_remove(struct watch_state *s, const char *path, bool is_folder,
		       struct etcdreg_err *err);

void watch_state_begin_list(struct watch_state *s);
int watch_state_end_list(struct watch_state *s, struct etcdreg_err *err);

/* The next change, valid until the next call; NULL: there is none. */
const struct etcdreg_change *watch_state_take(struct watch_state *s);

#endif
