/* SPDX-License-Identifier: MIT */
/* The v2 store: each key has its own TTL and is refreshed alone. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/base/err.h"
#include "lib/net/http.h"
#include "store.h"

#define TEXT_MAX 65536
#define FORM "application/x-www-form-urlencoded"

enum {
	CODE_KEY_NOT_FOUND = 100,
	CODE_COMPARE_FAILED = 101,
	CODE_UNAUTHORIZED = 110,
	CODE_RAFT_FIRST = 300,
	CODE_RAFT_LAST = 399,
	CODE_HISTORY_CLEARED = 401,
};

struct store_v2 {
	struct store base;
	char *authorization; /* NULL: no user */
};

static struct store_v2 *v2_of(struct store *st)
{
	return (struct store_v2 *)(void *)st;
}

/* One request and its result. */
struct v2_call {
	struct store_v2 *v2;
	const char *method;
	const char *path;
	const char *query;              /* NULL: none */
	const char *form;               /* the body; NULL: none */
	const struct store_key *key;    /* NULL: a list */
	const struct store_query *list; /* of a list */
	int64_t etcd_code;              /* of the error; 0: none */
	int64_t index;  /* modifiedIndex of the key; latest one of a list; index of an error */
	bool different; /* the value of the key is not our document */
};

static int read_error(struct v2_call *call, const struct cluster_answer *answer,
		      struct etcdreg_err *err)
{
	const struct json_error *e = &answer->error;

	call->etcd_code = e->code;
	json_int(json_get(answer->json, "index"), &call->index);
	if (e->code >= CODE_RAFT_FIRST && e->code <= CODE_RAFT_LAST)
		return err_set(err, ETCDREG_E_UNREACH, "%s", e->message);
	if (e->code == CODE_KEY_NOT_FOUND || e->code == CODE_COMPARE_FAILED ||
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
			       "has no v2 API: use v3, or etcd up to 3.5 with --enable-v2");
	}
	if (answer->status >= 500)
		return err_set(err, ETCDREG_E_UNREACH, "answers with status %u", answer->status);
	return err_set(err, ETCDREG_E_PROTO,
		       "answers with status %u and without etcd's JSON: check host and port",
		       answer->status);
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

	if (answer->failed && answer->error.v2)
		return read_error(call, answer, err);
	if (!answer->json || answer->status >= 300)
		return read_status(call, answer, err);
	call->v2->base.gone = false;
	call->v2->base.worked = true;
	if (!json_is_object(node))
		return err_set(err, ETCDREG_E_PROTO, "the answer lacks 'node'");
	return call->key ? read_key(call, node, err) : each_leaf(call, node, err);
}

