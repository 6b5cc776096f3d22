/* SPDX-License-Identifier: MIT */
/*
 * nodes.h - the nodes of a cluster, in the order in which a call tries them.
 *
 * First come the nodes of the connection string, which always stay.  Then come the nodes that the
 * cluster itself has named; nodes_learn() replaces all of these.  No node is in the list twice.
 *
 * A host without a port is two nodes: on 2379 and, as a fallback, on 4001.
 *
 * Threads: one at a time.
 */
#ifndef ETCDREG_LIB_NET_NODES_H
#define ETCDREG_LIB_NET_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/config/connstr.h"

struct node {
	char *base;    /* "http://host:port" */
	bool fallback; /* the old port of the host before it */
	unsigned id;   /* stays the same when the node moves in the list */
	unsigned left; /* how many calls left the node, since it did not answer */
};

struct nodes {
	struct node *all;
	size_t len;
	size_t configured_len;
	size_t current; /* the node to start with */
	unsigned next_id;
};

/* Returns "http://host:port", a new string, an IPv6 address in brackets.  NULL: no memory. */
char *nodes_base(const char *scheme, const char *host, unsigned port);

/* Returns false if there is no memory.  Release the struct in either case. */
bool nodes_init(struct nodes *n, const struct connstr *cs);
void nodes_release(struct nodes *n);

/* Makes calls start with a configured host, chosen by `number`, but never with a fallback. */
void nodes_start_at(struct nodes *n, uint32_t number);

/*
 * Makes the nodes that the cluster has named exactly `bases`.  A node that stays keeps its id.  If
 * the current node goes, the first node becomes the current one.  Takes over all strings and leaves
 * NULL in their places.  Returns false if there is no memory; nothing has changed then.
 */
bool nodes_learn(struct nodes *n, char **bases, size_t len);

/* Returns the node of this id.  NULL: it has gone. */
const struct node *nodes_find(const struct nodes *n, unsigned id);

#endif
