/* SPDX-License-Identifier: MIT */
/* Tests of lib/store/v3_watch.c, and of the streams below it, against a fake etcd. */
#include "fake_store.h"

#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/store/v3_watch.h"

#define KEY64 "L3NlcnZpY2VzL3dlYi8x" /* "/services/web/1" */
#define OTHER64 "L3NlcnZpY2VzL3dlYi8y"
#define QUIET_MS 100

static struct fake_etcd *fake;
static struct line *line;
static struct store base;
static struct v3_access v3;
static struct v3_watch *watch;
static struct store_key key;

static const struct fake_rule serving[] = {
	{"/v3/watch", FAKE_STREAM, CREATED, 0},
	{"/auth/authenticate", 200, "{" HEADER ",\"token\":\"t1\"}", 1},
	{"/auth/authenticate", 200, "{" HEADER ",\"token\":\"t2\"}", 1},
	{0},
};

static void open_watch(const char *options)
{
	line = line_new(fake, options);
	base = (struct store){
		.cluster = session_cluster(line->session),
		.credentials = &line->credentials,
	};
	v3 = (struct v3_access){.store = &base, .prefix = "/v3"};
	watch = v3_watch_new(&v3);
	assert_non_null(watch);
	key = (struct store_key){
		.path = "services/web/1", .document = "{}", .index = 4, .held = true};
}

static int set_up(void **state)
{
	(void)state;
	fake = fake_start();
	fake_rules(fake, serving);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	v3_watch_free(watch);
	v3_access_release(&v3);
	line_free(line);
	fake_stop(fake);
	return 0;
}

/* Does what the handle's thread does, for a limited time.  Returns whether a stream has begun. */
static bool run(unsigned ms)
{
	uint64_t end = now_ms() + ms;
	bool began = false;

	while (now_ms() < end && !began) {
		uint64_t next = v3_watch_tend(watch, &key), now = now_ms();

		if (next > end)
			next = end;
		if (next > now)
			cluster_wait(base.cluster, next - now);
		began = v3_watch_read(watch, &key);
	}
	return began;
}

static void open_standing_watch(const char *options)
{
	open_watch(options);
	assert_false(v3_watch_covers(watch, &key));
	assert_true(run(SLOW_MACHINE_MS));
	assert_true(v3_watch_covers(watch, &key));
}

/* Waits until the pushed event is read: then the key is no longer held. */
static void wait_unheld(void)
{
	for (int i = 0; key.held && i < SLOW_MACHINE_MS / 10; i++)
		run(10);
	assert_false(key.held);
}

static void watches_one_key(void **state)
{
	(void)state;
	open_standing_watch("");
	assert_int_equal(
		fake_count(fake, "POST /v3/watch {\"create_request\":{\"key\":\"" KEY64 "\"}}"), 1);
	assert_false(run(QUIET_MS));
	assert_int_equal(fake_count(fake, ""), 1);
	assert_true(key.held && !key.disturbed);
}

static void takes_only_news_about_its_keys(void **state)
{
	static const struct {
		const char *event;
		bool news;
	} rows[] = {
		{EVENT(DELETE, KEY64, "5"), true},
		{EVENT(PUT, KEY64, "5"), true},
		{EVENT(PUT, KEY64, "4"), false},
		{EVENT(DELETE, KEY64, "3"), false},
		{EVENT(DELETE, OTHER64, "5"), false},
		{EVENT(DELETE, "?", "5"), false},
		{EVENT(DELETE, "c2VydmljZXM=", "5"), false},
		{EVENT(DELETE, KEY64, "x"), false},
		{"{\"result\":{" HEADER ",\"events\":[{},[],7,{\"kv\":7},{\"kv\":{\"key\":7}}]}}\n",
		 false},
		{"{\"result\":{" HEADER "}}\n", false},
	};

	(void)state;
	open_standing_watch("");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ROW("%s", rows[i].event);
		key.held = true;
		key.disturbed = false;
		fake_push(fake, rows[i].event);
		if (rows[i].news)
			wait_unheld();
		else
			assert_false(run(QUIET_MS));
		assert_int_equal(key.held, !rows[i].news);
		assert_int_equal(key.disturbed, rows[i].news);
	}
	assert_int_equal(fake_count(fake, "/watch"), 1);
}

/* The other holder may leave as often as it likes.  If it writes, it disturbs the key. */
static void tells_another_that_leaves_from_one_that_disturbs(void **state)
{
	(void)state;
	open_standing_watch("");
	key.foreign = true;
	fake_push(fake, EVENT(DELETE, KEY64, "5"));
	wait_unheld();
	assert_false(key.disturbed);
	key.held = true;
	fake_push(fake, EVENT(PUT, KEY64, "6"));
	wait_unheld();
	assert_true(key.disturbed);
}

