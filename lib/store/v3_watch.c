/* SPDX-License-Identifier: MIT */
/* Watches the keys of a handle. */
#define _GNU_SOURCE
#include "v3_watch.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/backoff.h"
#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/base/err.h"
#include "v3_paths.h"
#include "v3_requests.h"

#define LINE_MAX ((size_t)4 << 20)
#define OPENING_MS 3000
#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 4000 /* with its jitter 5 s */
#define DENIED_MS 30000
#define STEADY_MS 10000 /* a stream that lasted longer was not a failed attempt */
#define STREAMS_MAX 16
#define KEYS_MAX 1000 /* of one stream */
#define BODY_MAX ((size_t)4 << 20)

struct stream {
	struct v3_paths paths;
	struct cluster_stream *cluster;
	uint64_t opened_ms;
	size_t told; /* number of keys that etcd has confirmed */
	bool stands; /* it has confirmed all */
};

struct v3_watch {
	struct v3_access *access;
	struct stream streams[STREAMS_MAX]; /* the oldest first */
	size_t len;
	size_t keys_max;     /* of the next stream; fewer after etcd lost some */
	unsigned backoff_ms; /* of the latest failure */
	uint64_t retry_ms;   /* opens no stream before that time */
	bool denied;         /* etcd has denied a stream since one stood */
};

/* The argument of read_line(). */
struct reading {
	struct stream *stream;
	struct store_key *keys;
	bool began;
};

struct v3_watch *v3_watch_new(struct v3_access *access)
{
	struct v3_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->access = access;
	w->keys_max = KEYS_MAX;
	return w;
}

static void close_stream(struct v3_watch *w, struct stream *stream)
{
	size_t after = (size_t)(&w->streams[w->len] - stream) - 1;

	cluster_stream_close(stream->cluster);
	v3_paths_release(&stream->paths);
	memmove(stream, stream + 1, after * sizeof(*stream));
	w->len--;
}

void v3_watch_free(struct v3_watch *w)
{
	while (w && w->len > 0)
		close_stream(w, &w->streams[0]);
	free(w);
}

/* Several that fail together are one failure. */
static void back_off(struct v3_watch *w, int code, bool was_steady)
{
	uint64_t now = now_ms();

	if (now < w->retry_ms)
		return;
	w->backoff_ms = longer_ms(was_steady ? 0 : w->backoff_ms, BACKOFF_MIN_MS, BACKOFF_MAX_MS);
	if (code == ETCDREG_E_DENIED && w->denied)
		w->backoff_ms = DENIED_MS;
	w->retry_ms = now + jittered_ms(w->backoff_ms);
}

/*
 * If etcd confirmed some keys but not all, it may have lost requests (v3_watch.h), so the next
 * stream is smaller.  The node may also have been busy, so the full size returns after an outage.
 */
static void fit_size(struct v3_watch *w, const struct stream *stream, bool was_steady)
{
	if (stream->told > 0 && !stream->stands)
		w->keys_max = (stream->paths.len + 1) / 2;
	else if (was_steady && w->len == 1)
		w->keys_max = KEYS_MAX;
}

/*
 * Old versions of etcd do not say whether they deny the token or the user.  So the first denial
 * drops the token.
 */
static void fail_stream(struct v3_watch *w, struct stream *stream, int code)
{
	bool was_steady = stream->stands && now_ms() - stream->opened_ms >= STEADY_MS;

	back_off(w, code, was_steady);
	fit_size(w, stream, was_steady);
	if (code == ETCDREG_E_DENIED && !w->denied)
		v3_drop_token(w->access);
	w->denied |= code == ETCDREG_E_DENIED;
	if (stream->told == 0)
		cluster_stream_failed(stream->cluster);
	close_stream(w, stream);
}

static struct store_key *find_key(struct store_key *keys, const char *path)
{
	while (keys && strcmp(keys->path, path) != 0)
		keys = keys->next;
	return keys;
}

static void read_event(const struct json *event, struct store_key *keys)
{
	const struct json *kv = json_get(event, "kv");
	const char *type = json_text(json_get(event, "type"));
	const char *text = json_text(json_get(kv, "key"));
	size_t len;
	CLEANUP(free) char *path = text ? codec_unbase64(text, &len) : NULL;
	struct store_key *key = path && path[0] == '/' ? find_key(keys, path + 1) : NULL;
	int64_t revision;

	if (!key || !key->held || !json_int(json_get(kv, "mod_revision"), &revision) ||
	    revision <= key->index)
		return;
	key->held = false;
	/* If the owner of a foreign key deletes it, that is normal, however often it happens. */
	key->disturbed = !(key->foreign && type && strcmp(type, "DELETE") == 0);
}

/* An etcd that was restored to an earlier state does not have our later writes. */
static void count_created(struct reading *reading, int64_t revision)
{
	struct stream *stream = reading->stream;

	if (++stream->told != stream->paths.len)
		return;
	reading->began = true;
	stream->stands = true;
	cluster_stream_worked(stream->cluster);
	for (struct store_key *key = reading->keys; key; key = key->next) {
		if (key->index > revision)
			key->held = false;
	}
}

static int read_line(const struct json *answer, void *arg, struct etcdreg_err *err)
{
	struct reading *reading = arg;
	const struct json *result = json_get(answer, "result");
	const struct json *event = json_first(json_get(result, "events"));
	int64_t revision;

	if (!json_int(json_get(json_get(result, "header"), "revision"), &revision))
		return err_set(err, ETCDREG_E_PROTO, "the watch lacks 'revision'");
	if (json_is_true(json_get(result, "canceled")))
		return v3_watch_canceled(result, err);
	if (json_is_true(json_get(result, "created")))
		count_created(reading, revision);
	for (; event; event = json_next(event))
		read_event(event, reading->keys);
	return 0;
}

