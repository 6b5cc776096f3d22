/* SPDX-License-Identifier: MIT */
/* Transactions of the v3 API. */
#define _GNU_SOURCE
#include "v3_txn.h"

#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/codec.h"
#include "lib/base/err.h"
#include "v3_requests.h"

typedef void add_fn(struct buf *b, const struct store_key *key);

static int call(struct v3_access *s, const struct buf *body, v3_read_fn *read, void *arg,
		struct etcdreg_err *err)
{
	const struct v3_request rq = {"/kv/txn", body, CLUSTER_ANSWER_MAX};

	return v3_call(s, &rq, read, arg, err);
}

static void add_key(struct buf *b, const char *head, const struct store_key *key)
{
	buf_puts(b, head);
	v3_add_key(b, key->path);
}

static void add_document(struct buf *b, const struct store_key *key)
{
	buf_puts(b, ",\"value\":");
	v3_quote_base64(b, key->document, strlen(key->document));
}

static void add_compare_value(struct buf *b, const struct store_key *key)
{
	add_key(b, "{\"target\":\"VALUE\",\"key\":", key);
	add_document(b, key);
	buf_puts(b, "}");
}

static void add_compare_new(struct buf *b, const struct store_key *key)
{
	add_key(b, "{\"target\":\"CREATE\",\"key\":", key);
	buf_puts(b, ",\"create_revision\":\"0\"}");
}

static void add_compare_lease(struct buf *b, const struct store_key *key)
{
	add_key(b, "{\"target\":\"LEASE\",\"key\":", key);
	buf_printf(b, ",\"lease\":\"%lld\"}", (long long)key->lease);
}

/* Stands in if etcd cannot compare leases. */
static void add_compare_write(struct buf *b, const struct store_key *key)
{
	if (key->index == 0) {
		add_compare_value(b, key);
		return;
	}
	add_key(b, "{\"target\":\"MOD\",\"key\":", key);
	buf_printf(b, ",\"mod_revision\":\"%lld\"}", (long long)key->index);
}

static void add_put(struct buf *b, const struct store_key *key)
{
	add_key(b, "{\"request_put\":{\"key\":", key);
	add_document(b, key);
	buf_printf(b, ",\"lease\":\"%lld\"}}", (long long)key->lease);
}

static void add_range(struct buf *b, const struct store_key *key)
{
	add_key(b, "{\"request_range\":{\"key\":", key);
	buf_puts(b, "}}");
}

static void add_delete(struct buf *b, const struct store_key *key)
{
	add_key(b, "{\"request_delete_range\":{\"key\":", key);
	buf_puts(b, "}}");
}

/* Adds a member of the transaction: an array with one element for each key. */
static void add_each(struct buf *b, const char *name, struct store_key *const *keys, size_t len,
		     add_fn *add)
{
	buf_printf(b, b->len > 0 ? ",\"%s\":[" : "{\"%s\":[", name);
	for (size_t i = 0; i < len; i++) {
		if (i > 0)
			buf_puts(b, ",");
		add(b, keys[i]);
	}
	buf_puts(b, "]");
}

static bool read_revision(const struct json *answer, int64_t *ret)
{
	return json_int(json_get(json_get(answer, "header"), "revision"), ret);
}

/* Returns what a range found of one key, or NULL. */
static const struct json *found_in(const struct json *response)
{
	return json_first(json_get(json_get(response, "response_range"), "kvs"));
}

static void read_found(const struct json *kv, struct v3_put *ret)
{
	*ret = (struct v3_put){.existed = true};
	json_int(json_get(kv, "lease"), &ret->lease);
	json_int(json_get(kv, "mod_revision"), &ret->revision);
}

static int lacks_result(struct etcdreg_err *err)
{
	return err_set(err, ETCDREG_E_PROTO, "the answer to a transaction lacks its result");
}

