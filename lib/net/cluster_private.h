/* SPDX-License-Identifier: MIT */
/*
 * cluster_private.h - the common part of cluster.c and cluster_stream.c.  No other file includes
 * it.
 */
#ifndef ETCDREG_LIB_NET_CLUSTER_PRIVATE_H
#define ETCDREG_LIB_NET_CLUSTER_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster.h"
#include "http.h"
#include "lib/base/buf.h"
#include "nodes.h"
#include "tls_files.h"

#define CLUSTER_URL_MAX 65536

struct cluster {
	struct tls_files tls;
	struct http *http;
	struct nodes nodes;
	size_t passed;            /* nodes, from the current one on, on which streams failed */
	struct members *members;  /* NULL: nobody asks the cluster */
	unsigned members_version; /* of the list in `nodes` */
	unsigned timeout_ms;
	uint64_t deadline_ms;
	bool answered; /* these three are of the latest call */
	bool silent;
	bool refused;                /* by the latest node */
	struct etcdreg_err failover; /* code 0: none since cluster_take_failover() */
};

/* Fills *ret, which borrows `url` for its URL.  Returns false if there is no memory. */
bool cluster_make_request(const char *base, const struct cluster_request *rq, unsigned timeout_ms,
			  struct buf *url, struct http_request *ret);

/* Completes `answer`, which has its status and a text of `len` bytes, and passes it to `read`. */
int cluster_read_answer(struct cluster_answer *answer, size_t len, cluster_read_fn *read, void *arg,
			struct etcdreg_err *err);

/* Makes calls and streams start with this element of c->nodes.all. */
void cluster_go_to(struct cluster *c, size_t node);

#endif
