/* SPDX-License-Identifier: MIT */
/* Streams, and how calls and streams follow each other from node to node. */
#define _GNU_SOURCE
#include <stdlib.h>

#include "cluster_private.h"
#include "lib/base/cleanup.h"
#include "lib/base/err.h"

struct cluster_stream {
	struct cluster *cluster;
	struct http_stream *http;
	unsigned node; /* its id */
	unsigned left; /* of the node, when the stream was opened */
	bool worked;
};

static const struct node *next_for_streams(const struct cluster *c)
{
	return &c->nodes.all[(c->nodes.current + c->passed) % c->nodes.len];
}

int cluster_stream_open(struct cluster *c, const struct cluster_request *rq,
			struct cluster_stream **ret, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf url = BUF_INIT(CLUSTER_URL_MAX);
	struct cluster_stream *stream = calloc(1, sizeof(*stream));
	const struct node *node = next_for_streams(c);
	struct http_request http;
	int r;

	if (!stream || !cluster_make_request(node->base, rq, c->timeout_ms, &url, &http)) {
		free(stream);
		return err_nomem(err);
	}
	*stream = (struct cluster_stream){.cluster = c, .node = node->id, .left = node->left};
	r = http_stream_open(c->http, &http, &stream->http, err);
	if (r < 0) {
		free(stream);
		return r;
	}
	*ret = stream;
	return 0;
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
	const struct nodes *n = &stream->cluster->nodes;
	const struct node *node = nodes_find(n, stream->node);

	return !node || stream->left != node->left ||
	       (stream->worked && node != &n->all[n->current]);
}

int cluster_stream_read(struct cluster_stream *stream, cluster_read_fn *read, void *arg,
			struct etcdreg_err *err)
{
	const char *line;
	size_t len;

	while ((line = http_stream_line(stream->http, &len))) {
		struct cluster_answer answer = {.status = http_stream_status(stream->http),
						.text = line};
		int r = cluster_read_answer(&answer, len, read, arg, err);

		if (r < 0)
			return r;
	}
	if (http_stream_ended(stream->http))
		return err_set(err, ETCDREG_E_UNREACH, "the stream has ended");
	if (is_left(stream))
		return err_set(err, ETCDREG_E_UNREACH, "calls have left the stream's node");
	return 0;
}

/* Calls follow the stream, unless they have left its node since the stream was opened. */
void cluster_stream_worked(struct cluster_stream *stream)
{
	struct cluster *c = stream->cluster;
	const struct node *node = nodes_find(&c->nodes, stream->node);

	stream->worked = true;
	if (!node || node->left != stream->left)
		return;
	if (node != &c->nodes.all[c->nodes.current])
		err_set(&c->failover, ETCDREG_E_UNREACH, "%s: a stream failed", cluster_node(c));
	cluster_go_to(c, (size_t)(node - c->nodes.all));
	c->passed = 0;
}

void cluster_stream_failed(struct cluster_stream *stream)
{
	struct cluster *c = stream->cluster;

	if (stream->node == next_for_streams(c)->id)
		c->passed = (c->passed + 1) % c->nodes.len;
}
