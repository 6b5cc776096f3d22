/* SPDX-License-Identifier: MIT */
/*
 * Tests of etcdreg_watch() (lib/registry/watch.c, lib/registry/watch_state.c) against a fake etcd.
 */
#include "fake_store.h"

#include "lib/base/array.h"
#include "lib/base/codec.h"
#include "lib/etcd-registry.h"

#define WAIT_MS 5000
#define QUIET_MS 200

#define WEB_KEY "services/web/1"
#define WEB_1 "{\"name\":\"web\",\"port\":1}"
#define WEB_2 "{\"name\":\"web\",\"port\":2}"
#define WEB_URL(url) "{\"name\":\"web\",\"url\":\"" url "\"}"
#define NOT_FOUND(index) "{\"errorCode\":100,\"message\":\"Key not found\",\"index\":" index "}"
#define CLEARED "{\"errorCode\":401,\"message\":\"The event is outdated\",\"index\":2000}"
#define V2_NODE(text, index) \
	"{\"key\":\"/" WEB_KEY "\",\"value\":\"" text "\",\"modifiedIndex\":" index "}"
#define V2_LIST(nodes) "{\"action\":\"get\",\"node\":{\"dir\":true,\"nodes\":[" nodes "]}}"
#define V2_WEB_1 "{\\\"name\\\":\\\"web\\\",\\\"port\\\":1}"
#define V2_WEB_2 "{\\\"name\\\":\\\"web\\\",\\\"port\\\":2}"

/* The watch asks for the members once it has begun. */
#define RULE_MEMBERS                                                \
	{                                                           \
		"/member", 200, "{\"members\":[{\"ID\":\"1\"}]}", 0 \
	}

static struct fake_etcd *fake;
static struct etcdreg *reg;
static struct etcdreg_watch *watch;
static char texts[8][1024]; /* answers that the fake borrows */
static size_t texts_len;

static int set_up(void **state)
{
	(void)state;
	fake = fake_start();
	texts_len = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	etcdreg_watch_close(watch);
	etcdreg_close(reg, 0);
	fake_stop(fake);
	return 0;
}

static void begin(const char *options, const char *name)
{
	char url[100];
	struct etcdreg_options opts = {.size = sizeof(opts), .url = url};

	snprintf(url, sizeof(url), "127.0.0.1:%u%s", fake->port, options);
	assert_int_equal(etcdreg_open(&opts, &reg, NULL), 0);
	assert_int_equal(etcdreg_watch(reg, name, &watch, NULL), 0);
}

/* A key and its document as the v3 API writes them. */
static const char *kv(const char *path, const char *document, int revision)
{
	char *key = codec_base64(path, strlen(path));
	char *value = codec_base64(document, strlen(document));
	char *text = texts[texts_len++];

	snprintf(text, sizeof(texts[0]),
		 "{\"key\":\"%s\",\"value\":\"%s\",\"mod_revision\":\"%d\"}", key, value, revision);
	free(key);
	free(value);
	return text;
}

static const char *page(const char *kvs, const char *more)
{
	char *text = texts[texts_len++];

	snprintf(text, sizeof(texts[0]), "{" HEADER ",\"kvs\":[%s],\"more\":%s}", kvs, more);
	return text;
}

static const char *event(const char *type, const char *one)
{
	char *text = texts[texts_len++];

	snprintf(text, sizeof(texts[0]), "{\"result\":{" HEADER ",\"events\":[{%s\"kv\":%s}]}}\n",
		 type, one);
	return text;
}

static void expect(enum etcdreg_change_type type, unsigned port)
{
	const struct etcdreg_change *change = NULL;
	struct etcdreg_err err = {0};

	etcdreg_watch_next(watch, WAIT_MS, &change, &err);
	assert_string_equal(err.msg, "");
	assert_int_equal(change->type, type);
	assert_string_equal(change->entry->name, "web");
	assert_int_equal(change->entry->port, port);
}

static void expect_nothing(void)
{
	const struct etcdreg_change *change;

	assert_int_equal(etcdreg_watch_next(watch, QUIET_MS, &change, NULL), ETCDREG_E_TIMEOUT);
}

