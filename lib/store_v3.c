/* SPDX-License-Identifier: MIT */
/* The v3 API: one lease keeps all keys. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "err.h"
#include "store.h"
#include "util.h"
#include "v3_call.h"

#define LEASE_KEYS_MAX 500

struct lease {
	int64_t id;
	size_t keys;	       /* attached to it, or attempted */
	uint64_t refreshed_ms; /* start of the latest request that renewed it */
	bool suspect;	       /* etcd said that it is gone: ask at once */
};

struct store_v3 {
	struct store base;
	struct v3_session session;
	struct lease *leases;
	size_t leases_len;
};

static struct store_v3 *v3_of(struct store *st)
{
	return (struct store_v3 *)(void *)st;
}

static const struct store_v3 *v3_of_const(const struct store *st)
{
	return (const struct store_v3 *)(const void *)st;
}

static uint64_t ttl_ms(const struct store_v3 *v3)
{
	return (uint64_t)v3->base.ttl_s * 1000;
}

static struct lease *find_lease(const struct store_v3 *v3, int64_t id)
{
	for (size_t i = 0; i < v3->leases_len; i++) {
		if (v3->leases[i].id == id)
			return &v3->leases[i];
	}
	return NULL;
}

static void detach(struct store_v3 *v3, struct store_key *key)
{
	struct lease *lease = key->foreign ? NULL : find_lease(v3, key->lease);

	if (lease)
		lease->keys--;
	key->lease = 0;
	key->foreign = false;
	key->held = false;
}

static void attach(struct store_v3 *v3, struct store_key *key, struct lease *lease)
{
	detach(v3, key);
	key->lease = lease->id;
	lease->keys++;
}

/* Requests are written by hand: they are a few fixed shapes around base64 and numbers. */
static void add_base64(struct buf *b, const void *bytes, size_t len)
{
	char *text = codec_base64(bytes, len);

	if (text)
		buf_printf(b, "\"%s\"", text);
	else
		buf_fail(b);
	free(text);
}

static void add_key(struct buf *b, const char *path)
{
	CLEANUP(buf) struct buf key = BUF_INIT(V3_TEXT_MAX);

	buf_printf(&key, "/%s", path);
	add_base64(b, key.s, key.len);
}

static int call(struct store_v3 *v3, const char *path, const struct buf *body, v3_read_fn *read,
		void *arg, struct etcdreg_err *err)
{
	if (buf_failed(body))
		return err_nomem(err);
	return v3_call(&v3->session, path, body->s, CLUSTER_ANSWER_MAX, read, arg, err);
}

static int read_id(const struct json *answer, void *arg, struct etcdreg_err *err)
{
	if (!json_int(json_get(answer, "ID"), arg))
		return err_set(err, ETCDREG_E_PROTO, "the answer lacks the lease's 'ID'");
	return 0;
}

static int grant(struct store_v3 *v3, struct lease **ret, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf body = BUF_INIT(V3_TEXT_MAX);
	struct lease lease = {.refreshed_ms = now_ms()};
	struct lease *leases;
	int r;

	buf_printf(&body, "{\"TTL\":%u}", v3->base.ttl_s);
	r = call(v3, "/lease/grant", &body, read_id, &lease.id, err);
	if (r < 0)
		return r;
	leases = reallocarray(v3->leases, v3->leases_len + 1, sizeof(*leases));
	if (!leases)
		return err_nomem(err);
	v3->leases = leases;
	leases[v3->leases_len] = lease;
	*ret = &leases[v3->leases_len++];
	return 0;
}

static void drop_lease(struct store_v3 *v3, struct lease *lease)
{
	*lease = v3->leases[--v3->leases_len];
}

/* A lease that no key keeps in use is not renewed: it ends by itself. */
static void drop_idle_leases(struct store_v3 *v3, uint64_t now)
{
	for (size_t i = v3->leases_len; i-- > 0;) {
		struct lease *lease = &v3->leases[i];

		if (lease->keys == 0 && now >= lease->refreshed_ms + store_interval_ms(&v3->base))
			drop_lease(v3, lease);
	}
}

