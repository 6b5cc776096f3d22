/* SPDX-License-Identifier: MIT */
/*
 * v3_follow.h - the changes under a folder in the v3 API: a watch from a revision on.
 *
 * As the store's follow and read_follow.  A watch that etcd begins at an older revision than the
 * one it is to continue from is of another etcd, or of an older state: ETCDREG_E_NOTFOUND.
 */
#ifndef ETCDREG_V3_FOLLOW_H
#define ETCDREG_V3_FOLLOW_H

#include "v3_call.h"

int v3_follow(struct v3_session *s, const char *folder, struct store_follow *follow,
	      struct etcdreg_err *err);
int v3_read_follow(struct v3_session *s, struct store_follow *follow, store_change_fn *each,
		   void *arg, struct etcdreg_err *err);

#endif