static void tells_each_change_once(void **state)
{
	const struct fake_rule rules[] = {
		RULE_VERSION,
		RULE_MEMBERS,
		{"keys_only", 200, DONE, 0},
		{"/kv/range", 200, page(kv("/" WEB_KEY, WEB_1, 4), "false"), 0},
		{"/watch", FAKE_STREAM, CREATED, 0},
		{0},
	};
	const char *second = event("", kv("/" WEB_KEY, WEB_2, 7));

	(void)state;
	fake_rules(fake, rules);
	begin("", NULL);
	expect(ETCDREG_FOUND, 1);
	expect_nothing();
	assert_int_equal(fake_count(fake, "\"start_revision\":\"6\""), 1);
	fake_push(fake, second);
	expect(ETCDREG_CHANGED, 2);
	fake_push(fake, second);
	expect_nothing();
}

static void goes_on_after_the_latest_change(void **state)
{
	const struct fake_rule rules[] = {
		RULE_VERSION,
		RULE_MEMBERS,
		{"keys_only", 200, "{\"header\":{\"revision\":\"9\"}}", 0},
		{"/kv/range", 200, page(kv("/" WEB_KEY, WEB_1, 4), "false"), 0},
		{"/watch", FAKE_STREAM,
		 "{\"result\":{\"header\":{\"revision\":\"9\"},\"created\":true}}\n", 0},
		{0},
	};

	(void)state;
	fake_rules(fake, rules);
	begin("", NULL);
	expect(ETCDREG_FOUND, 1);
	expect_nothing();
	fake_push(fake, event("", kv("/" WEB_KEY, WEB_2, 7)));
	expect(ETCDREG_CHANGED, 2);
	fake_cut(fake);
	while (fake_count(fake, "\"start_revision\":\"8\"") == 0)
		expect_nothing();
	fake_push(fake, event(DELETE, kv("/" WEB_KEY, "", 9)));
	expect(ETCDREG_REMOVED, 2);
	assert_int_equal(fake_count(fake, "\"limit\":\"1000\""), 1);
}

static void tells_the_difference_after_a_compaction(void **state)
{
	static const char compacted[] =
		"{\"result\":{" HEADER ",\"canceled\":true,\"compact_revision\":\"8\"}}\n";
	const struct fake_rule rules[] = {
		RULE_VERSION,
		RULE_MEMBERS,
		{"keys_only", 200, DONE, 0},
		{"/kv/range", 200, page(kv("/" WEB_KEY, WEB_1, 4), "false"), 1},
		{"/kv/range", 200, page(kv("/services/web/2", WEB_2, 4), "false"), 0},
		{"/watch", FAKE_STREAM, compacted, 1},
		{"/watch", FAKE_STREAM, CREATED, 0},
		{0},
	};

	(void)state;
	fake_rules(fake, rules);
	begin("", "web");
	expect(ETCDREG_FOUND, 1);
	expect(ETCDREG_ADDED, 2);
	expect(ETCDREG_REMOVED, 1);
	expect_nothing();
}

static void lists_again_where_etcd_has_an_older_state(void **state)
{
	static const char older[] =
		"{\"result\":{\"header\":{\"revision\":\"2\"},\"created\":true}}\n";
	const struct fake_rule rules[] = {
		RULE_VERSION,
		RULE_MEMBERS,
		{"keys_only", 200, DONE, 0},
		{"/kv/range", 200, page(kv("/" WEB_KEY, WEB_1, 4), "false"), 1},
		{"/kv/range", 200, page("", "false"), 0},
		{"/watch", FAKE_STREAM, older, 1},
		{"/watch", FAKE_STREAM, CREATED, 0},
		{0},
	};

	(void)state;
	fake_rules(fake, rules);
	begin("", NULL);
	expect(ETCDREG_FOUND, 1);
	expect(ETCDREG_REMOVED, 1);
}