static int usable_lease(struct store_v3 *v3, struct lease **ret, struct etcdreg_err *err)
{
	uint64_t now = now_ms();

	drop_idle_leases(v3, now);
	for (size_t i = 0; i < v3->leases_len; i++) {
		struct lease *lease = &v3->leases[i];

		if (!lease->suspect && lease->keys < LEASE_KEYS_MAX &&
		    now < lease->refreshed_ms + ttl_ms(v3)) {
			*ret = lease;
			return 0;
		}
	}
	return grant(v3, ret, err);
}

/* What the transaction of a put found. */
struct put_result {
	bool existed;  /* our document was there already; nothing was written */
	int64_t lease; /* of what existed; 0: none, it would stay for ever */
};

static int read_put(const struct json *answer, void *arg, struct etcdreg_err *err)
{
	const struct json *range =
		json_get(json_first(json_get(answer, "responses")), "response_range");
	const struct json *kv = json_first(json_get(range, "kvs"));
	struct put_result *result = arg;

	*result = (struct put_result){.existed = json_is_true(json_get(answer, "succeeded"))};
	if (!json_get(answer, "header") || (result->existed && !json_is_object(kv)))
		return err_set(err, ETCDREG_E_PROTO,
			       "the answer to a transaction lacks its result");
	if (result->existed)
		json_int(json_get(kv, "lease"), &result->lease);
	return 0;
}

static void add_put(struct buf *b, const struct store_key *key, int64_t lease)
{
	buf_puts(b, "{\"request_put\":{\"key\":");
	add_key(b, key->path);
	buf_puts(b, ",\"value\":");
	add_base64(b, key->document, strlen(key->document));
	buf_printf(b, ",\"lease\":\"%lld\"}}", (long long)lease);
}

/* Unless it is there as it should be, or (take) in any case. */
static int put_under(struct store_v3 *v3, const struct store_key *key, int64_t lease, bool take,
		     struct put_result *result, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf body = BUF_INIT(V3_TEXT_MAX);

	if (take) {
		buf_puts(&body, "{\"success\":[");
		add_put(&body, key, lease);
		buf_puts(&body, "]}");
		*result = (struct put_result){0};
		return call(v3, "/kv/txn", &body, NULL, NULL, err);
	}
	buf_puts(&body, "{\"compare\":[{\"target\":\"VALUE\",\"key\":");
	add_key(&body, key->path);
	buf_puts(&body, ",\"value\":");
	add_base64(&body, key->document, strlen(key->document));
	buf_puts(&body, "}],\"success\":[{\"request_range\":{\"key\":");
	add_key(&body, key->path);
	buf_puts(&body, "}}],\"failure\":[");
	add_put(&body, key, lease);
	buf_puts(&body, "]}");
	return call(v3, "/kv/txn", &body, read_put, result, err);
}

struct lease_state {
	int64_t ttl_s;		/* left; <= 0: it is gone */
	struct store_key *keys; /* to check against the lease's; NULL: only the TTL */
	int64_t id;
};

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The lease's keys as etcd has them, sorted, in base64; they belong to the answer. */
static const char **sorted_keys(const struct json *answer, size_t *ret_len)
{
	const struct json *first = json_first(json_get(answer, "keys"));
	const char **texts;
	size_t len = 0;

	for (const struct json *key = first; key; key = json_next(key))
		len++;
	texts = calloc(len + 1, sizeof(*texts));
	if (!texts)
		return NULL;
	len = 0;
	for (const struct json *key = first; key; key = json_next(key)) {
		if (json_text(key))
			texts[len++] = json_text(key);
	}
	qsort(texts, len, sizeof(*texts), compare_texts);
	*ret_len = len;
	return texts;
}

static bool is_listed(const char **texts, size_t len, const char *path)
{
	CLEANUP(buf) struct buf quoted = BUF_INIT(V3_TEXT_MAX);
	const char *text;

	add_key(&quoted, path);
	if (buf_failed(&quoted))
		return true;
	quoted.s[quoted.len - 1] = '\0';
	text = quoted.s + 1;
	return bsearch(&text, texts, len, sizeof(*texts), compare_texts);
}

/* A key that left our lease was deleted, or written over by somebody: put() finds out. */
static int unhold_missing(const struct json *answer, const struct lease_state *state,
			  struct etcdreg_err *err)
{
	size_t len;
	CLEANUP(free) const char **texts = sorted_keys(answer, &len);