static int v2_request(struct v2_call *call, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf target = BUF_INIT(TEXT_MAX);
	struct cluster_request rq = {
		.method = call->method,
		.body = call->form,
		.content_type = FORM,
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

/* Counts from the end of the request: etcd may have carried it out then, even if it failed. */
static void set_expiry(const struct store *st, struct store_key *key)
{
	key->expires_ms = now_ms() + (uint64_t)st->ttl_s * 1000;
}

static int put(struct store *st, struct store_key *key, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf form = BUF_INIT(TEXT_MAX);
	struct v2_call call = {.v2 = v2_of(st), .method = "PUT", .path = key->path, .key = key};
	uint64_t started = now_ms();
	int r;

	buf_puts(&form, "value=");
	http_escape(&form, key->document, "");
	buf_printf(&form, "&ttl=%u", st->ttl_s);
	if (buf_failed(&form))
		return err_set(err, ETCDREG_E_INVALID,
			       "the document is too long: escaped, it exceeds %d bytes", TEXT_MAX);
	key->index = 0;
	call.form = form.s;
	r = v2_request(&call, err);
	set_expiry(st, key);
	if (r < 0)
		return r;
	key->index = call.index;
	key->held = true;
	key->due_ms = started + store_interval_ms(st);
	return 0;
}

/* Limits a delete to the version that we wrote, or to our value: a successor's key must stay. */
static void add_condition(struct buf *query, const struct store_key *key)
{
	if (key->unowned)
		return;
	if (key->index != 0) {
		buf_printf(query, "?prevIndex=%lld", (long long)key->index);
	} else {
		buf_puts(query, "?prevValue=");
		http_escape(query, key->document, "");
	}
}

static int remove_key(struct store *st, struct store_key *key, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf query = BUF_INIT(TEXT_MAX);
	struct v2_call call = {.v2 = v2_of(st), .method = "DELETE", .path = key->path, .key = key};
	int r;

	key->held = false;
	if (now_ms() >= key->expires_ms)
		return 0;
	add_condition(&query, key);
	if (buf_failed(&query))
		return err_nomem(err);
	call.query = query.s;
	r = v2_request(&call, err);
	return r == ETCDREG_E_NOTFOUND ? 0 : r;
}

static void forget(struct store *st, struct store_key *key)
{
	(void)st;
	key->held = false;
	key->index = 0;
}

static uint64_t due_ms(const struct store *st, const struct store_key *keys)
{
	uint64_t due = UINT64_MAX;

	(void)st;
	for (const struct store_key *key = keys; key; key = key->next) {
		if (key->held && key->due_ms < due)
			due = key->due_ms;
	}
	return due;
}

/* A refresh without a value does not notify watchers of the key. */
static int refresh(struct store *st, struct store_key *key, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf form = BUF_INIT(TEXT_MAX);
	struct v2_call call = {.v2 = v2_of(st), .method = "PUT", .path = key->path, .key = key};
	uint64_t started = now_ms();
	int r;

	buf_printf(&form, "ttl=%u&refresh=true&prevExist=true", st->ttl_s);
	if (buf_failed(&form))
		return err_nomem(err);
	call.form = form.s;
	r = v2_request(&call, err);
	if (call.etcd_code != CODE_KEY_NOT_FOUND)
		set_expiry(st, key);
	if (r < 0 && !cluster_answered(st->cluster)) {
		key->index = 0;
		return r;
	}
	if (r == ETCDREG_E_NOTFOUND || (r == 0 && call.different)) {
		key->held = false;
		key->lost = true;
		return 0;
	}
	if (r < 0) {
		key->held = false;
		return 0;
	}
	key->index = call.index;
	key->due_ms = started + store_interval_ms(st);
	return 0;
}

static int heartbeat(struct store *st, struct store_key *keys, struct etcdreg_err *err)
{
	struct store_key *first = NULL;

	for (struct store_key *key = keys; key; key = key->next) {
		if (key->held && (!first || key->due_ms < first->due_ms))
			first = key;
	}
	return first ? refresh(st, first, err) : 0;
}

/* The keys share no lease that could be revoked. */
static int remove_all(struct store *st, struct store_key *keys, struct etcdreg_err *err)
{
	(void)st;
	(void)keys;
	(void)err;
	return 0;
}

/*
 * Reads the current index of etcd.  Only the body of an error has it, so this asks for a key that
 * no service can have.  quorum: a member that is cut off cannot answer.
 */
static int revision(struct store *st, const char *folder, int64_t *ret, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf path = BUF_INIT(TEXT_MAX);
	struct store_key key = {.document = ""};
	struct v2_call call = {
		.v2 = v2_of(st),
		.method = "GET",
		.query = "?quorum=true",
		.key = &key,
	};
	int r;

	buf_printf(&path, "%s.index", folder);
	if (buf_failed(&path))
		return err_nomem(err);
	call.path = path.s;
	r = v2_request(&call, err);
	if (r < 0 && call.etcd_code != CODE_KEY_NOT_FOUND)
		return r;
	*ret = call.index;
	return 0;
}

static int check(struct store *st, const char *folder, struct store_follow *follow,
		 struct etcdreg_err *err)
{
	int64_t index;
	int r = revision(st, folder, &index, err);

	if (r < 0)
		return r;
	follow->broken = false;
	if (index < follow->after)
		return err_set(err, ETCDREG_E_NOTFOUND, "etcd has an older state than before");
	return 0;
}

/* quorum: a member that is cut off would list services that left or expired long ago. */
static int list(struct store *st, const struct store_query *query, struct etcdreg_err *err)
{
	struct v2_call call = {
		.v2 = v2_of(st),
		.method = "GET",
		.path = query->folder,
		.query = "?recursive=true&quorum=true",
		.list = query,
	};
	int64_t before = 0;
	int r = query->ret_revision ? revision(st, query->folder, &before, err) : 0;

	if (r < 0)
		return r;
	r = v2_request(&call, err);
	if (r < 0 && r != ETCDREG_E_NOTFOUND)
		return r;
	/* A removal may be newer than all keys of the list, so the index before the list counts. */
	if (query->ret_revision)
		*query->ret_revision = r == 0 && call.index > before ? call.index : before;
	return 0;
}

static int follow_folder(struct store *st, const char *folder, struct store_follow *follow,
			 struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf target = BUF_INIT(TEXT_MAX);
	struct cluster_request rq = {
		.method = "GET",
		.authorization = v2_of(st)->authorization,
		.answer_max = CLUSTER_ANSWER_MAX,
	};

	buf_puts(&target, "/v2/keys/");
	http_escape(&target, folder, "/");
	buf_printf(&target, "?wait=true&recursive=true&waitIndex=%lld",
		   (long long)store_next_revision(follow->after));
	if (buf_failed(&target))
		return err_nomem(err);
	rq.path = target.s;
	follow->stands = true;
	follow->stream = cluster_stream_open(st->cluster, &rq);
	return follow->stream ? 0 : err_nomem(err);
}

/* The argument of read_event(). */
struct v2_reading {
	struct v2_call call;
	struct store_follow *follow;
	store_change_fn *each;
	void *arg;
};

static bool is_removal(const char *action)
{
	return strcmp(action, "delete") == 0 || strcmp(action, "expire") == 0 ||
	       strcmp(action, "compareAndDelete") == 0;
}

static int read_event(const struct cluster_answer *answer, void *arg, struct etcdreg_err *err)
{
	struct v2_reading *reading = arg;
	const struct json *node = json_get(answer->json, "node");
	const char *action = json_text(json_get(answer->json, "action"));
	const char *path = json_text(json_get(node, "key"));
	struct store_change change = {.is_folder = json_is_true(json_get(node, "dir"))};
	int64_t index;
	int r = 0;

	if (answer->failed && answer->error.v2)
		return read_error(&reading->call, answer, err);
	if (!answer->json || answer->status >= 300)
		return read_status(&reading->call, answer, err);
	if (!action || !path || path[0] != '/' ||
	    !json_int(json_get(node, "modifiedIndex"), &index))
		return err_set(err, ETCDREG_E_PROTO, "the event of a watch lacks its key or index");
	change.path = path + 1;
	if (!is_removal(action))
		change.document = json_text(json_get(node, "value"));
	if (change.document || is_removal(action))
		r = reading->each(&change, reading->arg, err);
	if (r == 0)
		reading->follow->after = index;
	return r;
}

static int read_follow(struct store *st, struct store_follow *follow, store_change_fn *each,
		       void *arg, struct etcdreg_err *err)
{
	struct v2_reading reading = {{.v2 = v2_of(st)}, follow, each, arg};
	int64_t before = follow->after;
	bool gone = st->gone;
	int r = cluster_stream_read(follow->stream, read_event, &reading, err);

	st->gone = gone;
	if (follow->after != before)
		cluster_stream_worked(follow->stream);
	return r;
}

static int read_members(const struct cluster_answer *answer, void *list, struct etcdreg_err *err)
{
	return members_read(answer->json, list, err);
}

static int members(struct store *st, struct member_list *list, struct etcdreg_err *err)
{
	struct cluster_request rq = {
		.method = "GET",
		.path = "/v2/members",
		.authorization = v2_of(st)->authorization,
		.answer_max = CLUSTER_ANSWER_MAX,
	};

	return cluster_call(st->cluster, &rq, read_members, list, err);
}

static void v2_free(struct store *st)
{
	struct store_v2 *v2 = v2_of(st);

	secret_free(v2->authorization);
	free(v2);
}

static const struct store_ops v2_ops = {
	.put = put,
	.remove = remove_key,
	.forget = forget,
	.due_ms = due_ms,
	.heartbeat = heartbeat,
	.remove_all = remove_all,
	.list = list,
	.members = members,
	.check = check,
	.follow = follow_folder,
	.read_follow = read_follow,
	.free = v2_free,
};

static char *basic_authorization(const struct credentials *credentials)
{
	CLEANUP(buf) struct buf pair = BUF_INIT(TEXT_MAX);
	CLEANUP(buf) struct buf value = BUF_INIT(TEXT_MAX);
	char *base64;

	buf_printf(&pair, "%s:%s", credentials->user, credentials->password);
	base64 = codec_base64(pair.s, pair.len);
	if (!base64)
		return NULL;
	buf_printf(&value, "Basic %s", base64);
	secret_free(base64);
	return buf_detach(&value);
}

struct store *store_v2_new(const struct store *common)
{
	struct store_v2 *v2 = calloc(1, sizeof(*v2));

	if (!v2)
		return NULL;
	v2->base = *common;
	v2->base.ops = &v2_ops;
	if (common->credentials->user) {
		v2->authorization = basic_authorization(common->credentials);
		if (!v2->authorization) {
			free(v2);
			return NULL;
		}
	}
	return &v2->base;
}
