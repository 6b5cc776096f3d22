/* SPDX-License-Identifier: MIT */
/* Keeps a watch on the handle's own keys. */
#define _GNU_SOURCE
#include "v3_watch.h"

#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "err.h"
#include "util.h"
#include "v3_ranges.h"
#include "v3_requests.h"

#define LINE_MAX       ((size_t)4 << 20)
#define OPENING_MS     3000
#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 5000
#define DENIED_MS      30000
#define STEADY_MS      10000 /* what lasted longer was no failed attempt */

struct stream {
	struct v3_range range;
	struct cluster_stream *cluster;
	uint64_t opened_ms;
	bool stands; /* etcd has said that it watches */
};

struct v3_watch {
	struct v3_session *session;
	struct stream streams[V3_RANGES_MAX];
	size_t len;
	unsigned backoff_ms; /* of the latest failure */
	uint64_t retry_ms;   /* no stream is opened before that */
	bool denied;	     /* since a stream stood */
};

/* What the lines of one stream are read for. */
struct reading {
	struct stream *stream;
	struct store_key *keys;
	bool began;
};

struct v3_watch *v3_watch_new(struct v3_session *session)
{
	struct v3_watch *w = calloc(1, sizeof(*w));

	if (w)
		w->session = session;
	return w;
}

static void close_stream(struct v3_watch *w, struct stream *stream)
{
	cluster_stream_close(stream->cluster);
	free(stream->range.path);
	*stream = w->streams[--w->len];
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
	unsigned doubled = w->backoff_ms * 2;

	if (now < w->retry_ms)
		return;
	if (was_steady || doubled < BACKOFF_MIN_MS)
		doubled = BACKOFF_MIN_MS;
	w->backoff_ms = doubled < BACKOFF_MAX_MS ? doubled : BACKOFF_MAX_MS;
	if (code == ETCDREG_E_DENIED && w->denied)
		w->backoff_ms = DENIED_MS;
	w->retry_ms = now + jittered_ms(w->backoff_ms);
}

/* Older versions cannot be asked whether it is the token or the user that is not permitted. */
static void fail_stream(struct v3_watch *w, struct stream *stream, int code)
{
	back_off(w, code, stream->stands && now_ms() - stream->opened_ms >= STEADY_MS);
	if (code == ETCDREG_E_DENIED && !w->denied)
		v3_drop_token(w->session);
	w->denied |= code == ETCDREG_E_DENIED;
	if (!stream->stands)
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
	/* That another who kept the key has left is all in order, however often it happens. */
	key->disturbed = !(key->foreign && type && strcmp(type, "DELETE") == 0);
}

/* An etcd that was put back to what it was before does not know our writes. */
static void begin(struct reading *reading, int64_t revision)
{
	reading->began = true;
	reading->stream->stands = true;
	cluster_stream_worked(reading->stream->cluster);
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
		begin(reading, revision);
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
		int r = v3_stream_read(w->session, stream->cluster, read_line, &reading, &err);

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

static int open_stream(struct v3_watch *w, struct v3_range *range, struct etcdreg_err *err)
{
	struct stream *stream = &w->streams[w->len];
	CLEANUP(buf) struct buf body = BUF_INIT(V3_TEXT_MAX);
	struct cluster_stream *cluster;
	int r;

	v3_add_watch(&body, range->path, range->is_prefix, 0);
	if (buf_failed(&body))
		return err_nomem(err);
	r = v3_stream_open(w->session, "/watch", body.s, LINE_MAX, &cluster, err);
	if (r < 0)
		return r;
	*stream = (struct stream){STEAL(*range), cluster, now_ms(), false};
	w->len++;
	return 0;
}

static struct stream *find_stream(struct v3_watch *w, const struct v3_range *range)
{
	for (size_t i = 0; i < w->len; i++) {
		if (v3_range_equals(&w->streams[i].range, range))
			return &w->streams[i];
	}
	return NULL;
}

static bool is_wanted(const struct v3_ranges *wanted, const struct v3_range *range)
{
	for (size_t i = 0; i < wanted->len; i++) {
		if (v3_range_equals(&wanted->at[i], range))
			return true;
	}
	return false;
}

static void close_unwanted(struct v3_watch *w, const struct v3_ranges *wanted)
{
	for (size_t i = w->len; i-- > 0;) {
		if (!is_wanted(wanted, &w->streams[i].range))
			close_stream(w, &w->streams[i]);
	}
}

/* Stops at the first that fails.  False: some are missing still. */
static bool open_wanted(struct v3_watch *w, struct v3_ranges *wanted)
{
	struct etcdreg_err err;

	for (size_t i = 0; i < wanted->len; i++) {
		int r = 0;

		if (find_stream(w, &wanted->at[i]))
			continue;
		if (now_ms() < w->retry_ms)
			return false;
		r = open_stream(w, &wanted->at[i], &err);
		if (r < 0) {
			back_off(w, r, false);
			return false;
		}
	}
	return true;
}

uint64_t v3_watch_tend(struct v3_watch *w, const struct store_key *keys)
{
	struct v3_ranges wanted;
	uint64_t next;

	if (!v3_ranges_init(&wanted, keys))
		return now_ms() + BACKOFF_MAX_MS;
	close_unwanted(w, &wanted);
	next = open_wanted(w, &wanted) ? UINT64_MAX : w->retry_ms;
	v3_ranges_release(&wanted);
	for (size_t i = 0; i < w->len; i++) {
		if (deadline_of(&w->streams[i]) < next)
			next = deadline_of(&w->streams[i]);
	}
	return next;
}

static bool is_covered(const struct v3_watch *w, const char *path)
{
	for (size_t i = 0; i < w->len; i++) {
		if (w->streams[i].stands && v3_range_covers(&w->streams[i].range, path))
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