	if (!texts)
		return err_nomem(err);
	for (struct store_key *key = state->keys; key; key = key->next) {
		if (key->held && !key->foreign && key->lease == state->id &&
		    !is_listed(texts, len, key->path))
			key->held = false;
	}
	return 0;
}

static int read_timetolive(const struct json *answer, void *arg, struct etcdreg_err *err)
{
	struct lease_state *state = arg;

	if (!json_get(answer, "header"))
		return err_set(err, ETCDREG_E_PROTO, "the answer about a lease lacks 'header'");
	if (!json_int(json_get(answer, "TTL"), &state->ttl_s))
		state->ttl_s = 0;
	if (!state->keys || state->ttl_s < 0)
		return 0;
	return unhold_missing(answer, state, err);
}

static int timetolive(struct store_v3 *v3, struct lease_state *state, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf body = BUF_INIT(V3_TEXT_MAX);

	buf_printf(&body, "{\"ID\":\"%lld\",\"keys\":%s}", (long long)state->id,
		   state->keys ? "true" : "false");
	return call(v3, "/kv/lease/timetolive", &body, read_timetolive, state, err);
}

/* *ret: the other lease has been renewed within an interval. */
static int is_alive(struct store_v3 *v3, int64_t id, bool *ret, struct etcdreg_err *err)
{
	struct lease_state state = {.id = id};
	int r = timetolive(v3, &state, err);

	if (r < 0)
		return r;
	/* etcd rounds what is left down. */
	*ret = state.ttl_s > 0 && ((uint64_t)state.ttl_s + 1) * 1000 > store_interval_ms(&v3->base);
	return 0;
}

static void hold_foreign(struct store_v3 *v3, struct store_key *key, int64_t lease)
{
	detach(v3, key);
	key->lease = lease;
	key->foreign = true;
	key->held = true;
	key->due_ms = now_ms() + store_interval_ms(&v3->base);
}

static int put_with(struct store_v3 *v3, struct store_key *key, struct lease *lease,
		    struct etcdreg_err *err)
{
	int64_t id = lease->id;
	struct put_result result;
	bool alive = false;
	int r;

	attach(v3, key, lease);
	r = put_under(v3, key, id, false, &result, err);
	if (r < 0)
		return r;
	if (!result.existed || result.lease == id) {
		key->lost = !result.existed;
		key->held = true;
		return 0;
	}
	lease = find_lease(v3, result.lease);
	if (lease) {
		attach(v3, key, lease);
		key->held = true;
		return 0;
	}
	if (result.lease != 0)
		r = is_alive(v3, result.lease, &alive, err);
	if (r < 0)
		return r;
	if (alive) {
		hold_foreign(v3, key, result.lease);
		return 0;
	}
	r = put_under(v3, key, id, true, &result, err);
	key->held = r == 0;
	return r;
}

static void lose_lease(struct store_v3 *v3, int64_t id, struct store_key *keys)
{
	struct lease *lease = find_lease(v3, id);

	for (struct store_key *key = keys; key; key = key->next) {
		if (key->lease == id && !key->foreign) {
			key->lost |= key->held;
			detach(v3, key);
		}
	}
	if (lease)
		drop_lease(v3, lease);
}

static int put(struct store *st, struct store_key *key, struct etcdreg_err *err)
{
	struct store_v3 *v3 = v3_of(st);
	struct lease *lease;
	int r = usable_lease(v3, &lease, err);

	if (r < 0)
		return r;
	r = put_with(v3, key, lease, err);
	if (r != ETCDREG_E_NOTFOUND)
		return r;
	lease = find_lease(v3, key->lease);
	if (lease)
		lease->suspect = true;
	r = grant(v3, &lease, err);
	return r < 0 ? r : put_with(v3, key, lease, err);
}

static int read_header(const struct json *answer, void *arg, struct etcdreg_err *err)
{
	(void)arg;
	if (!json_get(answer, "header"))
		return err_set(err, ETCDREG_E_PROTO, "the answer lacks 'header'");
	return 0;
}

static int delete_any(struct store_v3 *v3, const struct store_key *key, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf body = BUF_INIT(V3_TEXT_MAX);

	buf_puts(&body, "{\"key\":");
	add_key(&body, key->path);
	buf_puts(&body, "}");
	return call(v3, "/kv/deleterange", &body, read_header, NULL, err);
}

