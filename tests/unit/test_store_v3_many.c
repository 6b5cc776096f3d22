/* SPDX-License-Identifier: MIT */
/*
 * Tests of several keys in one transaction (lib/store/v3_txn.c, lib/store/store_v3.c) against a
 * fake etcd.
 */
#include "fake_store.h"

#include "lib/base/array.h"
#include "lib/store/store.h"

#define COUNT 3
#define RULE_GRANT                                   \
	{                                            \
		"/lease/grant", 200, GRANTED("5"), 0 \
	}
#define RULE_TOGETHER                     \
	{                                 \
		PUT_NEW, 200, COMPARED, 0 \
	}
#define NEW(path64) "{\"target\":\"CREATE\",\"key\":\"" path64 "\",\"create_revision\":\"0\"}"
#define OURS(path64) "{\"target\":\"LEASE\",\"key\":\"" path64 "\",\"lease\":\"5\"}"
#define PUT_OF(path64) \
	"{\"request_put\":{\"key\":\"" path64 "\",\"value\":\"e30=\",\"lease\":\"5\"}}"
#define RANGE_OF(path64) "{\"request_range\":{\"key\":\"" path64 "\"}}"
#define DELETE_OF(path64) "{\"request_delete_range\":{\"key\":\"" path64 "\"}}"
#define OF_ALL(one) one(A64) "," one(B64) "," one(C64)
#define FOUND_OURS(path64) RANGE_FOUND("5")
#define NOTHING(path64) RANGE_NOTHING
#define A64 "L2E="
#define B64 "L2I="
#define C64 "L2M="

static struct fake_etcd *fake;
static struct line *line;
static struct store *store;
static struct store_key all[COUNT];
static struct store_key *const keys[COUNT] = {&all[0], &all[1], &all[2]};

static int set_up(void **state)
{
	static const struct fake_rule version[] = {RULE_VERSION, {0}};

	(void)state;
	fake = fake_start();
	fake_rules(fake, version);
	line = line_new(fake, "");
	assert_int_equal(session_store(line->session, &store, NULL, NULL), 0);
	for (size_t i = 0; i < COUNT; i++)
		all[i] = (struct store_key){
			.next = i + 1 < COUNT ? &all[i + 1] : NULL,
			.path = &"a\0b\0c"[i * 2],
			.document = "{}",
		};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	line_free(line);
	fake_stop(fake);
	return 0;
}

static void start_again(void **state)
{
	tear_down(state);
	set_up(state);
}

/* Returns how many of the first `len` keys are held. */
static size_t put_many(size_t len)
{
	size_t done = 99;

	assert_int_equal(store->ops->put_many(store, keys, len, &done, NULL), 0);
	return done;
}

static size_t remove_many(size_t len)
{
	size_t done = 99;

	assert_int_equal(store->ops->remove_many(store, keys, len, &done, NULL), 0);
	return done;
}

static size_t count_held(void)
{
	return (size_t)all[0].held + all[1].held + all[2].held;
}

static void put_all(void)
{
	static const struct fake_rule rules[] = {RULE_GRANT, RULE_TOGETHER, {0}};

	fake_rules(fake, rules);
	assert_int_equal(put_many(COUNT), COUNT);
	assert_int_equal(count_held(), COUNT);
}

static void puts_in_one_request(void **state)
{
	(void)state;
	put_all();
	for (size_t i = 0; i < COUNT; i++)
		assert_true(all[i].index == 5 && all[i].lease == 5 && all[i].lost);
	assert_int_equal(
		fake_count(fake,
			   "POST /v3/kv/txn {\"compare\":[" OF_ALL(NEW) "],\"success\":[" OF_ALL(
				   PUT_OF) "],\"failure\":[" OF_ALL(RANGE_OF) "]}"),
		1);
	assert_int_equal(fake_count(fake, ""), 2);
}

static void deletes_in_one_request(void **state)
{
	static const struct fake_rule rules[] = {{DELETE_TWO, 200, COMPARED, 0}, {0}};

	(void)state;
	put_all();
	fake_rules(fake, rules);
	assert_int_equal(remove_many(COUNT), COUNT);
	assert_int_equal(count_held(), 0);
	assert_int_equal(fake_count(fake, "POST /v3/kv/txn {\"compare\":[" OF_ALL(
						  OURS) "],\"success\":[" OF_ALL(DELETE_OF) "]}"),
			 1);
	assert_int_equal(fake_count(fake, ""), 1);
	assert_int_equal(store->ops->due_ms(store, NULL), UINT64_MAX);
}

/* A key that needs more than a delete is left to remove(). */
static void deletes_together_only_what_is_simple(void **state)
{
	static const struct fake_rule rules[] = {{DELETE_TWO, 200, COMPARED, 0}, {0}};

	(void)state;
	put_all();
	fake_rules(fake, rules);
	all[2].unowned = true;
	assert_int_equal(remove_many(COUNT), 2);
	put_all();
	all[1].unowned = true;
	fake_rules(fake, rules);
	assert_int_equal(remove_many(COUNT), 0);
	assert_int_equal(fake_count(fake, ""), 0);
}

