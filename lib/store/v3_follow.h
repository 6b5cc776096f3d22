/* SPDX-License-Identifier: MIT */
/*
 * v3_follow.h - follow, read_follow and check of store.h in the v3 API: a watch from a revision on.
 *
 * If etcd confirms the watch at an older revision than the one to continue from, it is another etcd
 * or has an older state: ETCDREG_E_NOTFOUND.
 *
 * An etcd that lost its data may have reached that revision again through new writes, even with the
 * same cluster_id.  So each check stores a mark: the first key of the folder with its revision and
 * lease, and the number of keys.  The first check after a broken stream asks etcd whether that was
 * its state at the revision of the mark.
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