static void reads_lines_however_they_are_cut(void **state)
{
	static const char event[] = EVENT(DELETE, KEY64, "5");
	char piece[2] = {0};

	(void)state;
	open_standing_watch("");
	for (const char *c = event; *c != '\0'; c++) {
		assert_true(key.held);
		*piece = *c;
		fake_push(fake, piece);
		run(1);
	}
	wait_unheld();
	key.held = true;
	fake_push(fake,
		  EVENT(DELETE, OTHER64, "5") EVENT(PUT, OTHER64, "6") EVENT(PUT, KEY64, "7"));
	wait_unheld();
}

/* The etcd was restored to a state from before our write. */
static void doubts_keys_that_are_newer_than_etcd(void **state)
{
	(void)state;
	open_watch("");
	key.index = 6;
	assert_true(run(SLOW_MACHINE_MS));
	assert_false(key.held);
}

static void opens_again_whatever_ends_it(void **state)
{
	static const char *const endings[] = {
		"{\"result\":{" HEADER ",\"canceled\":true,\"compact_revision\":\"7\"}}\n",
		"{\"result\":{" HEADER ",\"canceled\":true,\"cancel_reason\":\"x\"}}\n",
		"{\"error\":{\"grpc_code\":14,\"http_code\":503,\"message\":\"etcdserver: no "
		"leader\"}}\n",
		"{\"result\":{}}\n",
		"<html>\n",
		"\n",
		NULL, /* the connection is cut */
	};

	(void)state;
	open_standing_watch("");
	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		uint64_t since = now_ms();

		ROW("%s", endings[i] ? endings[i] : "cut");
		if (endings[i])
			fake_push(fake, endings[i]);
		else
			fake_cut(fake);
		while (v3_watch_covers(watch, &key) && now_ms() < since + SLOW_MACHINE_MS) {
			cluster_wait(base.cluster, 10);
			v3_watch_read(watch, &key);
		}
		assert_false(v3_watch_covers(watch, &key));
		if (i >= 2) { /* the failures have made the backoff long */
			v3_watch_free(watch);
			watch = v3_watch_new(&v3);
		}
		assert_true(run(SLOW_MACHINE_MS));
		assert_true(v3_watch_covers(watch, &key));
		assert_int_equal(fake_count(fake, "/watch"), i + 2);
	}
	assert_false(base.gone);
}

static void backs_off_up_to_five_seconds(void **state)
{
	static const struct fake_rule refusing[] = {{"/watch", 404, "404 page not found\n", 0},
						    {0}};
	uint64_t started = now_ms();
	uint64_t next;

	(void)state;
	open_watch("");
	fake_rules(fake, refusing);
	assert_false(run(2500));
	/* It tries after 0, 0.1, 0.3, 0.7 and 1.5 s, with a jitter of a quarter. */
	assert_in_range(fake_count(fake, "/watch"), now_ms() - started < 3000 ? 4 : 1, 6);
	next = v3_watch_tend(watch, &key);
	assert_true(next > now_ms() && next < now_ms() + 6250);
	assert_false(base.gone);
	fake_rules(fake, serving);
	assert_true(run(6250 + SLOW_MACHINE_MS));
}

static void logs_in_again_once_where_it_is_denied(void **state)
{
	static const struct fake_rule denying[] = {
		{"/auth/authenticate", 200, "{" HEADER ",\"token\":\"t1\"}", 1},
		{"/auth/authenticate", 200, "{" HEADER ",\"token\":\"t2\"}", 1},
		{"/watch", FAKE_STREAM,
		 "{\"result\":{" HEADER
		 ",\"created\":true,\"canceled\":true,\"cancel_reason\":\"rpc "
		 "error: code = PermissionDenied desc = etcdserver: permission denied\"}}\n",
		 0},
		{0},
	};
	uint64_t next;

	(void)state;
	open_watch("?user=bob:word");
	fake_rules(fake, denying);
	assert_false(run(1000));
	assert_int_equal(fake_count(fake, "/watch"), 2);
	assert_int_equal(fake_count(fake, "auth=t1"), 1);
	assert_int_equal(fake_count(fake, "auth=t2"), 1);
	next = v3_watch_tend(watch, &key);
	assert_true(next > now_ms() + 20000 && next < now_ms() + 38000);
}