static int read_put(const struct json *answer, void *arg, struct etcdreg_err *err)
{
	const struct json *kv = found_in(json_first(json_get(answer, "responses")));
	struct v3_put *result = arg;

	if (json_is_true(json_get(answer, "succeeded"))) {
		read_found(kv, result);
		return json_is_object(kv) ? 0 : lacks_result(err);
	}
	*result = (struct v3_put){0};
	return read_revision(answer, &result->revision) ? 0 : lacks_result(err);
}

/* A transaction without a compare always succeeds, so only its revision is read. */
static int read_take(const struct json *answer, void *arg, struct etcdreg_err *err)
{
	return read_revision(answer, arg) ? 0 : lacks_result(err);
}

static bool has_document(const struct json *kv, const struct store_key *key)
{
	const char *text = json_text(json_get(kv, "value"));
	size_t len;
	CLEANUP(free) char *value = text ? codec_unbase64(text, &len) : NULL;

	return value && len == strlen(key->document) && memcmp(value, key->document, len) == 0;
}

static int read_put_new(const struct json *answer, void *arg, struct etcdreg_err *err)
{
	const struct json *response = json_first(json_get(answer, "responses"));
	struct v3_puts *puts = arg;

	memset(puts->found, 0, sizeof(puts->found));
	puts->done = json_is_true(json_get(answer, "succeeded"));
	if (puts->done)
		return read_take(answer, &puts->found[0].revision, err);
	for (size_t i = 0; i < puts->len; i++) {
		if (!response)
			return lacks_result(err);
		if (has_document(found_in(response), puts->keys[i]))
			read_found(found_in(response), &puts->found[i]);
		response = json_next(response);
	}
	return 0;
}

static int read_delete(const struct json *answer, void *arg, struct etcdreg_err *err)
{
	bool *ret_done = arg;

	if (!json_get(answer, "header"))
		return lacks_result(err);
	*ret_done = json_is_true(json_get(answer, "succeeded"));
	return 0;
}

/* If the document exists, asks for its lease and revision, not for the document. */
int v3_put(struct v3_access *s, const struct store_key *key, struct v3_put *result,
	   struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf body = BUF_INIT(V3_TEXT_MAX);

	buf_puts(&body, "{\"compare\":[");
	add_compare_value(&body, key);
	add_key(&body, "],\"success\":[{\"request_range\":{\"key\":", key);
	buf_puts(&body, ",\"keys_only\":true}}],\"failure\":[");
	add_put(&body, key);
	buf_puts(&body, "]}");
	return call(s, &body, read_put, result, err);
}

int v3_take(struct v3_access *s, const struct store_key *key, int64_t *ret_revision,
	    struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf body = BUF_INIT(V3_TEXT_MAX);

	buf_puts(&body, "{\"success\":[");
	add_put(&body, key);
	buf_puts(&body, "]}");
	return call(s, &body, read_take, ret_revision, err);
}

int v3_put_new(struct v3_access *s, struct v3_puts *puts, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf body = BUF_INIT(V3_TEXT_MAX);

	add_each(&body, "compare", puts->keys, puts->len, add_compare_new);
	add_each(&body, "success", puts->keys, puts->len, add_put);
	add_each(&body, "failure", puts->keys, puts->len, add_range);
	buf_puts(&body, "}");
	return call(s, &body, read_put_new, puts, err);
}

int v3_delete_all(struct v3_access *s, struct store_key *const *keys, size_t len, bool *ret_done,
		  struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf body = BUF_INIT(V3_TEXT_MAX);
	/* Etcd before 3.3 does not compare leases. */
	bool is_old = strcmp(s->prefix, "/v3alpha") == 0;

	add_each(&body, "compare", keys, len, is_old ? add_compare_write : add_compare_lease);
	add_each(&body, "success", keys, len, add_delete);
	buf_puts(&body, "}");
	return call(s, &body, read_delete, ret_done, err);
}

int v3_delete_leased(struct v3_access *s, struct store_key *key, struct etcdreg_err *err)
{
	bool done;

	return v3_delete_all(s, &key, 1, &done, err);
}
