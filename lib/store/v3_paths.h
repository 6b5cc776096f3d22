/* SPDX-License-Identifier: MIT */
/*
 * v3_paths.h - a set of paths of keys: those that one stream of the watch covers (v3_watch.h).
 *
 * The paths are copies, so the set may outlive the keys.  Zeroed: empty.
 */
#ifndef ETCDREG_LIB_STORE_V3_PATHS_H
#define ETCDREG_LIB_STORE_V3_PATHS_H

#include "store.h"

struct v3_paths {
	char **all; /* sorted */
	size_t len;
};

/* Copies the paths of `len` keys.  False: out of memory; the set is then empty. */
bool v3_paths_init(struct v3_paths *paths, const struct store_key *const *keys, size_t len);
void v3_paths_release(struct v3_paths *paths);

bool v3_paths_has(const struct v3_paths *paths, const char *path);

#endif
