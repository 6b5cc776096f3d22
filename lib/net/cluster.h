/* SPDX-License-Identifier: MIT */
/*
 * cluster.h - one call to etcd, on any node that answers.
 *
 * A call starts with the node that worked last.  It goes on to the next node if
 *
 *	- the node does not connect, or does not answer in its share of the time
 *	- the caller's `read` returns ETCDREG_E_UNREACH or ETCDREG_E_PROTO for the answer
 *	- the node refuses the request itself, since it may be the only one that does
 *
 * Any other result ends the call.
 *
 * The nodes share the time of a call.  Each gets an equal part of the time that is left, but at
 * least 1 s, as far as there is so much.  If the time ends before all nodes were tried, the next
 * call begins with the others.
 *
 * A host without a port is two nodes, on 2379 and on 4001.  A call tries the second only if the
 * first refused the connection.  The nodes are those of the connection string, and those that the
 * cluster has named since (members.h).
 *
 * A stream is a call whose answer does not end.  It is on one node, to which the calls go too.  A
 * call that leaves a node also ends the streams there: only the call can notice that a node has
 * vanished.
 *
 * Threads: one at a time; any thread may call cluster_wake() and cluster_interrupt().
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

/* Keeps nothing of `cs` and `cfg`.  Fails as http_new() does. */
int cluster_new(const struct connstr *cs, const struct config *cfg, struct cluster **ret,
		struct etcdreg_err *err);
void cluster_free(struct cluster *c);

/* Makes later calls try the nodes of `members` too, which it borrows. */
void cluster_share_members(struct cluster *c, struct members *members);

struct cluster_request {
	const char *method;
	const char *path; /* with the leading slash and the query */
	const char *body; /* NULL: none */
	const char *content_type;
	const char *authorization; /* NULL: none */
	size_t answer_max;
};

struct cluster_answer {
	unsigned status;
	const struct json *json; /* NULL: the answer is not JSON */
	const char *text;        /* as the node sent it */
	bool failed;             /* the answer is an error, which `error` describes */
	struct json_error error;
};

/*
 * Reads an answer.  A call runs it once for each node that answers.  It returns
 *
 *	0                             the answer is good
 *	ETCDREG_E_UNREACH, _PROTO     the node cannot serve the request: try the next
 *	ETCDREG_E_SERVER, _DENIED     the node refuses: final, unless another node does better
 *	any other code                final: end the call
 */
typedef int cluster_read_fn(const struct cluster_answer *answer, void *arg,
			    struct etcdreg_err *err);

/*
 * Sends the request to one node after another, and passes each answer to `read` with `arg`.  Blocks
 * until a node gives a final answer, all nodes have failed, or the time is up.  A failure has the
 * code of `read` or of http_perform(); if the nodes fail in different ways, ETCDREG_E_UNREACH.  The
 * message names the node, or each node that was tried.
 */
int cluster_call(struct cluster *c, const struct cluster_request *rq, cluster_read_fn *read,
		 void *arg, struct etcdreg_err *err);

/* Returns whether a node gave a final answer in the latest call, even if it was an error. */
bool cluster_answered(const struct cluster *c);

/*
 * Returns the base ("http://host:port") of the node that the next call starts with: the one that
 * worked last.
 */
const char *cluster_node(const struct cluster *c);

/*
 * Returns whether calls have moved to another node since the latest question.  *ret then names the
 * node that failed and says why.
 */
bool cluster_take_failover(struct cluster *c, struct etcdreg_err *ret);

/* Returns whether a node closed the connection without an answer in the latest call. */
bool cluster_was_silent(const struct cluster *c);

struct cluster_stream;

/*
 * Begins a stream without waiting.  rq->answer_max limits one line.  Close *ret before you free the
 * cluster.  Fails with ETCDREG_E_SYSTEM (libcurl refuses an option) or _NOMEM.
 */
int cluster_stream_open(struct cluster *c, const struct cluster_request *rq,
			struct cluster_stream **ret, struct etcdreg_err *err);
void cluster_stream_close(struct cluster_stream *stream);

/*
 * Passes each line that has arrived to `read`, as an answer of its own.  If `read` fails, stops and
 * fails as it does.  Fails with ETCDREG_E_UNREACH if the stream has ended, or if calls have left
 * its node.
 */
int cluster_stream_read(struct cluster_stream *stream, cluster_read_fn *read, void *arg,
			struct etcdreg_err *err);

/*
 * The caller says how a stream went.  After one that worked, calls go to its node.  After one that
 * failed, the next stream is opened on another node.
 */
void cluster_stream_worked(struct cluster_stream *stream);
void cluster_stream_failed(struct cluster_stream *stream);

/* As http_wait() and http_wake(). */
void cluster_wait(struct cluster *c, uint64_t timeout_ms);
void cluster_wake(struct cluster *c);

/* Sets the longest time of one call, from now on. */
void cluster_set_timeout(struct cluster *c, unsigned timeout_ms);

/*
 * Sets whether a connection may serve several calls; at first it may.  Only a new connection
 * notices that somebody has corrected a certificate.
 */
void cluster_keep_connections(struct cluster *c, bool keep);

/* Sets the time of now_ms() at which all calls from now on must have ended. */
void cluster_set_deadline(struct cluster *c, uint64_t deadline_ms);

/*
 * Ends the call that is running.  That call and all later ones fail with ETCDREG_E_TIMEOUT.  Any
 * thread may call it.
 */
void cluster_interrupt(struct cluster *c);

#endif