static void lists_page_by_page_at_one_revision(void **state)
{
	const struct fake_rule rules[] = {
		RULE_VERSION,
		RULE_MEMBERS,
		{"\"revision\":\"5\"", 200, page(kv("/services/web/2", WEB_2, 4), "false"), 0},
		{"/kv/range", 200, page(kv("/" WEB_KEY, WEB_1, 4), "true"), 0},
		{0},
	};
	struct etcdreg_entry **entries;
	size_t len;

	(void)state;
	fake_rules(fake, rules);
	begin("", NULL);
	assert_int_equal(etcdreg_list(reg, NULL, &entries, &len, NULL), 0);
	assert_int_equal(len, 2);
	assert_int_equal(fake_count(fake, "/kv/range"), 2);
	etcdreg_list_free(entries);
}

#define COMPACTED V3_ERROR(11, "etcdserver: mvcc: required revision has been compacted")

static void expect_list(const char *const *urls, size_t expected_len)
{
	struct etcdreg_entry **entries;
	size_t len;

	assert_int_equal(etcdreg_list(reg, NULL, &entries, &len, NULL), 0);
	assert_int_equal(len, expected_len);
	for (size_t i = 0; i < expected_len; i++)
		assert_string_equal(entries[i]->url, urls[i]);
	etcdreg_list_free(entries);
}

static void a_list_begins_again_where_etcd_compacts_between_its_pages(void **state)
{
	const struct fake_rule rules[] = {
		RULE_VERSION,
		RULE_MEMBERS,
		{"\"revision\":\"5\"", 400, COMPACTED, 3},
		{"\"revision\":\"5\"", 200, page(kv("/services/web/3", WEB_URL("3"), 4), "false"),
		 0},
		{"/kv/range", 200, page(kv("/services/web/1", WEB_URL("1"), 4), "true"), 3},
		{"/kv/range", 200, page(kv("/services/web/2", WEB_URL("2"), 4), "true"), 0},
		{0},
	};
	static const char *const urls[] = {"2", "3"};

	(void)state;
	fake_rules(fake, rules);
	begin("", NULL);
	expect_list(urls, ARRAY_LEN(urls));
	assert_int_equal(fake_count(fake, "/kv/range"), 8);
}

static void a_list_that_can_never_end_fails(void **state)
{
	const struct fake_rule compacts[] = {
		RULE_VERSION,
		RULE_MEMBERS,
		{"\"revision\":\"5\"", 400, COMPACTED, 0},
		{"/kv/range", 200, page(kv("/services/web/1", WEB_URL("1"), 4), "true"), 0},
		{0},
	};
	const struct fake_rule repeats[] = {
		RULE_VERSION,
		RULE_MEMBERS,
		{"/kv/range", 200, page(kv("/services/web/1", WEB_URL("1"), 4), "true"), 0},
		{0},
	};
	struct etcdreg_entry *entry;
	struct etcdreg_err err;

	(void)state;
	fake_rules(fake, compacts);
	begin("", NULL);
	assert_int_equal(etcdreg_lookup(reg, "web", &entry, &err), ETCDREG_E_SERVER);
	assert_non_null(strstr(err.msg, "between two pages"));
	fake_rules(fake, repeats);
	assert_int_equal(etcdreg_lookup(reg, "web", &entry, &err), ETCDREG_E_PROTO);
	assert_non_null(strstr(err.msg, "no new keys"));
	assert_int_equal(fake_count(fake, "/kv/range"), 2);
}

/*
 * The fake has two names.  After a bad page from the first node, the second is asked for the whole
 * page.
 */
static void a_page_that_is_refused_half_way_gives_nothing(void **state)
{
	char half[1024];
	const char *whole = page(kv("/services/web/1", WEB_URL("1"), 4), "false");
	const struct fake_rule rules[] = {
		RULE_VERSION,
		RULE_MEMBERS,
		{"/kv/range", 200, half, 1},
		{"/kv/range", 200, whole, 0},
		{0},
	};
	static const char *const urls[] = {"1"};
	char second[40];

	(void)state;
	snprintf(half, sizeof(half), "%.*s,{\"key\":\"\"}]}", (int)strcspn(whole, "]"), whole);
	snprintf(second, sizeof(second), ",localhost:%u", fake->port);
	fake_rules(fake, rules);
	begin(second, NULL);
	expect_list(urls, ARRAY_LEN(urls));
	assert_int_equal(fake_count(fake, "/kv/range"), 2);
}

/*
 * The restored etcd has the same revision as before, so its revision alone does not show the
 * change.
 */
