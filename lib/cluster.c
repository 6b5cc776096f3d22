/* SPDX-License-Identifier: MIT */
/* Calls to etcd with failover between its nodes. */
#define _GNU_SOURCE
#include "cluster.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "http.h"
#include "util.h"

#define PORT_NEW    2379
#define PORT_OLD    4001
#define NODE_MIN_MS 1000
#define URL_MAX	    65536

struct node {
	char *base;    /* "http://host:port" */
	bool fallback; /* the old port of the host before it */
	unsigned left; /* how often a call had to leave it */
};

struct cluster_stream {
	struct cluster *cluster;
	struct http_stream *http;
	size_t node;
	unsigned left; /* of the node, when it was opened */
	bool worked;
};

struct cluster {
	struct http *http;
	struct node *nodes;
	size_t nodes_len;
	size_t current; /* the node that worked last */
	size_t passed;	/* nodes from there on that streams could not be had from */
	unsigned timeout_ms;
	uint64_t deadline_ms;
	bool answered; /* these three are of the latest call */
	bool silent;
	bool refused; /* by the latest node */
	struct etcdreg_err failover; /* code 0: none since it was taken */
};

static char *base_of(const char *scheme, const char *host, unsigned port)
{
	CLEANUP(buf) struct buf b = BUF_INIT(URL_MAX);

	buf_printf(&b, strchr(host, ':') ? "%s://[%s]:%u" : "%s://%s:%u", scheme, host, port);
	return buf_detach(&b);
}

static bool add_node(struct cluster *c, const char *scheme, const char *host, unsigned port,
		     bool fallback)
{
	char *base = base_of(scheme, host, port);

	if (base)
		c->nodes[c->nodes_len++] = (struct node){.base = base, .fallback = fallback};
	return base;
}

static bool add_nodes(struct cluster *c, const struct connstr *cs)
{
	c->nodes = calloc(cs->hosts_len * 2, sizeof(*c->nodes));
	if (!c->nodes)
		return false;
	for (size_t i = 0; i < cs->hosts_len; i++) {
		const struct connstr_host *h = &cs->hosts[i];

		if (!add_node(c, cs->scheme, h->host, h->port ? h->port : PORT_NEW, false))
			return false;
		if (h->port == 0 && !add_node(c, cs->scheme, h->host, PORT_OLD, true))
			return false;
	}
	return true;
}

int cluster_new(const struct connstr *cs, const struct config *cfg, struct cluster **ret,
		struct etcdreg_err *err)
{
	struct http_tls tls = {.cacert = cfg->cacert, .cert = cfg->cert, .key = cfg->key};
	struct cluster *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_nomem(err);
	c->timeout_ms = cfg->timeout_ms;
	c->deadline_ms = UINT64_MAX;
	r = http_new(&tls, &c->http, err);
	if (r == 0 && !add_nodes(c, cs))
		r = err_nomem(err);
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
	for (size_t i = 0; i < c->nodes_len; i++)
		free(c->nodes[i].base);
	free(c->nodes);
	http_free(c->http);
	free(c);
}

static int read_answer(unsigned status, const char *body, size_t len, cluster_read_fn *read,
		       void *arg, struct etcdreg_err *err)
{
	struct json *json = json_parse(body, len);
	struct cluster_answer answer = {.status = status, .json = json};
	int r;

	answer.failed = json_read_error(json, &answer.error);
	r = read(&answer, arg, err);
	json_free(json);
	return r;
}

static int call_node(struct cluster *c, const char *base, const struct cluster_request *rq,
		     unsigned timeout_ms, cluster_read_fn *read, void *arg, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf url = BUF_INIT(URL_MAX);
	struct http_request http = {
		.method = rq->method,
		.body = rq->body,
		.content_type = rq->content_type,
		.authorization = rq->authorization,
		.answer_max = rq->answer_max,
		.timeout_ms = timeout_ms,
	};
	struct http_answer answer;
	int r;

	buf_printf(&url, "%s%s", base, rq->path);
	if (buf_failed(&url))
		return err_nomem(err);
	http.url = url.s;
	r = http_perform(c->http, &http, &answer, err);
	c->silent |= answer.silent;
	c->refused = answer.refused;
	if (r < 0)
		return r;
	r = read_answer(answer.status, answer.body.s, answer.body.len, read, arg, err);
	http_answer_release(&answer);
	c->answered = r != ETCDREG_E_UNREACH && r != ETCDREG_E_PROTO;
	return r;
}

/* Of the nodes from the `nth` of this call on; an old port is no node of its own. */
static unsigned share_of(const struct cluster *c, size_t first, size_t nth, unsigned left_ms)
{
	unsigned nodes = 1, share;

	for (size_t i = nth + 1; i < c->nodes_len; i++)
		nodes += !c->nodes[(first + i) % c->nodes_len].fallback;
	share = left_ms / nodes;

	if (share < NODE_MIN_MS)
		share = NODE_MIN_MS;
	return share < left_ms ? share : left_ms;
}

