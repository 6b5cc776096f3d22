/* SPDX-License-Identifier: MIT */
/* Follows the changes under a folder. */
#define _GNU_SOURCE
#include "v3_follow.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/codec.h"
#include "lib/base/err.h"
#include "lib/base/hash.h"
#include "v3_list.h"
#include "v3_requests.h"

struct reading {
	struct store_follow *follow;
	store_change_fn *each;
	void *arg;
};

int v3_follow(struct v3_access *s, const char *folder, struct store_follow *follow,
	      struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf body = BUF_INIT(V3_TEXT_MAX);
	/* After a long outage etcd may send all missed changes in one line. */
	const struct v3_request rq = {"/watch", &body, CLUSTER_LIST_MAX};

	v3_add_watch(&body, folder, true, store_next_revision(follow->after));
	follow->stands = false;
	return v3_stream_open(s, &rq, &follow->stream, err);
}

static int begin(struct store_follow *follow, int64_t revision, struct etcdreg_err *err)
{
	if (revision < follow->after)
		return err_set(err, ETCDREG_E_NOTFOUND, "etcd has an older state than before");
	follow->stands = true;
	cluster_stream_worked(follow->stream);
	return 0;
}

static int read_event(const struct json *event, int64_t after, const struct reading *reading,
		      struct etcdreg_err *err)
{
	const struct json *kv = json_get(event, "kv");
	const char *type = json_text(json_get(event, "type"));
	const char *key64 = json_text(json_get(kv, "key"));
	const char *value64 = json_text(json_get(kv, "value"));
	bool gone = type && strcmp(type, "DELETE") == 0;
	size_t len;
	CLEANUP(free) char *key = key64 ? codec_unbase64(key64, &len) : NULL;
	CLEANUP(free) char *value = codec_unbase64(value64 ? value64 : "", &len);
	struct store_change change = {.document = gone ? NULL : value};
	int64_t revision;
	int r;

	if (!key || key[0] != '/' || !value || !json_int(json_get(kv, "mod_revision"), &revision))
		return err_set(err, ETCDREG_E_PROTO,
			       "the event of a watch lacks its key or revision");
	if (revision <= after)
		return 0;
	change.path = key + 1;
	r = reading->each(&change, reading->arg, err);
	if (r == 0)
		reading->follow->after = revision;
	return r;
}

/* The changes of one transaction have one revision, and come in one line. */
static int read_line(const struct json *answer, void *arg, struct etcdreg_err *err)
{
	const struct reading *reading = arg;
	const struct json *result = json_get(answer, "result");
	const struct json *event = json_first(json_get(result, "events"));
	int64_t after = reading->follow->after, revision;
	int r = 0;

	if (!json_int(json_get(json_get(result, "header"), "revision"), &revision))
		return err_set(err, ETCDREG_E_PROTO, "the answer to a watch lacks 'revision'");
	if (json_is_true(json_get(result, "canceled")))
		return v3_watch_canceled(result, err);
	if (json_is_true(json_get(result, "created")))
		r = begin(reading->follow, revision, err);
	for (; event && r == 0; event = json_next(event))
		r = read_event(event, after, reading, err);
	return r;
}

int v3_read_follow(struct v3_access *s, struct store_follow *follow, store_change_fn *each,
		   void *arg, struct etcdreg_err *err)
{
	struct reading reading = {follow, each, arg};

	return v3_stream_read(s, follow->stream, read_line, &reading, err);
}

struct seen {
	int64_t revision; /* the current one of etcd */
	uint64_t mark;
};

static uint64_t hash_number(uint64_t hash, const struct json *number)
{
	int64_t value = 0;

	json_int(number, &value);
	return hash_bytes(hash, &value, sizeof(value));
}

static int read_seen(const struct json *answer, void *arg, struct etcdreg_err *err)
{
	const struct json *kv = json_first(json_get(answer, "kvs"));
	const char *key = json_text(json_get(kv, "key"));
	struct seen *seen = arg;

	if (!json_int(json_get(json_get(answer, "header"), "revision"), &seen->revision))
		return err_set(err, ETCDREG_E_PROTO,
			       "the answer to a range request lacks 'revision'");
	seen->mark = hash_text(HASH_START, key ? key : "");
	seen->mark = hash_number(seen->mark, json_get(kv, "mod_revision"));
	seen->mark = hash_number(seen->mark, json_get(kv, "lease"));
	seen->mark = hash_number(seen->mark, json_get(answer, "count"));
	return 0;
}

/* Reads the mark of the folder at a revision; 0: the current one. */
static int look(struct v3_access *s, const char *folder, int64_t revision, struct seen *ret,
		struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf body = BUF_INIT(V3_TEXT_MAX);
	const struct v3_request rq = {"/kv/range", &body, CLUSTER_ANSWER_MAX};

	buf_puts(&body, "{");
	v3_add_folder(&body, folder, NULL, 0);
	buf_printf(&body, ",\"limit\":\"1\",\"keys_only\":true,\"revision\":\"%lld\"}",
		   (long long)revision);
	return v3_call(s, &rq, read_seen, ret, err);
}

/* ETCDREG_E_NOTFOUND: etcd has another mark at that revision, or does not have the revision. */
static int check_mark(struct v3_access *s, const char *folder, const struct store_follow *follow,
		      struct etcdreg_err *err)
{
	struct seen seen = {0};
	int r = look(s, folder, follow->marked_at, &seen, err);

	if (r == 0 && seen.mark != follow->mark)
		r = err_set(err, ETCDREG_E_NOTFOUND, "etcd has a different state than before");
	return r;
}

int v3_check_follow(struct v3_access *s, const char *folder, struct store_follow *follow,
		    struct etcdreg_err *err)
{
	struct seen now = {0};
	int r = follow->broken && follow->marked_at > 0 ? check_mark(s, folder, follow, err) : 0;
	bool differs = r == ETCDREG_E_NOTFOUND;

	if (r == 0 || differs)
		r = look(s, folder, 0, &now, err);
	if (r < 0)
		return r;
	follow->marked_at = now.revision;
	follow->mark = now.mark;
	follow->broken = false;
	if (differs || now.revision < follow->after)
		return err_set(err, ETCDREG_E_NOTFOUND, "etcd no longer has its earlier state");
	return 0;
}