static void lists_again_where_etcd_has_another_state(void **state)
{
	const struct fake_rule rules[] = {
		RULE_VERSION,
		RULE_MEMBERS,
		{"\"keys_only\":true,\"revision\":\"5\"", 200,
		 page(kv("/services/web/2", WEB_2, 4), "false"), 0},
		{"keys_only", 200, page(kv("/" WEB_KEY, WEB_1, 4), "false"), 0},
		{"/kv/range", 200, page(kv("/" WEB_KEY, WEB_1, 4), "false"), 1},
		{"/kv/range", 200, page(kv("/services/web/2", WEB_2, 4), "false"), 0},
		{"/watch", FAKE_STREAM, CREATED, 0},
		{0},
	};

	(void)state;
	fake_rules(fake, rules);
	begin("", NULL);
	expect(ETCDREG_FOUND, 1);
	expect_nothing();
	fake_cut(fake);
	expect(ETCDREG_ADDED, 2);
	expect(ETCDREG_REMOVED, 1);
	expect_nothing();
}

/* A stream's error does not say whether the token was the cause. */
static void a_token_that_is_no_longer_good_is_no_failure(void **state)
{
	static const char denied[] = "{\"result\":{" HEADER ",\"canceled\":true,\"created\":true,"
				     "\"cancel_reason\":\"etcdserver: permission denied\"}}\n";
	const struct fake_rule rules[] = {
		RULE_VERSION,
		RULE_MEMBERS,
		{"/auth/authenticate", 200, "{" HEADER ",\"token\":\"t1\"}", 1},
		{"/auth/authenticate", 200, "{" HEADER ",\"token\":\"t2\"}", 0},
		{"\"revision\":\"5\"} auth=t1", 400, V3_ERROR(16, "etcdserver: invalid auth token"),
		 0},
		{"keys_only", 200, DONE, 0},
		{"/kv/range", 200, page(kv("/" WEB_KEY, WEB_1, 4), "false"), 0},
		{"auth=t1", FAKE_STREAM, denied, 0},
		{"auth=t2", FAKE_STREAM, CREATED, 0},
		{0},
	};

	(void)state;
	fake_rules(fake, rules);
	begin("/?user=bob:word", NULL);
	expect(ETCDREG_FOUND, 1);
	while (fake_count(fake, "/watch") < 2)
		expect_nothing();
	fake_push(fake, event("", kv("/" WEB_KEY, WEB_2, 7)));
	expect(ETCDREG_CHANGED, 2);
	assert_int_equal(fake_count(fake, "/auth/authenticate"), 2);
}

static void waits_with_v2_from_index_to_index(void **state)
{
	static const struct fake_rule rules[] = {
		RULE_MEMBERS,
		{".index", 404, NOT_FOUND("20"), 0},
		{"waitIndex=21", 200, "{\"action\":\"set\",\"node\":" V2_NODE(V2_WEB_2, "30") "}",
		 0},
		{"waitIndex=31", 200,
		 "{\"action\":\"expire\",\"node\":{\"key\":\"/services/web\",\"dir\":true,"
		 "\"modifiedIndex\":31}}",
		 0},
		{"wait=true", 200, NULL, 0},
		{"/services/", 200, V2_LIST(V2_NODE(V2_WEB_1, "7")), 0},
		{0},
	};

	(void)state;
	fake_rules(fake, rules);
	begin("/?api=v2", NULL);
	expect(ETCDREG_FOUND, 1);
	expect(ETCDREG_CHANGED, 2);
	expect(ETCDREG_REMOVED, 2);
	expect_nothing();
	assert_int_equal(fake_count(fake, "waitIndex=32"), 1);
}

static void lists_again_where_v2_has_cleared_its_events(void **state)
{
	static const struct fake_rule rules[] = {
		RULE_MEMBERS,
		{".index", 404, NOT_FOUND("20"), 2},
		{".index", 404, NOT_FOUND("2000"), 0},
		{"waitIndex=21", 400, CLEARED, 0},
		{"wait=true", 200, NULL, 0},
		{"/services/", 200, V2_LIST(V2_NODE(V2_WEB_1, "7")), 1},
		{"/services/", 200, V2_LIST(V2_NODE(V2_WEB_2, "70")), 0},
		{0},
	};

	(void)state;
	fake_rules(fake, rules);
	begin("/?api=v2", NULL);
	expect(ETCDREG_FOUND, 1);
	expect(ETCDREG_CHANGED, 2);
	expect_nothing();
	assert_int_equal(fake_count(fake, "waitIndex=2001"), 1);
}