static uint64_t deadline_of(const struct stream *stream)
{
	return stream->stands ? UINT64_MAX : stream->opened_ms + OPENING_MS;
}

bool v3_watch_read(struct v3_watch *w, struct store_key *keys)
{
	bool began = false;

	for (size_t i = w->len; i-- > 0;) {
		struct stream *stream = &w->streams[i];
		struct reading reading = {.stream = stream, .keys = keys};
		struct etcdreg_err err;
		int r = v3_stream_read(w->access, stream->cluster, read_line, &reading, &err);

		if (r == 0 && now_ms() >= deadline_of(stream))
			r = ETCDREG_E_UNREACH;
		if (reading.began)
			w->denied = false;
		if (r < 0)
			fail_stream(w, stream, r);
		else
			began |= reading.began;
	}
	return began;
}

static bool is_wanted(const struct store_key *key)
{
	return key->index != 0;
}

static bool is_opened(const struct v3_watch *w, const struct store_key *key)
{
	for (size_t i = 0; i < w->len; i++) {
		if (v3_paths_has(&w->streams[i].paths, key->path))
			return true;
	}
	return false;
}

static size_t count_wanted(const struct stream *stream, const struct store_key *keys)
{
	size_t count = 0;

	for (; keys; keys = keys->next)
		count += is_wanted(keys) && v3_paths_has(&stream->paths, keys->path);
	return count;
}

/* Counts the keys without a stream, up to `max`.  Stores them in `missing` if it is not NULL. */
static size_t find_missing(const struct v3_watch *w, const struct store_key *keys,
			   const struct store_key **missing, size_t max)
{
	size_t len = 0;

	for (; keys && len < max; keys = keys->next) {
		if (!is_wanted(keys) || is_opened(w, keys))
			continue;
		if (missing)
			missing[len] = keys;
		len++;
	}
	return len;
}

/* Closes a stream if most of its keys are removed.  The other keys get a new one. */
static void close_unwanted(struct v3_watch *w, const struct store_key *keys)
{
	for (size_t i = w->len; i-- > 0;) {
		struct stream *stream = &w->streams[i];

		if (count_wanted(stream, keys) * 2 < stream->paths.len)
			close_stream(w, stream);
	}
}

/*
 * Closes the streams that are no longer than the new one, which then covers their keys too.  So
 * each stream is longer than the next, and there are few, in whatever order keys are added.
 */
static void merge_streams(struct v3_watch *w, size_t new_len)
{
	for (size_t i = w->len; i-- > 0;) {
		size_t len = w->streams[i].paths.len;

		if (len > new_len || new_len + len > w->keys_max)
			continue;
		new_len += len;
		close_stream(w, &w->streams[i]);
	}
}

static int open_cluster_stream(struct v3_watch *w, const struct v3_paths *paths,
			       struct cluster_stream **ret, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf body = BUF_INIT(BODY_MAX);
	const struct v3_request rq = {"/watch", &body, LINE_MAX};

	for (size_t i = 0; i < paths->len; i++) {
		v3_add_watch(&body, paths->all[i], false, 0);
		buf_puts(&body, "\n");
	}
	return v3_stream_open(w->access, &rq, ret, err);
}

static int open_stream(struct v3_watch *w, const struct store_key *keys, struct etcdreg_err *err)
{
	CLEANUP(free) const struct store_key **missing = calloc(w->keys_max, sizeof(*missing));
	struct stream *stream = &w->streams[w->len];
	size_t len = missing ? find_missing(w, keys, missing, w->keys_max) : 0;
	int r;

	*stream = (struct stream){.opened_ms = now_ms()};
	if (!missing || !v3_paths_init(&stream->paths, missing, len))
		return err_nomem(err);
	r = open_cluster_stream(w, &stream->paths, &stream->cluster, err);
	if (r < 0)
		v3_paths_release(&stream->paths);
	else
		w->len++;
	return r;
}

/* Stops at the first failure.  False: some keys still have no stream. */
static bool open_missing(struct v3_watch *w, const struct store_key *keys)
{
	size_t len;

	while ((len = find_missing(w, keys, NULL, w->keys_max)) > 0) {
		struct etcdreg_err err;
		int r;

		if (now_ms() < w->retry_ms)
			return false;
		merge_streams(w, len);
		if (w->len == STREAMS_MAX)
			return true;
		r = open_stream(w, keys, &err);
		if (r < 0) {
			back_off(w, r, false);
			return false;
		}
	}
	return true;
}

uint64_t v3_watch_tend(struct v3_watch *w, const struct store_key *keys)
{
	uint64_t next;

	close_unwanted(w, keys);
	next = open_missing(w, keys) ? UINT64_MAX : w->retry_ms;
	for (size_t i = 0; i < w->len; i++) {
		if (deadline_of(&w->streams[i]) < next)
			next = deadline_of(&w->streams[i]);
	}
	return next;
}

static bool is_covered(const struct v3_watch *w, const char *path)
{
	for (size_t i = 0; i < w->len; i++) {
		if (w->streams[i].stands && v3_paths_has(&w->streams[i].paths, path))
			return true;
	}
	return false;
}

bool v3_watch_covers(const struct v3_watch *w, const struct store_key *keys)
{
	for (const struct store_key *key = keys; key; key = key->next) {
		if (key->held && !is_covered(w, key->path))
			return false;
	}
	return true;
}
