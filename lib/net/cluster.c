/* SPDX-License-Identifier: MIT */
/* Calls to etcd, with failover between its nodes. */
#define _GNU_SOURCE
#include "cluster_private.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/random.h"

#define NODE_MIN_MS 1000
#define TRY_MIN_MS 20 /* in less time, no node can answer */

int cluster_new(const struct connstr *cs, const struct config *cfg, struct cluster **ret,
		struct etcdreg_err *err)
{
	struct cluster *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_nomem(err);
	c->timeout_ms = cfg->timeout_ms;
	c->deadline_ms = UINT64_MAX;
	r = tls_files_init(&c->tls, cfg) && nodes_init(&c->nodes, cs) ? 0 : err_nomem(err);
	if (r == 0 && cfg->spread)
		nodes_start_at(&c->nodes, any_number());
	if (r == 0)
		r = http_new(&c->tls, &c->http, err);
	if (r < 0) {
		cluster_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

void cluster_free(struct cluster *c)
{
	if (!c)
		return;
	nodes_release(&c->nodes);
	http_free(c->http);
	tls_files_release(&c->tls);
	free(c);
}

void cluster_share_members(struct cluster *c, struct members *members)
{
	c->members = members;
}

int cluster_read_answer(struct cluster_answer *answer, size_t len, cluster_read_fn *read, void *arg,
			struct etcdreg_err *err)
{
	struct json *json = json_parse(answer->text, len);
	int r;

	answer->json = json;
	answer->failed = json_read_error(json, &answer->error);
	r = read(answer, arg, err);
	json_free(json);
	return r;
}

bool cluster_make_request(const char *base, const struct cluster_request *rq, unsigned timeout_ms,
			  struct buf *url, struct http_request *ret)
{
	buf_printf(url, "%s%s", base, rq->path);
	*ret = (struct http_request){
		.method = rq->method,
		.url = url->s,
		.body = rq->body,
		.content_type = rq->content_type,
		.authorization = rq->authorization,
		.answer_max = rq->answer_max,
		.timeout_ms = timeout_ms,
	};
	return !buf_failed(url);
}

/* A call on its way round the nodes. */
struct call {
	const struct cluster_request *rq;
	cluster_read_fn *read;
	void *read_arg;
	struct buf failures;        /* of the nodes that were left */
	int code;                   /* of the failures, if they agree; 0: there is none */
	struct etcdreg_err refusal; /* the first that a node answered with; code 0: none */
};

static void call_release(struct call *call)
{
	buf_release(&call->failures);
}

static int call_node(struct cluster *c, const char *base, unsigned timeout_ms,
		     const struct call *call, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf url = BUF_INIT(CLUSTER_URL_MAX);
	struct cluster_answer answer = {0};
	struct http_request rq;
	struct http_answer http;
	int r;

	c->answered = false;
	if (!cluster_make_request(base, call->rq, timeout_ms, &url, &rq))
		return err_nomem(err);
	r = http_perform(c->http, &rq, &http, err);
	c->silent |= http.silent;
	c->refused = http.refused;
	if (r < 0)
		return r;
	answer.status = http.status;
	answer.text = http.body.s;
	r = cluster_read_answer(&answer, http.body.len, call->read, call->read_arg, err);
	http_answer_release(&http);
	c->answered = r != ETCDREG_E_UNREACH && r != ETCDREG_E_PROTO;
	return r;
}

/* Returns the time for the `nth` node of a call.  An old port does not count as a node. */
static unsigned share_of(const struct cluster *c, size_t first, size_t nth, unsigned left_ms)
{
	unsigned nodes = 1, share;

	for (size_t i = nth + 1; i < c->nodes.len; i++)
		nodes += !c->nodes.all[(first + i) % c->nodes.len].fallback;
	share = left_ms / nodes;

	if (share < NODE_MIN_MS)
		share = NODE_MIN_MS;
	return share < left_ms ? share : left_ms;
}

static uint64_t deadline_of(const struct cluster *c)
{
	uint64_t deadline = now_ms() + c->timeout_ms;

	return deadline < c->deadline_ms ? deadline : c->deadline_ms;
}

void cluster_go_to(struct cluster *c, size_t node)
{
	if (c->nodes.current != node)
		c->passed = 0;
	c->nodes.current = node;
}

/* Takes a new list of members.  Without memory, the next call tries again. */
static void learn_members(struct cluster *c)
{
	CLEANUP(member_list) struct member_list list = {0};
	unsigned version = c->members_version;

	if (c->members && members_take(c->members, &version, &list) &&
	    nodes_learn(&c->nodes, list.bases, list.len))
		c->members_version = version;
}

static void begin(struct cluster *c)
{
	learn_members(c);
	c->answered = false;
	c->silent = false;
	c->refused = false;
}

static void add_failure(struct call *call, const char *base, const struct etcdreg_err *one)
{
	call->code = call->code == 0 || call->code == one->code ? one->code : ETCDREG_E_UNREACH;
	if (call->failures.len > 0)
		buf_puts(&call->failures, "; ");
	buf_printf(&call->failures, "%s: %s", base, one->msg);
}

static void stay_with(struct cluster *c, size_t at, const struct call *call)
{
	cluster_go_to(c, at);
	if (call->failures.len > 0)
		err_set(&c->failover, call->code, "%s", call->failures.s);
}

/*
 * Returns whether the answer of a node is final.  A refusal is not: the other nodes may accept the
 * request.  If none does, the first refusal counts.
 */
static bool is_over(struct cluster *c, size_t at, int r, const struct etcdreg_err *one,
		    struct call *call)
{
	struct node *node = &c->nodes.all[at];
	bool is_refused = c->answered && (r == ETCDREG_E_SERVER || r == ETCDREG_E_DENIED);

	if (c->answered && (!is_refused || call->refusal.code == 0))
		stay_with(c, at, call);
	if ((c->answered && !is_refused) || r == ETCDREG_E_NOMEM || r == ETCDREG_E_TIMEOUT)
		return true;
	if (is_refused && call->refusal.code == 0)
		err_set(&call->refusal, r, "%s: %s", node->base, one->msg);
	node->left += r == ETCDREG_E_UNREACH;
	add_failure(call, node->base, one);
	return false;
}

/* Tries each node once, as far as the time goes.  1: no answer is final. */
static int go_round(struct cluster *c, struct call *call, struct etcdreg_err *err)
{
	uint64_t deadline = deadline_of(c);
	size_t first = c->nodes.current;

	for (size_t i = 0; i < c->nodes.len; i++) {
		size_t at = (first + i) % c->nodes.len;
		const struct node *node = &c->nodes.all[at];
		struct etcdreg_err one;
		uint64_t now = now_ms();
		int r;

		if (now + TRY_MIN_MS > deadline) {
			if (call->refusal.code == 0)
				cluster_go_to(c, at);
			break;
		}
		if (node->fallback && !c->refused && i > 0)
			continue;
		r = call_node(c, node->base, share_of(c, first, i, (unsigned)(deadline - now)),
			      call, &one);
		if (is_over(c, at, r, &one, call))
			return r == 0 ? 0 : err_set(err, r, "%s: %s", node->base, one.msg);
	}
	return 1;
}

int cluster_call(struct cluster *c, const struct cluster_request *rq, cluster_read_fn *read,
		 void *arg, struct etcdreg_err *err)
{
	CLEANUP(call)
	struct call call = {
		.rq = rq, .read = read, .read_arg = arg, .failures = BUF_INIT(CLUSTER_URL_MAX)};
	int r;

	begin(c);
	r = go_round(c, &call, err);
	if (r <= 0)
		return r;
	c->answered = call.refusal.code != 0;
	if (c->answered)
		return err_set(err, call.refusal.code, "%s", call.refusal.msg);
	if (call.failures.len == 0)
		return err_set(err, ETCDREG_E_UNREACH, "cannot ask etcd: no time is left");
	return err_set(err, call.code, "%s", call.failures.s);
}

const char *cluster_node(const struct cluster *c)
{
	return c->nodes.all[c->nodes.current].base;
}

bool cluster_answered(const struct cluster *c)
{
	return c->answered;
}

bool cluster_take_failover(struct cluster *c, struct etcdreg_err *ret)
{
	if (c->failover.code == 0)
		return false;
	*ret = c->failover;
	c->failover.code = 0;
	return true;
}

bool cluster_was_silent(const struct cluster *c)
{
	return c->silent;
}

void cluster_wait(struct cluster *c, uint64_t timeout_ms)
{
	http_wait(c->http, timeout_ms);
}

void cluster_wake(struct cluster *c)
{
	http_wake(c->http);
}

void cluster_keep_connections(struct cluster *c, bool keep)
{
	http_keep_connections(c->http, keep);
}

void cluster_set_timeout(struct cluster *c, unsigned timeout_ms)
{
	c->timeout_ms = timeout_ms;
}

void cluster_set_deadline(struct cluster *c, uint64_t deadline_ms)
{
	c->deadline_ms = deadline_ms;
}

void cluster_interrupt(struct cluster *c)
{
	http_interrupt(c->http);
}