/* The errors of all nodes as one; the code is theirs where they agree. */
static void add_failure(struct buf *all, int *code, const char *base, const struct etcdreg_err *one)
{
	*code = *code == 0 || *code == one->code ? one->code : ETCDREG_E_UNREACH;
	if (all->len > 0)
		buf_puts(all, "; ");
	buf_printf(all, "%s: %s", base, one->msg);
}

static bool is_final(const struct cluster *c, int r)
{
	return c->answered || r == ETCDREG_E_NOMEM || r == ETCDREG_E_TIMEOUT;
}

static uint64_t deadline_of(const struct cluster *c)
{
	uint64_t deadline = now_ms() + c->timeout_ms;

	return deadline < c->deadline_ms ? deadline : c->deadline_ms;
}

static void go_to(struct cluster *c, size_t node)
{
	if (c->current != node)
		c->passed = 0;
	c->current = node;
}

int cluster_call(struct cluster *c, const struct cluster_request *rq, cluster_read_fn *read,
		 void *arg, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf all = BUF_INIT(URL_MAX);
	uint64_t deadline = deadline_of(c);
	size_t first = c->current;
	int code = 0;

	c->answered = false;
	c->silent = false;
	c->refused = false;
	for (size_t i = 0; i < c->nodes_len; i++) {
		size_t at = (first + i) % c->nodes_len;
		struct etcdreg_err one;
		uint64_t now = now_ms();
		int r;

		if (now >= deadline)
			break;
		if (c->nodes[at].fallback && !c->refused && i > 0)
			continue;
		r = call_node(c, c->nodes[at].base, rq,
			      share_of(c, first, i, (unsigned)(deadline - now)), read, arg, &one);
		if (c->answered && all.len > 0)
			err_set(&c->failover, code, "%s", all.s);
		if (c->answered)
			go_to(c, at);
		if (r == 0)
			return 0;
		if (is_final(c, r))
			return err_set(err, r, "%s: %s", c->nodes[at].base, one.msg);
		c->nodes[at].left++;
		add_failure(&all, &code, c->nodes[at].base, &one);
	}
	if (all.len == 0)
		return err_set(err, ETCDREG_E_UNREACH, "no time is left to ask etcd");
	return err_set(err, code, "%s", all.s);
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

struct cluster_stream *cluster_stream_open(struct cluster *c, const struct cluster_request *rq)
{
	CLEANUP(buf) struct buf url = BUF_INIT(URL_MAX);
	struct cluster_stream *stream = calloc(1, sizeof(*stream));
	size_t at = (c->current + c->passed) % c->nodes_len;
	struct http_request http = {
		.method = rq->method,
		.body = rq->body,
		.content_type = rq->content_type,
		.authorization = rq->authorization,
		.answer_max = rq->answer_max,
		.timeout_ms = c->timeout_ms,
	};

	buf_printf(&url, "%s%s", c->nodes[at].base, rq->path);
	if (!stream || buf_failed(&url)) {
		free(stream);
		return NULL;
	}
	http.url = url.s;
	*stream = (struct cluster_stream){.cluster = c, .node = at, .left = c->nodes[at].left};
	stream->http = http_stream_open(c->http, &http);
	if (!stream->http) {
		free(stream);
		return NULL;
	}
	return stream;
}

void cluster_stream_close(struct cluster_stream *stream)
{
	if (!stream)
		return;
	http_stream_close(stream->http);
	free(stream);
}

static bool is_left(const struct cluster_stream *stream)
{
	const struct cluster *c = stream->cluster;

	return stream->left != c->nodes[stream->node].left ||
	       (stream->worked && stream->node != c->current);
}

int cluster_stream_read(struct cluster_stream *stream, cluster_read_fn *read, void *arg,
			struct etcdreg_err *err)
{
	const char *line;
	size_t len;

	while ((line = http_stream_line(stream->http, &len))) {
		int r = read_answer(http_stream_status(stream->http), line, len, read, arg, err);

		if (r < 0)
			return r;
	}
	if (http_stream_ended(stream->http))
		return err_set(err, ETCDREG_E_UNREACH, "the stream has ended");
	if (is_left(stream))
		return err_set(err, ETCDREG_E_UNREACH, "the stream's node was left");
	return 0;
}

void cluster_stream_worked(struct cluster_stream *stream)
{
	stream->worked = true;
	go_to(stream->cluster, stream->node);
	stream->cluster->passed = 0;
}

void cluster_stream_failed(struct cluster_stream *stream)
{
	struct cluster *c = stream->cluster;

	if (stream->node == (c->current + c->passed) % c->nodes_len)
		c->passed = (c->passed + 1) % c->nodes_len;
}

void cluster_wait(struct cluster *c, uint64_t timeout_ms)
{
	http_wait(c->http, timeout_ms);
}

void cluster_wake(struct cluster *c)
{
	http_wake(c->http);
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
