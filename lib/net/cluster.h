/* SPDX-License-Identifier: MIT */
/*
 * cluster.h - one call to etcd, on whichever node answers it.
 *
 * A call starts with the node that worked last and goes round.  A node is left for the next one
 * when it does not connect, does not answer in its share of the time, or its answer is refused by
 * the caller with ETCDREG_E_UNREACH or ETCDREG_E_PROTO.  Where it refuses the request itself, the
 * others are asked too, since it may be alone with that.  Any other outcome ends the call.
 *
 * The time of a call is shared: each node gets an equal part of what is left, at least 1 s where
 * the whole is that long, and the whole is never exceeded.  Where that ended before all nodes were
 * tried, the next call begins with those that were not.
 *
 * A host without a port is two nodes, on 2379 and on 4001; the second is tried only where the
 * first refused the connection.  The nodes are those of the connection string, and those that the
 * cluster has named since (members.h).
 *
 * A stream is a call whose answer does not end.  It is on one node, the one that calls go to, and a
 * node that a call had to leave takes its streams along: of a node that has vanished without a word
 * it is the calls that notice.
 *
 * One thread at a time, except cluster_wake() and cluster_interrupt().
 */
#ifndef ETCDREG_LIB_NET_CLUSTER_H
#define ETCDREG_LIB_NET_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/json.h"
#include "lib/config/config.h"
#include "lib/config/connstr.h"
#include "lib/etcd-registry.h"
#include "members.h"

#define CLUSTER_ANSWER_MAX ((size_t)1 << 20) /* bytes of most answers */
#define CLUSTER_LIST_MAX ((size_t)64 << 20)  /* bytes of a list */

struct cluster;

/* Nothing is kept of `cs` and `cfg`.  Fails as http_new() does. */
int cluster_new(const struct connstr *cs, const struct config *cfg, struct cluster **ret,
		struct etcdreg_err *err);
void cluster_free(struct cluster *c);

/* From the next call on, the nodes of `members` (borrowed) are tried too. */
void cluster_share_members(struct cluster *c, struct members *members);

struct cluster_request {
	const char *method;
	const char *path; /* with its leading slash and its query */
	const char *body; /* NULL: none */
	const char *content_type;
	const char *authorization; /* NULL: none */
	size_t answer_max;
};

struct cluster_answer {
	unsigned status;
	const struct json *json; /* NULL: the answer is not JSON */
	const char *text;        /* as it came */
	bool failed;             /* it is an error, which `error` describes */
	struct json_error error;
};

/*
 * Reads an answer; called once for each node that answers.  0: taken.  ETCDREG_E_UNREACH or _PROTO:
 * this node is no good, try the next.  ETCDREG_E_SERVER or _DENIED: it refuses; that is etcd's word
 * if no other node says better.  Other codes: that is etcd's word, end the call.
 */
typedef int cluster_read_fn(const struct cluster_answer *answer, void *arg,
			    struct etcdreg_err *err);

/* On failure the message names the node, or each node that was tried. */
int cluster_call(struct cluster *c, const struct cluster_request *rq, cluster_read_fn *read,
		 void *arg, struct etcdreg_err *err);

/* Whether a node gave etcd's word in the latest call, even if that was an error. */
bool cluster_answered(const struct cluster *c);

/*
 * The base ("http://host:port") of the node that a call would start with: the one that worked last.
 */
const char *cluster_node(const struct cluster *c);

/*
 * Whether a node had to be left for another one that did, since this was asked last; *ret names it
 * and says why.
 */
bool cluster_take_failover(struct cluster *c, struct etcdreg_err *ret);

/* Whether in the latest call a node closed the connection without an answer. */
bool cluster_was_silent(const struct cluster *c);

struct cluster_stream;

/*
 * Begins a stream, without waiting; rq->answer_max is of one line.  A node that could not be had is
 * passed over by the next stream.  To be closed before the cluster is freed.  NULL: no memory.
 */
struct cluster_stream *cluster_stream_open(struct cluster *c, const struct cluster_request *rq);
void cluster_stream_close(struct cluster_stream *stream);

/*
 * Hands each line that has come to `read`, as an answer of its own, until there is none, or `read`
 * fails: then fails as it does.  ETCDREG_E_UNREACH: the stream has ended, or its node was left.
 */
int cluster_stream_read(struct cluster_stream *stream, cluster_read_fn *read, void *arg,
			struct etcdreg_err *err);

/*
 * The caller is through with a stream: it has done its work, and calls go to its node from now on,
 * or it has failed, and the next one is to be opened on another node.
 */
void cluster_stream_worked(struct cluster_stream *stream);
void cluster_stream_failed(struct cluster_stream *stream);

/* As http_wait() and http_wake(). */
void cluster_wait(struct cluster *c, uint64_t timeout_ms);
void cluster_wake(struct cluster *c);

/* Longest time of one call from now on. */
void cluster_set_timeout(struct cluster *c, unsigned timeout_ms);

/*
 * Whether a connection may serve several calls; it may at first.  What was wrong with a certificate
 * is found right on new connections only.
 */
void cluster_keep_connections(struct cluster *c, bool keep);

/* When all calls from now on must have ended, as a time of now_ms(): a budget for several. */
void cluster_set_deadline(struct cluster *c, uint64_t deadline_ms);

/*
 * From any thread: ends the call that is running, and makes it and all later ones fail with
 * ETCDREG_E_TIMEOUT.
 */
void cluster_interrupt(struct cluster *c);

#endif