static void logs_in_again_where_the_token_is_refused(void **state)
{
	static const struct fake_rule refusing[] = {
		{"/auth/authenticate", 200, "{" HEADER ",\"token\":\"t1\"}", 1},
		{"/auth/authenticate", 200, "{" HEADER ",\"token\":\"t2\"}", 1},
		{"auth=t1", 401, V3_ERROR(16, "etcdserver: invalid auth token"), 0},
		{"/watch", FAKE_STREAM, CREATED, 0},
		{0},
	};

	(void)state;
	open_watch("?user=bob:word");
	fake_rules(fake, refusing);
	assert_true(run(SLOW_MACHINE_MS));
	assert_int_equal(fake_count(fake, "auth=t2"), 1);
}

static int call_range(void)
{
	CLEANUP(buf) struct buf body = BUF_INIT(100);
	const struct v3_request rq = {"/kv/range", &body, 1000};

	buf_puts(&body, "{}");
	return v3_call(&v3, &rq, NULL, NULL, NULL);
}

/* The node has vanished, or is stopped.  Only a call can notice that. */
static void leaves_a_node_that_a_call_has_left(void **state)
{
	static const struct fake_rule failing[] = {{"/kv/range", 503, "{}", 0}, {0}};

	(void)state;
	open_standing_watch("");
	fake_rules(fake, failing);
	assert_int_equal(call_range(), ETCDREG_E_UNREACH);
	v3_watch_read(watch, &key);
	assert_false(v3_watch_covers(watch, &key));
	fake_rules(fake, serving);
	assert_true(run(SLOW_MACHINE_MS));
}

static void goes_to_the_next_node_where_one_is_dead(void **state)
{
	char options[100];
	struct connstr nodes = {0};
	struct config config;

	(void)state;
	snprintf(options, sizeof(options), "127.0.0.1:1,127.0.0.1:%u", fake->port);
	open_watch("");
	assert_int_equal(config_init(&config, NULL), 0);
	config.spread = false;
	assert_int_equal(connstr_parse(options, &nodes, &config, NULL), 0);
	assert_int_equal(cluster_new(&nodes, &config, &base.cluster, NULL), 0);
	assert_true(run(SLOW_MACHINE_MS));
	assert_true(v3_watch_covers(watch, &key));
	assert_int_equal(call_range(), ETCDREG_E_UNREACH);
	v3_watch_free(watch);
	watch = NULL;
	cluster_free(base.cluster);
	connstr_release(&nodes);
	config_release(&config);
}

#define CREATED2 CREATED CREATED
#define CREATED4 CREATED2 CREATED2

/* Makes `key` the first of `len` keys that are known to be in etcd. */
static void list_keys(size_t len)
{
	static struct store_key others[16000];
	static char paths[ARRAY_LEN(others)][16];

	for (size_t i = 0; i + 1 < len; i++) {
		snprintf(paths[i], sizeof(paths[i]), "s/%05zu", i);
		others[i] = (struct store_key){.path = paths[i], .index = 4, .held = true};
		others[i].next = i + 2 < len ? &others[i + 1] : NULL;
	}
	key.next = len > 1 ? others : NULL;
}

/* Checks that `count` streams were requested, each for `keys_each` keys. */
static void assert_streams(size_t count, size_t keys_each)
{
	size_t found = 0;

	pthread_mutex_lock(&fake->lock);
	for (size_t i = 0; i < fake->log_len; i++) {
		size_t creates = 0;

		for (const char *at = fake->log[i]; (at = strstr(at, "}}\n")); at++)
			creates++;
		found += creates == keys_each;
	}
	pthread_mutex_unlock(&fake->lock);
	assert_int_equal(found, count);
}

static void serve_stream_of(const char *created)
{
	const struct fake_rule rules[] = {{"/v3/watch", FAKE_STREAM, created, 0}, {0}};

	fake_rules(fake, rules);
}

static void watches_all_keys_in_one_stream(void **state)
{
	(void)state;
	open_watch("");
	list_keys(4);
	serve_stream_of(CREATED2);
	assert_false(run(QUIET_MS));
	assert_false(v3_watch_covers(watch, &key));
	fake_push(fake, EVENT(DELETE, KEY64, "5") CREATED);
	wait_unheld();
	assert_false(v3_watch_covers(watch, &key));
	fake_push(fake, CREATED);
	assert_true(run(SLOW_MACHINE_MS));
	assert_true(v3_watch_covers(watch, &key));
	assert_int_equal(fake_count(fake, ""), 1);
	assert_int_equal(fake_count(fake, "}}\n closes"), 1);
	assert_streams(1, 4);
}