static int delete_ours(struct store_v3 *v3, const struct store_key *key, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf body = BUF_INIT(V3_TEXT_MAX);

	buf_puts(&body, "{\"compare\":[{\"target\":\"LEASE\",\"key\":");
	add_key(&body, key->path);
	buf_printf(&body, ",\"lease\":\"%lld\"}],\"success\":[{\"request_delete_range\":{\"key\":",
		   (long long)key->lease);
	add_key(&body, key->path);
	buf_puts(&body, "}}]}");
	return call(v3, "/kv/txn", &body, read_header, NULL, err);
}

static int read_keepalive(const struct json *answer, void *arg, struct etcdreg_err *err)
{
	const struct json *result = json_get(answer, "result");
	int64_t *ttl_s = arg;

	if (!json_is_object(result))
		return err_set(err, ETCDREG_E_PROTO, "the answer to a keepalive lacks 'result'");
	if (!json_int(json_get(result, "TTL"), ttl_s))
		*ttl_s = 0;
	return 0;
}

/* *ret_lost: etcd no longer has it. */
static int renew(struct store_v3 *v3, struct lease *lease, bool *ret_lost, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf body = BUF_INIT(V3_TEXT_MAX);
	uint64_t started = now_ms();
	int64_t ttl_s;
	int r;

	buf_printf(&body, "{\"ID\":\"%lld\"}", (long long)lease->id);
	r = call(v3, "/lease/keepalive", &body, read_keepalive, &ttl_s, err);
	if (r == ETCDREG_E_NOTFOUND)
		ttl_s = 0;
	else if (r < 0)
		return r;
	*ret_lost = ttl_s <= 0;
	lease->refreshed_ms = started;
	return 0;
}

static int remove_key(struct store *st, struct store_key *key, struct etcdreg_err *err)
{
	struct store_v3 *v3 = v3_of(st);
	struct lease *lease = key->foreign ? NULL : find_lease(v3, key->lease);
	bool lost = false;
	int r = 0;

	key->held = false;
	if (key->unowned)
		return now_ms() < key->expires_ms ? delete_any(v3, key, err) : 0;
	if (!lease)
		return 0;
	/* Past its time, ask first: with the lease all its keys are gone, and none needs a delete. */
	if (now_ms() >= lease->refreshed_ms + ttl_ms(v3))
		r = renew(v3, lease, &lost, err);
	if (r == 0 && !lost)
		r = delete_ours(v3, key, err);
	if (r == 0 && lost)
		lease->suspect = true;
	if (r == 0)
		detach(v3, key);
	return r;
}

static void forget(struct store *st, struct store_key *key)
{
	detach(v3_of(st), key);
}

static uint64_t lease_due_ms(const struct store_v3 *v3, const struct lease *lease)
{
	if (lease->keys == 0)
		return UINT64_MAX;
	return lease->suspect ? 0 : lease->refreshed_ms + store_interval_ms(&v3->base);
}

static uint64_t due_ms(const struct store *st, const struct store_key *keys)
{
	const struct store_v3 *v3 = v3_of_const(st);
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < v3->leases_len; i++) {
		if (lease_due_ms(v3, &v3->leases[i]) < due)
			due = lease_due_ms(v3, &v3->leases[i]);
	}
	for (const struct store_key *key = keys; key; key = key->next) {
		if (key->foreign && key->held && key->due_ms < due)
			due = key->due_ms;
	}
	return due;
}

/* They are looked at by putting them again, which writes only what must be written. */
static void unhold_foreign(struct store_key *keys)
{
	uint64_t now = now_ms();

	for (struct store_key *key = keys; key; key = key->next) {
		if (key->foreign && now >= key->due_ms)
			key->held = false;
	}
}

static int check_keys(struct store_v3 *v3, int64_t id, struct store_key *keys,
		      struct etcdreg_err *err)
{
	struct lease_state state = {.keys = keys, .id = id};
	int r = timetolive(v3, &state, err);

	/* Who may not read all keys of the lease goes without the check: the lease itself is fine. */
	return r == ETCDREG_E_DENIED ? 0 : r;
}

