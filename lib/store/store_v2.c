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
#include "v2_call.h"

/* Counts from the end of the request: etcd may have carried it out then, even if it failed. */
static void set_expiry(const struct store *st, struct store_key *key)
{
	key->expires_ms = now_ms() + (uint64_t)st->ttl_s * 1000;
}

static int put(struct store *st, struct store_key *key, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf form = BUF_INIT(V2_TEXT_MAX);
	struct v2_call call = {.v2 = v2_of(st), .method = "PUT", .path = key->path, .key = key};
	uint64_t started = now_ms();
	int r;

	buf_puts(&form, "value=");
	http_escape(&form, key->document, "");
	buf_printf(&form, "&ttl=%u", st->ttl_s);
	if (buf_failed(&form))
		return err_set(err, ETCDREG_E_INVALID,
			       "the document is too long: escaped, it exceeds %d bytes",
			       V2_TEXT_MAX);
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
	CLEANUP(buf) struct buf query = BUF_INIT(V2_TEXT_MAX);
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
	CLEANUP(buf) struct buf form = BUF_INIT(V2_TEXT_MAX);
	struct v2_call call = {.v2 = v2_of(st), .method = "PUT", .path = key->path, .key = key};
	uint64_t started = now_ms();
	int r;

	buf_printf(&form, "ttl=%u&refresh=true&prevExist=true", st->ttl_s);
	if (buf_failed(&form))
		return err_nomem(err);
	call.form = form.s;
	r = v2_request(&call, err);
	if (call.etcd_code != V2_KEY_NOT_FOUND)
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
	CLEANUP(buf) struct buf path = BUF_INIT(V2_TEXT_MAX);
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
	if (r < 0 && call.etcd_code != V2_KEY_NOT_FOUND)
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
	CLEANUP(buf) struct buf target = BUF_INIT(V2_TEXT_MAX);
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
	return cluster_stream_open(st->cluster, &rq, &follow->stream, err);
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
	int r = v2_read_failure(&reading->call, answer, err);

	if (r < 0)
		return r;
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
	CLEANUP(buf) struct buf pair = BUF_INIT(V2_TEXT_MAX);
	CLEANUP(buf) struct buf value = BUF_INIT(V2_TEXT_MAX);
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