/* etcd 3.4 loses requests on a kept-alive connection. */
static void asks_again_where_requests_are_lost(void **state)
{
	static const struct fake_rule losing[] = {
		{"/v3/watch", FAKE_STREAM, CREATED2 CREATED, 1},
		{"/v3/watch", FAKE_STREAM, CREATED2, 0},
		{0},
	};

	(void)state;
	open_watch("");
	list_keys(4);
	fake_rules(fake, losing);
	assert_true(run(3000 + SLOW_MACHINE_MS));
	while (!v3_watch_covers(watch, &key))
		assert_true(run(SLOW_MACHINE_MS));
	assert_streams(1, 4);
	assert_streams(2, 2);
	assert_false(run(QUIET_MS));
}

static void joins_streams_of_keys_that_come_one_by_one(void **state)
{
	(void)state;
	open_standing_watch("");
	serve_stream_of(CREATED2);
	list_keys(2);
	assert_true(run(SLOW_MACHINE_MS));
	assert_true(v3_watch_covers(watch, &key));
	assert_streams(1, 2);
	serve_stream_of(CREATED);
	list_keys(3);
	assert_true(run(SLOW_MACHINE_MS));
	assert_streams(1, 1);
	serve_stream_of(CREATED4);
	list_keys(4);
	assert_true(run(SLOW_MACHINE_MS));
	assert_true(v3_watch_covers(watch, &key));
	assert_streams(1, 4);
}

static void forgets_keys_once_most_have_gone(void **state)
{
	(void)state;
	open_watch("");
	list_keys(4);
	serve_stream_of(CREATED4);
	assert_true(run(SLOW_MACHINE_MS));
	list_keys(2);
	assert_false(run(QUIET_MS));
	assert_int_equal(fake_count(fake, ""), 1);
	serve_stream_of(CREATED);
	list_keys(1);
	assert_true(run(SLOW_MACHINE_MS));
	assert_streams(1, 1);
}

/* 16 streams of 1,000 keys are the limit. */
static void leaves_too_many_keys_to_the_heartbeats(void **state)
{
	CLEANUP(buf) struct buf created = BUF_INIT(FAKE_TEXT_MAX);
	uint64_t end = now_ms() + SLOW_MACHINE_MS;

	(void)state;
	open_watch("");
#ifdef __SANITIZE_THREAD__
	skip(); /* 16,000 answers take longer than the time limit for a stream to begin */
#endif
	for (int i = 0; i < 1000; i++)
		buf_puts(&created, CREATED);
	assert_false(buf_failed(&created));
	serve_stream_of(created.s);
	list_keys(16000);
	while (!v3_watch_covers(watch, &key) && now_ms() < end)
		run(1000);
	assert_true(v3_watch_covers(watch, &key));
	list_keys(16001);
	assert_false(run(QUIET_MS));
	assert_int_equal(v3_watch_tend(watch, &key), UINT64_MAX);
	assert_false(v3_watch_covers(watch, &key));
	assert_int_equal(fake_count(fake, ""), 16);
}

static void leaves_out_what_was_never_in_etcd(void **state)
{
	(void)state;
	open_watch("");
	key.index = 0;
	key.held = false;
	assert_int_equal(v3_watch_tend(watch, &key), UINT64_MAX);
	assert_false(run(QUIET_MS));
	assert_int_equal(fake_count(fake, ""), 0);
}

static void closes_what_nobody_needs(void **state)
{
	(void)state;
	open_standing_watch("");
	assert_int_equal(v3_watch_tend(watch, NULL), UINT64_MAX);
	assert_false(v3_watch_covers(watch, &key));
	assert_true(v3_watch_covers(watch, NULL));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(watches_one_key),
		TEST(takes_only_news_about_its_keys),
		TEST(tells_another_that_leaves_from_one_that_disturbs),
		TEST(reads_lines_however_they_are_cut),
		TEST(doubts_keys_that_are_newer_than_etcd),
		TEST(opens_again_whatever_ends_it),
		TEST(backs_off_up_to_five_seconds),
		TEST(logs_in_again_once_where_it_is_denied),
		TEST(logs_in_again_where_the_token_is_refused),
		TEST(leaves_a_node_that_a_call_has_left),
		TEST(goes_to_the_next_node_where_one_is_dead),
		TEST(watches_all_keys_in_one_stream),
		TEST(asks_again_where_requests_are_lost),
		TEST(joins_streams_of_keys_that_come_one_by_one),
		TEST(forgets_keys_once_most_have_gone),
		TEST(leaves_too_many_keys_to_the_heartbeats),
		TEST(leaves_out_what_was_never_in_etcd),
		TEST(closes_what_nobody_needs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
