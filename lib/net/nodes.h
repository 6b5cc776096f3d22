/* SPDX-License-Identifier: MIT */
/*
 * nodes.h - the nodes of a cluster, in the order in which a call goes round them.
 *
 * First those of the connection string, which stay for ever; then those that the cluster itself has
 * named, which nodes_learn() replaces as a whole.  No node is there twice.
 *
 * A host without a port is two nodes, on 2379 and, as its fallback, on 4001.
 *
 * One thread at a time.
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
	unsigned id;   /* the same as long as the node is there, wherever it stands */
	unsigned left; /* how often a call had to leave it, since it did not answer */
};

struct nodes {
	struct node *all;
	size_t len;
	size_t configured_len;
	size_t current; /* the node to start with */
	unsigned next_id;
};

/* "http://host:port", an IPv6 address in brackets.  NULL: no memory. */
char *nodes_base(const char *scheme, const char *host, unsigned port);

/* False: no memory; what there is must be released nevertheless. */
bool nodes_init(struct nodes *n, const struct connstr *cs);
void nodes_release(struct nodes *n);

/* Starts with a configured host, which one goes by `number`; with its fallback never. */
void nodes_start_at(struct nodes *n, uint32_t number);

/*
 * Takes over the `bases` that are not there yet, and leaves NULL in the place of all; those that
 * were learned before and are not among them go.  If the node in use goes, the first one takes its
 * place.  False: no memory, nothing has changed.
 */
bool nodes_learn(struct nodes *n, char **bases, size_t len);

/* NULL: it has gone. */
const struct node *nodes_find(const struct nodes *n, unsigned id);

#endif