/* A new handle finds keys like these when it continues after another one. */
static void holds_what_is_there_already(void **state)
{
	static const struct fake_rule rules[] = {
		RULE_GRANT,
		{PUT_NEW, 200, COMPARED_NOT(OF_ALL(FOUND_OURS)), 0},
		{0},
	};

	(void)state;
	fake_rules(fake, rules);
	assert_int_equal(put_many(COUNT), COUNT);
	assert_int_equal(count_held(), COUNT);
	for (size_t i = 0; i < COUNT; i++)
		assert_true(all[i].index == 4 && all[i].lease == 5 && !all[i].lost);
}

/* A key under another lease, with another document, or missing, is left for put(). */
static void leaves_the_rest_for_later(void **state)
{
	static const struct {
		const char *found;
	} others[] = {
		{RANGE_FOUND("9")},
		{RANGE_NOTHING},
		{"{\"response_range\":{\"kvs\":[{\"value\":\"e30A\",\"lease\":\"5\"}]}}"},
		{"{\"response_range\":{\"kvs\":[{\"value\":\"W10=\",\"lease\":\"5\"}]}}"},
		{"{\"response_range\":{\"kvs\":[{\"lease\":\"5\"}]}}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		char answer[600];
		const struct fake_rule rules[] = {
			RULE_GRANT,
			{PUT_NEW, 200, answer, 0},
			{0},
		};

		ROW("%s", others[i].found);
		snprintf(answer, sizeof(answer), COMPARED_NOT("%s,%s,%s"), RANGE_FOUND("5"),
			 others[i].found, RANGE_FOUND("5"));
		fake_rules(fake, rules);
		assert_int_equal(put_many(COUNT), 2);
		assert_true(all[0].held && !all[1].held && all[2].held);
		assert_int_equal(put_many(COUNT), 0);
		assert_int_equal(fake_count(fake, PUT_NEW), 1);
		start_again(state);
	}
}

/* After a refusal it puts one key alone, then more and more of them together. */
static void tries_one_by_one_what_is_refused_together(void **state)
{
	static const struct fake_rule refusals[] = {
		RULE_REFUSED(PUT_NEW),
		{PUT_NEW, 400, V3_ERROR(3, "etcdserver: too many operations in txn request"), 0},
		{PUT_NEW, 404, V3_ERROR(5, "etcdserver: requested lease not found"), 0},
		{PUT_NEW, 200, COMPARED_NOT(OF_ALL(NOTHING)), 0},
		{PUT_NEW, 200, COMPARED_NOT(RANGE_NOTHING), 0},
		{PUT_NEW, 200, "{}", 0},
	};
	static const struct fake_rule taken[] = {RULE_TOGETHER, {0}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		const struct fake_rule rules[] = {
			RULE_GRANT,
			refusals[i],
			{"/kv/txn", 200, WRITTEN, 0},
			{0},
		};

		ROW("%zu", i);
		fake_rules(fake, rules);
		assert_int_equal(put_many(COUNT), 0);
		assert_int_equal(count_held(), 0);
		assert_int_equal(put_many(COUNT), 0);
		assert_int_equal(fake_count(fake, PUT_NEW), 1);
		assert_int_equal(store->ops->put(store, &all[0], NULL), 0);
		fake_rules(fake, taken);
		assert_int_equal(put_many(COUNT), 2);
		assert_int_equal(fake_count(fake, ""), 1);
		start_again(state);
	}
}

/* A key that was overwritten or deleted since is not ours to delete. */
static void deletes_one_by_one_what_is_not_all_ours(void **state)
{
	static const struct fake_rule answers[] = {
		{DELETE_TWO, 200, COMPARED_NOT(""), 0},
		RULE_REFUSED(DELETE_TWO),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		const struct fake_rule rules[] = {answers[i], {0}};

		ROW("%zu", i);
		put_all();
		fake_rules(fake, rules);
		assert_int_equal(remove_many(COUNT), 0);
		assert_int_equal(remove_many(COUNT), 0);
		assert_int_equal(fake_count(fake, ""), 1);
		start_again(state);
	}
}

static void is_down_where_no_node_answers(void **state)
{
	static const struct fake_rule rules[] = {RULE_GRANT, {PUT_NEW, 503, "{}", 0}, {0}};
	static const struct fake_rule down[] = {{"", 503, "{}", 0}, {0}};
	size_t done;

	(void)state;
	fake_rules(fake, rules);
	assert_int_equal(store->ops->put_many(store, keys, COUNT, &done, NULL), ETCDREG_E_UNREACH);
	assert_int_equal(done, 0);
	put_all();
	fake_rules(fake, down);
	assert_int_equal(store->ops->remove_many(store, keys, COUNT, &done, NULL),
			 ETCDREG_E_UNREACH);
	assert_int_equal(done, 0);
}

/* etcd accepts requests of up to 1.5 MB. */
static void keeps_to_what_etcd_takes(void **state)
{
	static char text[(150 << 10) + 1];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	for (size_t i = 0; i < COUNT; i++)
		all[i].document = text;
	assert_int_equal(put_many(COUNT), 0);
	assert_int_equal(fake_count(fake, ""), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(puts_in_one_request),
		TEST(deletes_in_one_request),
		TEST(deletes_together_only_what_is_simple),
		TEST(holds_what_is_there_already),
		TEST(leaves_the_rest_for_later),
		TEST(tries_one_by_one_what_is_refused_together),
		TEST(deletes_one_by_one_what_is_not_all_ours),
		TEST(is_down_where_no_node_answers),
		TEST(keeps_to_what_etcd_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
