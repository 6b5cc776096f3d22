/* SPDX-License-Identifier: MIT */
/* Requests of the v3 API. */
#define _GNU_SOURCE
#include "v3_requests.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/codec.h"
#include "lib/base/err.h"

/* Bytes of 1000 keys in base64.  A namespace is at most as long as a connection string. */
#define LEASED_MAX ((size_t)4 << 20)

void v3_quote_base64(struct buf *b, const void *bytes, size_t len)
{
	char *text = codec_base64(bytes, len);

	if (text)
		buf_printf(b, "\"%s\"", text);
	else
		buf_fail(b);
	free(text);
}

void v3_add_key(struct buf *b, const char *path)
{
	CLEANUP(buf) struct buf key = BUF_INIT(V3_TEXT_MAX);

	buf_printf(&key, "/%s", path);
	v3_quote_base64(b, key.s, key.len);
}

static int read_id(const struct json *answer, void *arg, struct etcdreg_err *err)
{
	if (!json_int(json_get(answer, "ID"), arg))
		return err_set(err, ETCDREG_E_PROTO, "the answer to a lease request lacks 'ID'");
	return 0;
}

int v3_grant(struct v3_access *s, unsigned ttl_s, int64_t *ret_id, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf body = BUF_INIT(V3_TEXT_MAX);
	const struct v3_request rq = {"/lease/grant", &body, CLUSTER_ANSWER_MAX};

	buf_printf(&body, "{\"TTL\":%u}", ttl_s);
	return v3_call(s, &rq, read_id, ret_id, err);
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

int v3_keepalive(struct v3_access *s, int64_t id, int64_t *ret_ttl_s, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf body = BUF_INIT(V3_TEXT_MAX);
	const struct v3_request rq = {"/lease/keepalive", &body, CLUSTER_ANSWER_MAX};
	int r;

	buf_printf(&body, "{\"ID\":\"%lld\"}", (long long)id);
	r = v3_call(s, &rq, read_keepalive, ret_ttl_s, err);
	if (r != ETCDREG_E_NOTFOUND)
		return r;
	*ret_ttl_s = 0;
	return 0;
}

static int read_header(const struct json *answer, void *arg, struct etcdreg_err *err)
{
	(void)arg;
	if (!json_get(answer, "header"))
		return err_set(err, ETCDREG_E_PROTO,
			       "the answer to a delete or revoke lacks 'header'");
	return 0;
}

int v3_revoke(struct v3_access *s, int64_t id, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf body = BUF_INIT(V3_TEXT_MAX);
	const struct v3_request rq = {"/kv/lease/revoke", &body, CLUSTER_ANSWER_MAX};
	int r;

	buf_printf(&body, "{\"ID\":\"%lld\"}", (long long)id);
	r = v3_call(s, &rq, read_header, NULL, err);
	return r == ETCDREG_E_NOTFOUND ? 0 : r;
}

struct lease_state {
	struct v3_lease lease;
	struct store_key *keys; /* to be compared; NULL: only the TTL is read */
	int64_t id;
};

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Returns the keys of the lease in base64, sorted.  The texts belong to the answer. */
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

	v3_add_key(&quoted, path);
	if (buf_failed(&quoted))
		return true;
	quoted.s[quoted.len - 1] = '\0';
	text = quoted.s + 1;
	return bsearch(&text, texts, len, sizeof(*texts), compare_texts);
}

/* Somebody deleted or overwrote a key that left our lease; put() finds out which. */
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
		return err_set(err, ETCDREG_E_PROTO,
			       "the answer to a time-to-live request lacks 'header'");
	state->lease = (struct v3_lease){0};
	json_int(json_get(answer, "TTL"), &state->lease.left_s);
	json_int(json_get(answer, "grantedTTL"), &state->lease.granted_s);
	if (!state->keys || state->lease.left_s < 0)
		return 0;
	return unhold_missing(answer, state, err);
}

int v3_timetolive(struct v3_access *s, int64_t id, struct store_key *keys, struct v3_lease *ret,
		  struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf body = BUF_INIT(V3_TEXT_MAX);
	const struct v3_request rq = {"/kv/lease/timetolive", &body, LEASED_MAX};
	struct lease_state state = {.id = id, .keys = keys};
	int r;

	buf_printf(&body, "{\"ID\":\"%lld\",\"keys\":%s}", (long long)id, keys ? "true" : "false");
	r = v3_call(s, &rq, read_timetolive, &state, err);
	if (r == 0)
		*ret = state.lease;
	return r;
}

int v3_delete(struct v3_access *s, const struct store_key *key, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf body = BUF_INIT(V3_TEXT_MAX);
	const struct v3_request rq = {"/kv/deleterange", &body, CLUSTER_ANSWER_MAX};

	buf_puts(&body, "{\"key\":");
	v3_add_key(&body, key->path);
	buf_puts(&body, "}");
	return v3_call(s, &rq, read_header, NULL, err);
}

/* The range of a prefix ends at the prefix with its last byte plus one.  UTF-8 has no byte 0xff. */
void v3_add_watch(struct buf *b, const char *path, bool is_prefix, int64_t start_revision)
{
	CLEANUP(buf) struct buf key = BUF_INIT(V3_TEXT_MAX);

	buf_printf(&key, "/%s", path);
	if (buf_failed(&key)) {
		buf_fail(b);
		return;
	}
	buf_puts(b, "{\"create_request\":{\"key\":");
	v3_quote_base64(b, key.s, key.len);
	if (is_prefix) {
		key.s[key.len - 1]++;
		buf_puts(b, ",\"range_end\":");
		v3_quote_base64(b, key.s, key.len);
	}
	if (start_revision > 0)
		buf_printf(b, ",\"start_revision\":\"%lld\"", (long long)start_revision);
	buf_puts(b, "}}");
}

int v3_watch_canceled(const struct json *result, struct etcdreg_err *err)
{
	const char *reason = json_text(json_get(result, "cancel_reason"));
	bool denied = reason && (strstr(reason, "permission denied") ||
				 strstr(reason, "auth token") || strstr(reason, "user name"));
	int code = denied ? ETCDREG_E_DENIED : ETCDREG_E_UNREACH;

	if (json_get(result, "compact_revision"))
		code = ETCDREG_E_NOTFOUND;
	return err_set(err, code, "etcd canceled the watch: %s", reason ? reason : "compacted");
}

int v3_members(struct v3_access *s, struct member_list *list, struct etcdreg_err *err)
{
	static char empty[] = "{}";
	const struct buf body = {.s = empty, .len = strlen(empty)};
	const struct v3_request rq = {"/cluster/member/list", &body, CLUSTER_ANSWER_MAX};

	return v3_call(s, &rq, members_read, list, err);
}