static void tells_of_a_failed_attempt_and_goes_on(void **state)
{
	const struct fake_rule rules[] = {
		RULE_VERSION,
		RULE_MEMBERS,
		{"", 503, "{}", 1},
		{"keys_only", 200, DONE, 0},
		{"/kv/range", 200, page(kv("/" WEB_KEY, WEB_1, 4), "false"), 0},
		{"/watch", FAKE_STREAM, CREATED, 0},
		{0},
	};
	const struct etcdreg_change *change;
	struct etcdreg_err err;

	(void)state;
	fake_rules(fake, rules);
	begin("", NULL);
	assert_int_equal(etcdreg_watch_next(watch, WAIT_MS, &change, &err), ETCDREG_E_UNREACH);
	assert_non_null(strstr(err.msg, "503"));
	expect(ETCDREG_FOUND, 1);
}

/* "Nothing has changed" is reported only if etcd answers. */
static void says_what_failed_when_the_time_is_up(void **state)
{
	const struct fake_rule rules[] = {
		RULE_VERSION,
		{"/kv/range", 403, "{\"error\":\"x\",\"code\":7,\"message\":\"permission denied\"}",
		 0},
		{0},
	};
	const struct etcdreg_change *change;

	(void)state;
	fake_rules(fake, rules);
	begin("", NULL);
	assert_int_equal(etcdreg_watch_next(watch, WAIT_MS, &change, NULL), ETCDREG_E_DENIED);
	assert_int_equal(etcdreg_watch_next(watch, 1, &change, NULL), ETCDREG_E_DENIED);
	assert_int_equal(fake_count(fake, "/kv/range"), 1);
}

static void *stop(void *arg)
{
	while (fake_count(fake, "/watch") == 0)
		usleep(1000);
	etcdreg_watch_stop(arg);
	return NULL;
}

static void is_stopped_from_another_thread(void **state)
{
	const struct fake_rule rules[] = {
		RULE_VERSION,
		RULE_MEMBERS,
		{"/kv/range", 200, DONE, 0},
		{"/watch", FAKE_STREAM, CREATED, 0},
		{0},
	};
	const struct etcdreg_change *change;
	pthread_t thread;

	(void)state;
	fake_rules(fake, rules);
	begin("", NULL);
	assert_int_equal(pthread_create(&thread, NULL, stop, watch), 0);
	assert_int_equal(etcdreg_watch_next(watch, UINT32_MAX, &change, NULL), ETCDREG_E_STOPPED);
	assert_int_equal(etcdreg_watch_next(watch, 0, &change, NULL), ETCDREG_E_STOPPED);
	pthread_join(thread, NULL);
}

static void refuses_a_name(void **state)
{
	struct etcdreg_watch *none = NULL;

	(void)state;
	begin("", NULL);
	assert_int_equal(etcdreg_watch(reg, "", &none, NULL), ETCDREG_E_INVALID);
	assert_null(none);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(tells_each_change_once),
		TEST(goes_on_after_the_latest_change),
		TEST(tells_the_difference_after_a_compaction),
		TEST(lists_again_where_etcd_has_an_older_state),
		TEST(lists_page_by_page_at_one_revision),
		TEST(a_list_begins_again_where_etcd_compacts_between_its_pages),
		TEST(a_list_that_can_never_end_fails),
		TEST(a_page_that_is_refused_half_way_gives_nothing),
		TEST(lists_again_where_etcd_has_another_state),
		TEST(a_token_that_is_no_longer_good_is_no_failure),
		TEST(waits_with_v2_from_index_to_index),
		TEST(lists_again_where_v2_has_cleared_its_events),
		TEST(tells_of_a_failed_attempt_and_goes_on),
		TEST(says_what_failed_when_the_time_is_up),
		TEST(is_stopped_from_another_thread),
		TEST(refuses_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
