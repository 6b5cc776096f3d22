/* SPDX-License-Identifier: MIT */
/*
 * v3_follow.h - the changes under a folder in the v3 API: a watch from a revision on.
 *
 * As the store's follow, read_follow and check.  A watch that etcd begins at an older revision than
 * the one it is to continue from is of another etcd, or of an older state: ETCDREG_E_NOTFOUND.
 *
 * An etcd that lost its data, and has been written to since, may have come past that revision.  Its
 * cluster_id may be the same.  So each check leaves a mark, the first key of the folder with its
 * revision and lease and how many keys there are, and the first check after a stream has broken off
 * asks whether the mark was so.
 */
#ifndef ETCDREG_LIB_STORE_V3_FOLLOW_H
#define ETCDREG_LIB_STORE_V3_FOLLOW_H

#include "v3_call.h"

int v3_follow(struct v3_access *s, const char *folder, struct store_follow *follow,
	      struct etcdreg_err *err);
int v3_check_follow(struct v3_access *s, const char *folder, struct store_follow *follow,
		    struct etcdreg_err *err);
int v3_read_follow(struct v3_access *s, struct store_follow *follow, store_change_fn *each,
		   void *arg, struct etcdreg_err *err);

#endif
