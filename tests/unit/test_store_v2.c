/* SPDX-License-Identifier: MIT */
/* Tests of lib/store/store_v2.c against a fake etcd. */
#include "fake_store.h"

#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/store/store.h"

static struct fake_etcd *fake;
static struct line *line;
static struct store *store;

#define NODE(value, index)                                              \
	"{\"action\":\"set\",\"node\":{\"key\":\"/k\",\"value\":" value \
	",\"modifiedIndex\":" #index "}}"
#define NOT_FOUND "{\"errorCode\":100,\"message\":\"Key not found\",\"cause\":\"/k\",\"index\":7}"
#define COMPARE_FAILED \
	"{\"errorCode\":101,\"message\":\"Compare failed\",\"cause\":\"[1 != 2]\",\"index\":7}"
#define KEY(...)                                                               \
	{                                                                      \
		.path = "services/a b/1", .document = "{\"a\":1}", __VA_ARGS__ \
	}

static void open_line(const char *options)
{
	static const struct fake_rule none[] = {{0}};

	fake_rules(fake, none);
	line = line_new(fake, options);
	assert_int_equal(session_store(line->session, &store, NULL, NULL), 0);
}

static int set_up(void **state)
{
	(void)state;
	fake = fake_start();
	open_line("?api=v2&ttl=3");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	line_free(line);
	fake_stop(fake);
	return 0;
}

static void put_one(struct store_key *key)
{
	static const struct fake_rule rules[] = {{"PUT", 201, NODE("\"{\\\"a\\\":1}\"", 42), 0},
						 {0}};

	fake_rules(fake, rules);
	assert_int_equal(store->ops->put(store, key, NULL), 0);
	assert_true(key->held);
	assert_int_equal(key->index, 42);
}

static void sets_with_a_ttl(void **state)
{
	struct store_key key = KEY();

	(void)state;
	put_one(&key);
	assert_int_equal(
		fake_count(fake, "PUT /v2/keys/services/a%20b/1 value=%7B%22a%22%3A1%7D&ttl=3"), 1);
	assert_int_equal(fake_count(fake, ""), 1);
}

static void deletes_its_own_version_only(void **state)
{
	static const struct {
		struct fake_rule rule;
		int code;
	} rows[] = {
		{{"DELETE /v2/keys/services/a%20b/1?prevIndex=42", 200, NODE("\"x\"", 43), 0}, 0},
		{{"DELETE", 404, NOT_FOUND, 0}, 0},
		{{"DELETE", 412, COMPARE_FAILED, 0}, 0},
		{{"DELETE", 401, "{\"message\":\"Insufficient credentials\"}", 0},
		 ETCDREG_E_DENIED},
		{{"DELETE", 500, "{\"errorCode\":300,\"message\":\"Raft Internal Error\"}", 0},
		 ETCDREG_E_UNREACH},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fake_rule rules[] = {rows[i].rule, {0}};
		struct store_key key = KEY();

		put_one(&key);
		fake_rules(fake, rules);
		ROW("%zu", i);
		assert_int_equal(store->ops->remove(store, &key, NULL), rows[i].code);
		assert_int_equal(fake_count(fake, "DELETE"), 1);
	}
}

/* The answer to a put may be lost.  Then the value shows whether the key is ours. */
static void deletes_by_value_where_the_version_is_not_known(void **state)
{
	static const struct fake_rule rules[] = {
		{"PUT", 0, "", 0},
		{"DELETE /v2/keys/services/a%20b/1?prevValue=%7B%22a%22%3A1%7D", 200,
		 NODE("\"x\"", 43), 0},
		{0},
	};
	struct store_key key = KEY();

	(void)state;
	fake_rules(fake, rules);
	assert_int_equal(store->ops->put(store, &key, NULL), ETCDREG_E_UNREACH);
	assert_false(key.held);
	assert_int_equal(store->ops->remove(store, &key, NULL), 0);
	assert_int_equal(fake_count(fake, "DELETE"), 1);
}

static void drops_a_delete_when_the_key_has_expired(void **state)
{
	struct store_key key = KEY(), never_put = KEY();

	(void)state;
	put_one(&key);
	assert_true(key.expires_ms > now_ms() + 2500 && key.expires_ms <= now_ms() + 3000);
	key.expires_ms = now_ms() - 1;
	assert_int_equal(store->ops->remove(store, &key, NULL), 0);
	assert_int_equal(store->ops->remove(store, &never_put, NULL), 0);
	assert_int_equal(fake_count(fake, "DELETE"), 0);
}

static void deletes_whatever_is_there_for_a_stranger(void **state)
{
	static const struct fake_rule rules[] = {
		{"DELETE /v2/keys/services/a%20b/1 ", 404, NOT_FOUND, 0}, {0}};
	struct store_key key = KEY(.unowned = true, .expires_ms = now_ms() + 3000);

	(void)state;
	fake_rules(fake, rules);
	assert_int_equal(store->ops->remove(store, &key, NULL), 0);
	assert_int_equal(fake_count(fake, "DELETE"), 1);
}