static int heartbeat(struct store *st, struct store_key *keys, struct etcdreg_err *err)
{
	struct store_v3 *v3 = v3_of(st);
	struct lease *first = NULL;
	int64_t id;
	bool lost;
	int r;

	unhold_foreign(keys);
	for (size_t i = 0; i < v3->leases_len; i++) {
		struct lease *lease = &v3->leases[i];

		if (!first || lease_due_ms(v3, lease) < lease_due_ms(v3, first))
			first = lease;
	}
	if (!first || now_ms() < lease_due_ms(v3, first))
		return 0;
	id = first->id;
	r = renew(v3, first, &lost, err);
	if (r < 0)
		return r;
	if (!lost)
		return check_keys(v3, id, keys, err);
	lose_lease(v3, id, keys);
	return 0;
}

static int revoke_lease(struct store_v3 *v3, int64_t id, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf body = BUF_INIT(V3_TEXT_MAX);
	int r;

	buf_printf(&body, "{\"ID\":\"%lld\"}", (long long)id);
	r = call(v3, "/kv/lease/revoke", &body, read_header, NULL, err);
	return r == ETCDREG_E_NOTFOUND ? 0 : r;
}

static int remove_all(struct store *st, struct store_key *keys, struct etcdreg_err *err)
{
	struct store_v3 *v3 = v3_of(st);

	while (v3->leases_len > 0) {
		int64_t id = v3->leases[0].id;
		int r = revoke_lease(v3, id, err);

		if (r < 0)
			return r;
		lose_lease(v3, id, keys);
	}
	return 0;
}

struct list_call {
	store_each_fn *each;
	void *arg;
};

static int read_kv(const struct json *kv, const struct list_call *list, struct etcdreg_err *err)
{
	const char *key64 = json_text(json_get(kv, "key"));
	const char *value64 = json_text(json_get(kv, "value"));
	size_t key_len, value_len;
	CLEANUP(free) char *key = key64 ? codec_unbase64(key64, &key_len) : NULL;
	CLEANUP(free) char *value = value64 ? codec_unbase64(value64, &value_len) : NULL;

	if (!key || key[0] != '/')
		return err_set(err, ETCDREG_E_PROTO, "the answer to a list lacks a 'key'");
	return value ? list->each(key + 1, value, list->arg, err) : 0;
}

static int read_list(const struct json *answer, void *arg, struct etcdreg_err *err)
{
	const struct json *kv = json_first(json_get(answer, "kvs"));

	if (!json_get(answer, "header"))
		return err_set(err, ETCDREG_E_PROTO, "the answer to a list lacks 'header'");
	for (; kv; kv = json_next(kv)) {
		int r = read_kv(kv, arg, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* The folder ends with '/', so '0', the byte after it, ends its range. */
static int list(struct store *st, const char *folder, store_each_fn *each, void *arg,
		struct etcdreg_err *err)
{
	struct list_call call_arg = {each, arg};
	CLEANUP(buf) struct buf body = BUF_INIT(V3_TEXT_MAX);
	CLEANUP(free) char *end = strdup(folder);

	if (!end)
		return err_nomem(err);
	end[strlen(end) - 1] = '/' + 1;
	buf_puts(&body, "{\"key\":");
	add_key(&body, folder);
	buf_puts(&body, ",\"range_end\":");
	add_key(&body, end);
	buf_puts(&body, "}");
	if (buf_failed(&body))
		return err_nomem(err);
	return v3_call(&v3_of(st)->session, "/kv/range", body.s, CLUSTER_LIST_MAX, read_list,
		       &call_arg, err);
}

static void v3_free(struct store *st)
{
	struct store_v3 *v3 = v3_of(st);

	v3_session_release(&v3->session);
	free(v3->leases);
	free(v3);
}

static const struct store_ops v3_ops = {
	.put = put,
	.remove = remove_key,
	.forget = forget,
	.due_ms = due_ms,
	.heartbeat = heartbeat,
	.remove_all = remove_all,
	.list = list,
	.free = v3_free,
};

struct store *store_v3_new(const struct store *common, const char *prefix)
{
	struct store_v3 *v3 = calloc(1, sizeof(*v3));

	if (!v3)
		return NULL;
	v3->base = *common;
	v3->base.ops = &v3_ops;
	v3->session.store = &v3->base;
	v3->session.prefix = prefix;
	return &v3->base;
}
