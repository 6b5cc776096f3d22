/* SPDX-License-Identifier: MIT */
/* Calls of the v2 keys API. */
#define _GNU_SOURCE
#include "v2_call.h"

#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/cleanup.h"
#include "lib/base/err.h"
#include "lib/net/http.h"

enum {
	CODE_COMPARE_FAILED = 101,
	CODE_UNAUTHORIZED = 110,
	CODE_RAFT_FIRST = 300,
	CODE_RAFT_LAST = 399,
	CODE_HISTORY_CLEARED = 401,
};

static int read_error(struct v2_call *call, const struct cluster_answer *answer,
		      struct etcdreg_err *err)
{
	const struct json_error *e = &answer->error;

	call->etcd_code = e->code;
	json_int(json_get(answer->json, "index"), &call->index);
	if (e->code >= CODE_RAFT_FIRST && e->code <= CODE_RAFT_LAST)
		return err_set(err, ETCDREG_E_UNREACH, "%s", e->message);
	if (e->code == V2_KEY_NOT_FOUND || e->code == CODE_COMPARE_FAILED ||
	    e->code == CODE_HISTORY_CLEARED)
		return err_set(err, ETCDREG_E_NOTFOUND, "%s", e->message);
	if (e->code == CODE_UNAUTHORIZED)
		return err_set(err, ETCDREG_E_DENIED, "%s", e->message);
	return err_set(err, ETCDREG_E_SERVER, "%s (code %lld)", e->message, (long long)e->code);
}

static int read_status(struct v2_call *call, const struct cluster_answer *answer,
		       struct etcdreg_err *err)
{
	const char *message = json_text(json_get(answer->json, "message"));

	if (answer->status == 401 || answer->status == 403)
		return err_set(err, ETCDREG_E_DENIED, "%s",
			       message ? message : "refuses the user or the password");
	if (!answer->json && (answer->status == 404 || answer->status == 405)) {
		call->v2->base.gone = true;
		return err_set(err, ETCDREG_E_PROTO,
			       "has no v2 API; use v3, or etcd up to 3.5 with --enable-v2");
	}
	if (answer->status >= 500)
		return err_set(err, ETCDREG_E_UNREACH, "answers with status %u", answer->status);
	return err_set(err, ETCDREG_E_PROTO,
		       "answers with status %u and without etcd's JSON; check host and port",
		       answer->status);
}

int v2_read_failure(struct v2_call *call, const struct cluster_answer *answer,
		    struct etcdreg_err *err)
{
	if (answer->failed && answer->error.v2)
		return read_error(call, answer, err);
	if (!answer->json || answer->status >= 300)
		return read_status(call, answer, err);
	return 0;
}

static int read_key(struct v2_call *call, const struct json *node, struct etcdreg_err *err)
{
	const char *value = json_text(json_get(node, "value"));

	if (!json_int(json_get(node, "modifiedIndex"), &call->index))
		return err_set(err, ETCDREG_E_PROTO, "the answer lacks 'modifiedIndex'");
	call->different = value && strcmp(value, call->key->document) != 0;
	return 0;
}

static int each_leaf(struct v2_call *call, const struct json *node, struct etcdreg_err *err)
{
	const char *path = json_text(json_get(node, "key"));
	const char *value = json_text(json_get(node, "value"));
	const struct json *child = json_first(json_get(node, "nodes"));
	int64_t index;

	if (json_int(json_get(node, "modifiedIndex"), &index) && index > call->index)
		call->index = index;
	if (path && path[0] == '/' && value) {
		int r = call->list->each(path + 1, value, call->list->arg, err);

		if (r < 0)
			return r;
	}
	for (; child; child = json_next(child)) {
		int r = each_leaf(call, child, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int read_answer(const struct cluster_answer *answer, void *arg, struct etcdreg_err *err)
{
	struct v2_call *call = arg;
	const struct json *node = json_get(answer->json, "node");
	int r = v2_read_failure(call, answer, err);

	if (r < 0)
		return r;
	call->v2->base.gone = false;
	call->v2->base.worked = true;
	if (!json_is_object(node))
		return err_set(err, ETCDREG_E_PROTO, "the answer lacks 'node'");
	return call->key ? read_key(call, node, err) : each_leaf(call, node, err);
}

int v2_request(struct v2_call *call, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf target = BUF_INIT(V2_TEXT_MAX);
	struct cluster_request rq = {
		.method = call->method,
		.body = call->form,
		.content_type = "application/x-www-form-urlencoded",
		.authorization = call->v2->authorization,
		.answer_max = call->key ? CLUSTER_ANSWER_MAX : CLUSTER_LIST_MAX,
	};

	buf_puts(&target, "/v2/keys/");
	http_escape(&target, call->path, "/");
	if (call->query)
		buf_puts(&target, call->query);
	if (buf_failed(&target))
		return err_nomem(err);
	rq.path = target.s;
	return cluster_call(call->v2->base.cluster, &rq, read_answer, call, err);
}