static void heartbeats_without_a_value(void **state)
{
	static const struct {
		struct fake_rule rule;
		int code;
		bool held, lost;
		int64_t index;
	} rows[] = {
		{{"ttl=3&refresh=true&prevExist=true", 200, NODE("\"{\\\"a\\\":1}\"", 50), 0},
		 0,
		 true,
		 false,
		 50},
		{{"ttl=3", 200, NODE("\"{}\"", 50), 0}, 0, false, true, 42},
		{{"ttl=3", 404, NOT_FOUND, 0}, 0, false, true, 42},
		{{"ttl=3", 403, "{\"message\":\"Insufficient credentials\"}", 0},
		 0,
		 false,
		 false,
		 42},
		{{"ttl=3", 0, "", 0}, ETCDREG_E_UNREACH, true, false, 0},
		{{"ttl=3", 200, "{}", 0}, ETCDREG_E_PROTO, true, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fake_rule rules[] = {rows[i].rule, {0}};
		struct store_key key = KEY();

		put_one(&key);
		fake_rules(fake, rules);
		ROW("%zu", i);
		assert_int_equal(store->ops->heartbeat(store, &key, NULL), rows[i].code);
		assert_int_equal(key.held, rows[i].held);
		assert_int_equal(key.lost, rows[i].lost);
		assert_int_equal(key.index, rows[i].index);
		assert_true(fake_count(fake, "PUT /v2/keys/services/a%20b/1 ttl=3") > 0);
		assert_int_equal(fake_count(fake, "value="), 0);
	}
}

static void refreshes_the_most_overdue(void **state)
{
	static const struct fake_rule rules[] = {{"PUT", 200, NODE("\"{}\"", 50), 0}, {0}};
	struct store_key late = {.path = "late", .document = "{}", .held = true, .due_ms = 10};
	struct store_key gone = {.next = &late, .path = "gone", .document = "{}", .due_ms = 5};
	struct store_key keys = {
		.next = &gone, .path = "fresh", .document = "{}", .held = true, .due_ms = 20};

	(void)state;
	fake_rules(fake, rules);
	assert_int_equal(store->ops->due_ms(store, &keys), 10);
	assert_int_equal(store->ops->heartbeat(store, &keys, NULL), 0);
	assert_int_equal(fake_count(fake, "/v2/keys/late "), 1);
	assert_int_equal(fake_count(fake, ""), 1);
	assert_int_equal(store->ops->due_ms(store, &keys), 20);
}

static int join_paths(const char *path, const char *document, void *arg, struct etcdreg_err *err)
{
	struct buf *b = arg;

	(void)err;
	buf_printf(b, "%s=%s ", path, document);
	return 0;
}

static void lists_all_leaves(void **state)
{
	static const struct fake_rule rules[] = {
		{"GET /v2/keys/services/?recursive=true&quorum=true ", 200,
		 "{\"action\":\"get\",\"node\":{\"key\":\"/services\",\"dir\":true,\"nodes\":["
		 "{\"key\":\"/services/a\",\"dir\":true,\"nodes\":[{\"key\":\"/services/a/"
		 "1\",\"value\":\"x\"},"
		 "{\"key\":\"/services/a/2\",\"value\":\"y\"}]},{\"key\":\"/services/"
		 "b\",\"dir\":true}]}}",
		 1},
		{"GET", 404, NOT_FOUND, 1},
		{"GET", 200, "{\"action\":\"get\"}", 0},
		{0},
	};
	CLEANUP(buf) struct buf b = BUF_INIT(1000);
	const struct store_query query = {.folder = "services/", .each = join_paths, .arg = &b};

	(void)state;
	fake_rules(fake, rules);
	assert_int_equal(store->ops->list(store, &query, NULL), 0);
	assert_string_equal(b.s, "services/a/1=x services/a/2=y ");
	assert_int_equal(store->ops->list(store, &query, NULL), 0);
	assert_int_equal(store->ops->list(store, &query, NULL), ETCDREG_E_PROTO);
	assert_string_equal(b.s, "services/a/1=x services/a/2=y ");
}

static void sends_user_and_password(void **state)
{
	struct store_key key = KEY();

	(void)state;
	line_free(line);
	open_line("?api=v2&user=Aladdin:open%20sesame");
	put_one(&key);
	assert_int_equal(fake_count(fake, "auth=Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), 1);
}

static void asks_who_is_in_the_cluster(void **state)
{
	static const struct fake_rule rules[] = {
		{"GET /v2/members ", 200,
		 "{\"members\":[{\"id\":\"1\",\"clientURLs\":[\"http://a:1\"]}]}", 1},
		{"/v2/members", 404, "404 page not found\n", 0},
		{0},
	};
	CLEANUP(member_list) struct member_list list = {0};

	(void)state;
	fake_rules(fake, rules);
	assert_int_equal(store->ops->members(store, &list, NULL), 0);
	assert_int_equal(list.len, 1);
	assert_string_equal(list.bases[0], "http://a:1");
	assert_int_equal(store->ops->members(store, &list, NULL), ETCDREG_E_PROTO);
	assert_false(store->gone);
}

static void sees_that_the_api_is_gone(void **state)
{
	static const struct fake_rule rules[] = {{"", 404, "404 page not found\n", 0}, {0}};
	struct store_key key = KEY();
	struct etcdreg_err err;

	(void)state;
	fake_rules(fake, rules);
	assert_int_equal(store->ops->put(store, &key, &err), ETCDREG_E_PROTO);
	assert_non_null(strstr(err.msg, "has no v2 API"));
	assert_true(store->gone);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(sets_with_a_ttl),
		TEST(deletes_its_own_version_only),
		TEST(deletes_by_value_where_the_version_is_not_known),
		TEST(drops_a_delete_when_the_key_has_expired),
		TEST(deletes_whatever_is_there_for_a_stranger),
		TEST(heartbeats_without_a_value),
		TEST(refreshes_the_most_overdue),
		TEST(lists_all_leaves),
		TEST(sends_user_and_password),
		TEST(asks_who_is_in_the_cluster),
		TEST(sees_that_the_api_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
