/* SPDX-License-Identifier: MIT */
/*
 * Tests of lib/store/store_v3.c, lib/store/v3_call.c and lib/store/session.c against a fake etcd.
 */
#include "fake_store.h"

#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/store/store.h"

static struct fake_etcd *fake;
static struct line *line;
static struct store *store;

static int set_up(void **state)
{
	(void)state;
	fake = fake_start();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (line)
		line_free(line);
	line = NULL;
	fake_stop(fake);
	return 0;
}

static void open_line(const char *options)
{
	static const struct fake_rule version[] = {RULE_VERSION, {0}};
	struct etcdreg_err err = {0};

	fake_rules(fake, version);
	line = line_new(fake, options);
	assert_int_equal(session_store(line->session, &store, NULL, &err), 0);
}

/* Plain text from a gateway that got a client certificate with a common name. */
#define NAME_REFUSED                                                                              \
	"CommonName of client sending a request against gateway will be ignored and not used as " \
	"expected\n"

#define KEY(...)                                                        \
	{                                                               \
		.path = "services/web/1", .document = "{}", __VA_ARGS__ \
	}
#define KEY64 "L3NlcnZpY2VzL3dlYi8x" /* "/services/web/1" */

static int count_document(const char *path, const char *document, void *arg,
			  struct etcdreg_err *err)
{
	int *count = arg;

	(void)err;
	assert_string_equal(path, "services/web/1");
	assert_string_equal(document, "{}");
	++*count;
	return 0;
}

static int count_documents(int *count, struct etcdreg_err *err)
{
	const struct store_query query = {
		.folder = "services/",
		.each = count_document,
		.arg = count,
	};

	return store->ops->list(store, &query, err);
}

/* One full cycle, with requests as etcd expects them: grant, put, keepalive, delete. */
static void asks_as_etcd_wants_it(void **state)
{
	static const struct fake_rule rules[] = {
		{"/v3/lease/grant", 200, GRANTED("2324035541345650978"), 0},
		{"request_delete_range", 200, DONE, 0},
		{"/v3/kv/txn", 200, WRITTEN, 0},
		{0},
	};
	struct store_key key = KEY();

	(void)state;
	open_line("");
	fake_rules(fake, rules);
	assert_int_equal(store->ops->put(store, &key, NULL), 0);
	assert_true(key.held);
	assert_int_equal(key.lease, 2324035541345650978);
	assert_int_equal(fake_count(fake, "POST /v3/lease/grant {\"TTL\":10}"), 1);
	assert_int_equal(
		fake_count(
			fake,
			"POST /v3/kv/txn {\"compare\":[{\"target\":\"VALUE\",\"key\":\"" KEY64
			"\",\"value\":\"e30=\"}],\"success\":[{\"request_range\":{\"key\":\"" KEY64
			"\",\"keys_only\":true}}],\"failure\":[{\"request_put\":{\"key\":\"" KEY64
			"\",\"value\":\"e30=\",\"lease\":\"2324035541345650978\"}}]}"),
		1);
	assert_int_equal(store->ops->remove(store, &key, NULL), 0);
	assert_false(key.held);
	assert_int_equal(fake_count(fake, "{\"compare\":[{\"target\":\"LEASE\",\"key\":\"" KEY64
					  "\",\"lease\":\"2324035541345650978\"}],\"success\":"
					  "[{\"request_delete_range\":{\"key\":\"" KEY64 "\"}}]}"),
			 1);
	assert_int_equal(fake_count(fake, ""), 3);
}

/* It looks again early, so that it takes the key over before a lease that nobody renews expires. */
static void looks_again_before_another_lease_can_expire(void **state)
{
	static const struct fake_rule rules[] = {
		{"/lease/grant", 200, GRANTED("5"), 0},
		{"/kv/txn", 200, FOUND("9"), 0},
		{"/timetolive", 200, "{" HEADER ",\"TTL\":\"1\",\"grantedTTL\":\"3\"}", 0},
		{0},
	};
	struct store_key key = KEY();

	(void)state;
	open_line("?ttl=3");
	fake_rules(fake, rules);
	assert_int_equal(store->ops->put(store, &key, NULL), 0);
	assert_true(key.foreign);
	assert_in_range(store->ops->due_ms(store, &key), now_ms() + 1, now_ms() + 750);
}

/* A key under another lease that is alive stays unchanged. */
static void confirms_what_another_keeps(void **state)
{
	static const struct {
		const char *ttl;
		bool taken;
	} rows[] = {
		{"9", false},
		{"5", false},
		{"4", true},
		{"0", true},
		{"-1", true},
		/* a TTL other than ours, which is 10 s */
		{"2\",\"grantedTTL\":\"4", false},
		{"1\",\"grantedTTL\":\"4", true},
		{"14\",\"grantedTTL\":\"60", true},
	};

	(void)state;
	open_line("");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char state_text[200];
		struct fake_rule rules[] = {
			{"/lease/grant", 200, GRANTED("5"), 0},
			{"{\"success\":", 200, WRITTEN, 0},
			{"/kv/txn", 200, FOUND("9"), 0},
			{"/kv/lease/timetolive {\"ID\":\"9\",\"keys\":false}", 200, state_text, 0},
			{0},
		};
		struct store_key key = KEY();

		snprintf(state_text, sizeof(state_text), "{" HEADER ",\"ID\":\"9\",\"TTL\":\"%s\"}",
			 rows[i].ttl);
		fake_rules(fake, rules);
		ROW("TTL %s", rows[i].ttl);
		assert_int_equal(store->ops->put(store, &key, NULL), 0);
		assert_true(key.held);
		assert_int_equal(key.foreign, !rows[i].taken);
		assert_int_equal(fake_count(fake, "{\"success\":[{\"request_put\""), rows[i].taken);
		store->ops->forget(store, &key);
	}
}

static void never_deletes_what_another_keeps(void **state)
{
	static const struct fake_rule rules[] = {
		{"/lease/grant", 200, GRANTED("5"), 0},
		{"/kv/txn", 200, FOUND("9"), 0},
		{"/timetolive", 200, TTL_LEFT("9"), 0},
		{0},
	};
	struct store_key key = KEY();

	(void)state;
	open_line("");
	fake_rules(fake, rules);
	assert_int_equal(store->ops->put(store, &key, NULL), 0);
	assert_true(key.foreign);
	assert_int_equal(store->ops->remove(store, &key, NULL), 0);
	assert_int_equal(fake_count(fake, "delete"), 0);
}

/* A key without a lease would stay for ever. */
static void takes_what_has_no_lease(void **state)
{
	static const struct fake_rule rules[] = {
		{"/lease/grant", 200, GRANTED("5"), 0},
		{"{\"success\":", 200, WRITTEN, 0},
		{"/kv/txn", 200,
		 "{" HEADER ",\"succeeded\":true,\"responses\":[{\"response_range\":{\"kvs\":[{"
		 "\"key\":\"a\"}]}}]}",
		 0},
		{0},
	};
	struct store_key key = KEY();

	(void)state;
	open_line("");
	fake_rules(fake, rules);
	assert_int_equal(store->ops->put(store, &key, NULL), 0);
	assert_true(key.held);
	assert_false(key.foreign);
	assert_int_equal(fake_count(fake, "{\"success\":"), 1);
}

static void deletes_whatever_is_there_for_a_stranger(void **state)
{
	static const struct fake_rule rules[] = {{"/kv/deleterange", 200, DONE, 0}, {0}};
	struct store_key key = KEY(.unowned = true, .expires_ms = now_ms() + 5000);
	struct store_key late = KEY(.unowned = true, .expires_ms = 1);

	(void)state;
	open_line("");
	fake_rules(fake, rules);
	assert_int_equal(store->ops->remove(store, &key, NULL), 0);
	assert_int_equal(fake_count(fake, "/v3/kv/deleterange {\"key\":\"" KEY64 "\"}"), 1);
	assert_int_equal(store->ops->remove(store, &late, NULL), 0);
	assert_int_equal(fake_count(fake, ""), 1);
}

static void put_two(struct store_key *first, struct store_key *second)
{
	static const struct fake_rule rules[] = {
		{"/lease/grant", 200, GRANTED("5"), 0},
		{"/kv/txn", 200, WRITTEN, 0},
		{0},
	};

	fake_rules(fake, rules);
	first->next = second;
	assert_int_equal(store->ops->put(store, first, NULL), 0);
	assert_int_equal(store->ops->put(store, second, NULL), 0);
	assert_int_equal(fake_count(fake, "grant"), 1);
	first->lost = second->lost = false;
}

/* A TTL of 3 s means 1.5 s between heartbeats. */
static void wait_until_due(struct store_key *keys)
{
	uint64_t due = store->ops->due_ms(store, keys);

	assert_true(due <= now_ms() + 1500);
	while (now_ms() < due)
		usleep(10000);
}

static void heartbeats_with_two_requests(void **state)
{
	static const struct fake_rule rules[] = {
		{"/lease/keepalive {\"ID\":\"5\"}", 200, KEPT, 0},
		{"/timetolive {\"ID\":\"5\",\"keys\":true}", 200,
		 "{" HEADER ",\"TTL\":\"3\",\"keys\":[\"c2VydmljZXM=\",\"" KEY64 "\"]}", 0},
		{0},
	};
	struct store_key first = KEY(), second = {.path = "services/web/2", .document = "{}"};

	(void)state;
	open_line("?ttl=3");
	put_two(&first, &second);
	fake_rules(fake, rules);
	assert_int_equal(store->ops->heartbeat(store, &first, NULL), 0);
	assert_int_equal(fake_count(fake, ""), 0);
	wait_until_due(&first);
	assert_int_equal(store->ops->heartbeat(store, &first, NULL), 0);
	assert_int_equal(fake_count(fake, ""), 2);
	assert_true(first.held);
	assert_false(second.held);
	assert_false(second.lost);
	assert_true(store->ops->due_ms(store, &first) > now_ms());
}

/*
 * The answer with a lease's 1,000 keys, with long names and namespace, exceeds the limit for other
 * answers.
 */
static void reads_the_keys_of_a_full_lease(void **state)
{
	enum { LONG = 1200 };
	static char answer[1000 * LONG];
	struct fake_rule rules[] = {
		{"/lease/keepalive", 200, KEPT, 0},
		{"/timetolive", 200, answer, 0},
		{0},
	};
	struct store_key first = KEY(), second = {.path = "services/web/2", .document = "{}"};

	(void)state;
	open_line("?ttl=3");
	put_two(&first, &second);
	snprintf(answer, sizeof(answer), "{" HEADER ",\"TTL\":\"3\",\"keys\":[\"" KEY64 "\"%*s]}",
		 998 * LONG, "");
	fake_rules(fake, rules);
	wait_until_due(&first);
	assert_int_equal(store->ops->heartbeat(store, &first, NULL), 0);
	assert_true(first.held && !second.held);
}

/*
 * The first heartbeat after the watch has begun compares all keys: the watch does not report
 * earlier changes.
 */
static void heartbeats_with_one_request_under_a_watch(void **state)
{
	static const struct fake_rule rules[] = {
		{"/watch", FAKE_STREAM, CREATED, 0},
		{"/lease/keepalive {\"ID\":\"5\"}", 200, KEPT, 0},
		{"/timetolive {\"ID\":\"5\",\"keys\":true}", 200,
		 "{" HEADER ",\"TTL\":\"3\",\"keys\":[\"" KEY64 "\"]}", 0},
		{0},
	};
	struct store_key first = KEY(), second = {.path = "services/web/2", .document = "{}"};

	(void)state;
	open_line("?ttl=3");
	put_two(&first, &second);
	store->ops->forget(store, &second);
	first.next = NULL;
	fake_rules(fake, rules);
	assert_true(store->ops->watch(store, &first) > now_ms());
	for (int i = 0; store->ops->due_ms(store, &first) > now_ms() && i < 100; i++) {
		cluster_wait(session_cluster(line->session), 10);
		store->ops->notice(store, &first);
	}
	assert_int_equal(store->ops->heartbeat(store, &first, NULL), 0);
	assert_int_equal(fake_count(fake, "/timetolive"), 1);
	assert_true(first.held);
	wait_until_due(&first);
	assert_int_equal(store->ops->heartbeat(store, &first, NULL), 0);
	assert_int_equal(fake_count(fake, "/timetolive"), 1);
	assert_int_equal(fake_count(fake, "/keepalive"), 2);
}

static void loses_all_keys_with_the_lease(void **state)
{
	static const struct fake_rule rules[] = {{"/lease/keepalive", 200, KEEPALIVE_LOST, 0}, {0}};
	struct store_key first = KEY(), second = {.path = "services/web/2", .document = "{}"};

	(void)state;
	open_line("?ttl=3");
	put_two(&first, &second);
	wait_until_due(&first);
	fake_rules(fake, rules);
	assert_int_equal(store->ops->heartbeat(store, &first, NULL), 0);
	assert_true(!first.held && first.lost && !second.held && second.lost);
	assert_int_equal(store->ops->due_ms(store, &first), UINT64_MAX);
	assert_int_equal(store->ops->remove(store, &second, NULL), 0);
	assert_int_equal(fake_count(fake, ""), 1);
}

static void grants_again_when_the_lease_is_gone(void **state)
{
	static const struct fake_rule rules[] = {
		{"/lease/grant", 200, GRANTED("6"), 0},
		{"\"lease\":\"5\"", 404, V3_ERROR(5, "etcdserver: requested lease not found"), 0},
		{"/kv/txn", 200, WRITTEN, 0},
		{"/lease/keepalive {\"ID\":\"5\"}", 200, KEEPALIVE_LOST, 0},
		{0},
	};
	struct store_key first = KEY(), second = {.path = "services/web/2", .document = "{}"};

	(void)state;
	open_line("");
	put_two(&first, &second);
	fake_rules(fake, rules);
	second.held = false;
	assert_int_equal(store->ops->put(store, &second, NULL), 0);
	assert_true(second.held);
	assert_int_equal(second.lease, 6);
	assert_int_equal(store->ops->due_ms(store, &first), 0);
	assert_int_equal(store->ops->heartbeat(store, &first, NULL), 0);
	assert_true(first.lost && !first.held);
	assert_true(second.held);
}

static void opens_a_lease_for_every_1000_keys(void **state)
{
	static const struct fake_rule rules[] = {
		{"/lease/grant", 200, GRANTED("5"), 1},
		{"/lease/grant", 200, GRANTED("6"), 0},
		{"/kv/txn", 200, WRITTEN, 0},
		{0},
	};
	static struct store_key keys[1002];

	(void)state;
	open_line("");
	fake_rules(fake, rules);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		keys[i] = (struct store_key)KEY();
		assert_int_equal(store->ops->put(store, &keys[i], NULL), 0);
		assert_int_equal(keys[i].lease, i < 1000 ? 5 : 6);
	}
	store->ops->forget(store, &keys[7]);
	assert_int_equal(store->ops->put(store, &keys[7], NULL), 0);
	assert_int_equal(keys[7].lease, 5);
}

static void revokes_for_all(void **state)
{
	static const struct fake_rule rules[] = {{"/kv/lease/revoke {\"ID\":\"5\"}", 200, DONE, 0},
						 {0}};
	struct store_key first = KEY(), second = {.path = "services/web/2", .document = "{}"};

	(void)state;
	open_line("");
	put_two(&first, &second);
	fake_rules(fake, rules);
	assert_int_equal(store->ops->remove_all(store, &first, NULL), 0);
	assert_int_equal(store->ops->remove(store, &first, NULL), 0);
	assert_int_equal(store->ops->remove(store, &second, NULL), 0);
	assert_int_equal(fake_count(fake, ""), 1);
}

/* An answer without a required field counts as a broken node. */
static void refuses_answers_that_lack_a_field(void **state)
{
	static const struct fake_rule rows[][4] = {
		{{"/lease/grant", 200, "{" HEADER "}", 0}, {0}},
		{{"/lease/grant", 200, "{" HEADER ",\"ID\":\"x\"}", 0}, {0}},
		{{"/lease/grant", 200, GRANTED("5"), 0}, {"/kv/txn", 200, "{}", 0}, {0}},
		{{"/lease/grant", 200, GRANTED("5"), 0},
		 {"/kv/txn", 200, "{" HEADER ",\"succeeded\":true}", 0},
		 {0}},
		{{"/lease/grant", 200, GRANTED("5"), 0}, {"/kv/txn", 200, "[]", 0}, {0}},
	};

	(void)state;
	open_line("");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct store_key key = KEY();
		struct etcdreg_err err = {0};

		fake_rules(fake, rows[i]);
		ROW("%zu", i);
		assert_int_equal(store->ops->put(store, &key, &err), ETCDREG_E_PROTO);
		assert_non_null(strstr(err.msg, "127.0.0.1"));
		assert_false(key.held);
		store->ops->forget(store, &key);
	}
}

static void maps_the_errors_of_etcd(void **state)
{
	static const struct {
		unsigned status;
		const char *body;
		int code;
		bool answered;
	} rows[] = {
		{403, V3_ERROR(7, "etcdserver: permission denied"), ETCDREG_E_DENIED, true},
		{400, V3_ERROR(3, "etcdserver: user name is empty"), ETCDREG_E_DENIED, true},
		{401, V3_ERROR(16, "etcdserver: invalid auth token"), ETCDREG_E_DENIED, true},
		{503, V3_ERROR(14, "etcdserver: no leader"), ETCDREG_E_UNREACH, false},
		{503, V3_ERROR(14, "etcdserver: request timed out"), ETCDREG_E_UNREACH, false},
		{500, V3_ERROR(2, "etcdserver: not a primary lessor"), ETCDREG_E_UNREACH, false},
		{429, V3_ERROR(8, "etcdserver: mvcc: database space exceeded"), ETCDREG_E_SERVER,
		 true},
		{200, "{\"error\":{\"grpc_code\":14,\"http_code\":503,\"message\":\"x\"}}",
		 ETCDREG_E_UNREACH, false},
		{421, "Misdirected Request", ETCDREG_E_PROTO, false},
		{400, NAME_REFUSED, ETCDREG_E_DENIED, true},
	};

	(void)state;
	open_line("");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fake_rule rules[] = {{"/lease/grant", rows[i].status, rows[i].body, 0}, {0}};
		struct store_key key = KEY();

		fake_rules(fake, rules);
		ROW("%s", rows[i].body);
		assert_int_equal(store->ops->put(store, &key, NULL), rows[i].code);
		assert_int_equal(cluster_answered(session_cluster(line->session)),
				 rows[i].answered);
	}
}

#define BODY_MAX 300

/* The error bodies of etcd's versions: "<before CODE><between TEXT><after>". */
static const struct {
	const char *before; /* NULL: always code 2 */
	const char *between;
	const char *after;
} error_forms[] = {
	{NULL, "{\"Error\":\"", "\",\"Code\":2}"},                /* 3.0, 3.1 */
	{"{\"code\":", ",\"error\":\"", "\"}"},                   /* 3.3 */
	{"{\"code\":", ",\"error\":\"x\",\"message\":\"", "\"}"}, /* 3.4, 3.5 */
	{"{\"code\":", ",\"message\":\"", "\"}"},                 /* 3.6, and 3.5 of Debian */
	{"{\"error\":{\"grpc_code\":", ",\"http_code\":500,\"message\":\"",
	 "\",\"http_status\":\"Internal Server Error\"}}"},   /* of a stream */
	{"{\"error\":{\"code\":", ",\"message\":\"", "\"}}"}, /* of a stream, 3.6 */
};

static void write_error(size_t form, int code, const char *text, char ret[static BODY_MAX])
{
	char number[20] = "";

	if (error_forms[form].before)
		snprintf(number, sizeof(number), "%d", code);
	snprintf(ret, BODY_MAX, "%s%s%s%s%s",
		 error_forms[form].before ? error_forms[form].before : "", number,
		 error_forms[form].between, text, error_forms[form].after);
}

static void reads_the_errors_of_every_etcd(void **state)
{
	static const struct {
		int code;
		const char *text;
		int expected;
	} rows[] = {
		{5, "etcdserver: requested lease not found", ETCDREG_E_NOTFOUND},
		{7, "etcdserver: permission denied", ETCDREG_E_DENIED},
		{16, "etcdserver: invalid auth token", ETCDREG_E_DENIED},
		{3, "etcdserver: user name is empty", ETCDREG_E_DENIED},
		{3, "etcdserver: authentication failed, invalid user ID or password",
		 ETCDREG_E_DENIED},
		{14, "etcdserver: no leader", ETCDREG_E_UNREACH},
		{14, "etcdserver: leader changed", ETCDREG_E_UNREACH},
		{14, "etcdserver: request timed out, possibly due to previous leader failure",
		 ETCDREG_E_UNREACH},
		{14, "etcdserver: server stopped", ETCDREG_E_UNREACH},
		{8, "etcdserver: too many requests", ETCDREG_E_UNREACH},
		{15, "etcdserver: corrupt cluster", ETCDREG_E_UNREACH},
		{2, "lease: not a primary lessor", ETCDREG_E_UNREACH},
		{8, "etcdserver: mvcc: database space exceeded", ETCDREG_E_SERVER},
		{3, "etcdserver: duplicate key given in txn request", ETCDREG_E_SERVER},
	};
	char body[BODY_MAX];

	(void)state;
	open_line("");
	for (size_t i = 0; i < ARRAY_LEN(rows) * ARRAY_LEN(error_forms); i++) {
		static const struct fake_rule none;
		struct fake_rule rules[] = {{"/kv/range", 500, body, 0}, {0}};
		size_t row = i / ARRAY_LEN(error_forms);
		struct etcdreg_err err = {0};

		/* Waits for the fake's lock, so that the fake no longer reads `body`. */
		fake_rules(fake, &none);
		write_error(i % ARRAY_LEN(error_forms), rows[row].code, rows[row].text, body);
		fake_rules(fake, rules);
		ROW("%s", body);
		assert_int_equal(count_documents(NULL, &err), rows[row].expected);
		assert_non_null(strstr(err.msg, rows[row].text));
	}
}

static void asks_who_is_in_the_cluster(void **state)
{
	static const struct fake_rule rules[] = {
		{"POST /v3/cluster/member/list {}", 200,
		 "{" HEADER ",\"members\":[{\"ID\":\"1\",\"clientURLs\":[\"http://a:1\"]}]}", 0},
		{0},
	};
	CLEANUP(member_list) struct member_list list = {0};

	(void)state;
	open_line("");
	fake_rules(fake, rules);
	assert_int_equal(store->ops->members(store, &list, NULL), 0);
	assert_int_equal(list.len, 1);
	assert_string_equal(list.bases[0], "http://a:1");
}

static void logs_in_and_again_when_the_token_is_refused(void **state)
{
	static const char *const refusals[] = {
		V3_ERROR(16, "etcdserver: invalid auth token"),
		V3_ERROR(3, "etcdserver: user name is empty"),
		V3_ERROR(3, "etcdserver: revision of auth store is old"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		const struct fake_rule rules[] = {
			{"/auth/authenticate {\"name\":\"bob\",\"password\":\"w\\\"d\"}", 200,
			 "{" HEADER ",\"token\":\"t1\"}", 1},
			{"/auth/authenticate", 200, "{" HEADER ",\"token\":\"t2\"}", 1},
			{"/lease/grant {\"TTL\":10} auth=t1", 200, GRANTED("5"), 0},
			{"auth=t1", 400, refusals[i], 0},
			{"/kv/txn", 200, WRITTEN, 0},
			{0},
		};
		struct store_key key = KEY();

		ROW("%s", refusals[i]);
		open_line("?user=bob:w%22d");
		fake_rules(fake, rules);
		assert_int_equal(store->ops->put(store, &key, NULL), 0);
		assert_int_equal(fake_count(fake, "/auth/authenticate"), 2);
		assert_int_equal(fake_count(fake, "/kv/txn"), 2);
		assert_int_equal(fake_count(fake, "auth=t2"), 1);
		store->ops->forget(store, &key);
		if (i + 1 < ARRAY_LEN(refusals))
			line_free(line);
	}
}

/* Each login costs etcd a bcrypt hash.  A wrong password is not tried again for every key. */
static void does_not_repeat_a_refused_login(void **state)
{
	static const struct fake_rule rules[] = {
		{"/auth/authenticate", 400,
		 V3_ERROR(3, "etcdserver: authentication failed, invalid user ID or password"), 0},
		{0},
	};
	struct store_key key = KEY();
	struct etcdreg_err err;

	(void)state;
	open_line("?user=bob:hunter2");
	fake_rules(fake, rules);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(store->ops->put(store, &key, &err), ETCDREG_E_DENIED);
		assert_non_null(strstr(err.msg, "authentication failed"));
		assert_null(strstr(err.msg, "hunter2"));
	}
	assert_int_equal(fake_count(fake, ""), 1);
}

/* This refusal costs etcd nothing, and the next try may use another certificate. */
static void repeats_a_login_that_was_refused_for_the_certificate(void **state)
{
	static const struct fake_rule rules[] = {
		{"/auth/authenticate", 400, NAME_REFUSED, 0},
		{0},
	};
	struct store_key key = KEY();

	(void)state;
	open_line("?user=bob:hunter2");
	fake_rules(fake, rules);
	for (int i = 0; i < 3; i++)
		assert_int_equal(store->ops->put(store, &key, NULL), ETCDREG_E_DENIED);
	assert_int_equal(fake_count(fake, "/auth/authenticate"), 3);
}

static void goes_on_without_users_where_etcd_has_none(void **state)
{
	static const struct fake_rule rules[] = {
		{"/auth/authenticate", 412,
		 V3_ERROR(9, "etcdserver: authentication is not enabled"), 0},
		{"/lease/grant", 200, GRANTED("5"), 0},
		{"/kv/txn", 200, WRITTEN, 0},
		{0},
	};
	struct store_key key = KEY();

	(void)state;
	open_line("?user=bob:word");
	fake_rules(fake, rules);
	assert_int_equal(store->ops->put(store, &key, NULL), 0);
	assert_int_equal(fake_count(fake, "/auth/authenticate"), 1);
}

/* Some versions close the connection instead of refusing a token. */
static void takes_silence_for_a_refused_token(void **state)
{
	static const struct fake_rule rules[] = {
		{"/auth/authenticate", 200, "{" HEADER ",\"token\":\"t1\"}", 1},
		{"/auth/authenticate", 200, "{" HEADER ",\"token\":\"t2\"}", 1},
		{"auth=t1", 0, "", 0},
		{"/lease/grant", 200, GRANTED("5"), 0},
		{"/kv/txn", 200, WRITTEN, 0},
		{0},
	};
	struct store_key key = KEY();

	(void)state;
	open_line("?user=bob:word");
	fake_rules(fake, rules);
	assert_int_equal(store->ops->put(store, &key, NULL), 0);
	assert_int_equal(fake_count(fake, "/auth/authenticate"), 2);
}

/* etcd before 3.3 cannot compare leases. */
static void compares_revisions_on_an_old_etcd(void **state)
{
	static const struct fake_rule rules[] = {
		{"/version", 200, "{\"etcdserver\":\"3.2.1\",\"etcdcluster\":\"3.2.0\"}", 0},
		{"/v3alpha/lease/grant", 200, GRANTED("5"), 0},
		{"request_delete_range", 200, DONE, 0},
		{"/v3alpha/kv/txn", 200, WRITTEN, 1},
		{"/v3alpha/kv/txn", 0, "", 0},
		{0},
	};
	struct store_key known = KEY(), unknown = KEY();

	(void)state;
	line = line_new(fake, "");
	fake_rules(fake, rules);
	assert_int_equal(session_store(line->session, &store, NULL, NULL), 0);
	assert_int_equal(store->ops->put(store, &known, NULL), 0);
	assert_int_equal(store->ops->remove(store, &known, NULL), 0);
	assert_int_equal(fake_count(fake, "{\"compare\":[{\"target\":\"MOD\",\"key\":\"" KEY64
					  "\",\"mod_revision\":\"5\"}]"),
			 1);
	assert_int_equal(store->ops->put(store, &unknown, NULL), ETCDREG_E_UNREACH);
	assert_int_equal(store->ops->remove(store, &unknown, NULL), 0);
	assert_int_equal(
		fake_count(fake, "{\"compare\":[{\"target\":\"VALUE\",\"key\":\"" KEY64
				 "\",\"value\":\"e30=\"}],\"success\":[{\"request_delete_range\""),
		1);
}

static void lists_a_folder(void **state)
{
	static const struct fake_rule rules[] = {
		{"/kv/range "
		 "{\"key\":\"L3NlcnZpY2VzLw==\",\"range_end\":\"L3NlcnZpY2VzMA==\",\"limit\":"
		 "\"1000\",\"revision\":\"0\"}",
		 200,
		 "{" HEADER ",\"kvs\":[{\"key\":\"" KEY64 "\",\"value\":\"e30=\"},"
		 "{\"key\":\"" KEY64 "\"},{\"key\":\"" KEY64
		 "\",\"value\":\"e30=\"}],\"count\":\"3\"}",
		 1},
		{"/kv/range", 200, "{" HEADER "}", 1},
		{"/kv/range", 200, "{" HEADER ",\"kvs\":[{\"value\":\"e30=\"}]}", 1},
		{0},
	};
	int count = 0;

	(void)state;
	open_line("");
	fake_rules(fake, rules);
	assert_int_equal(count_documents(&count, NULL), 0);
	assert_int_equal(count, 2);
	assert_int_equal(count_documents(&count, NULL), 0);
	assert_int_equal(count, 2);
	assert_int_equal(count_documents(&count, NULL), ETCDREG_E_PROTO);
}

static void chooses_the_api(void **state)
{
	static const struct {
		const char *options;
		const char *version;
		const char *request; /* the request of a list; NULL: no list is possible */
	} rows[] = {
		{"", VERSION_34, "POST /v3/kv/range"},
		{"", "{\"etcdserver\":\"3.6.1\",\"etcdcluster\":\"3.6.0\"}", "POST /v3/kv/range"},
		{"", "{\"etcdserver\":\"4.0.0\",\"etcdcluster\":\"4.0.0\"}", "POST /v3/kv/range"},
		{"", "{\"etcdserver\":\"3.4.1\",\"etcdcluster\":\"3.3.0\"}",
		 "POST /v3beta/kv/range"},
		{"", "{\"etcdserver\":\"3.2.1\",\"etcdcluster\":\"3.2.0\"}",
		 "POST /v3alpha/kv/range"},
		{"", "{\"etcdserver\":\"2.3.8\",\"etcdcluster\":\"2.3.0\"}",
		 "GET /v2/keys/services/?recursive=true"},
		{"", "{\"etcdserver\":\"2.3.8\"}", "GET /v2/keys/services/?recursive=true"},
		{"?api=v2", "x", "GET /v2/keys/services/?recursive=true"},
		{"?api=v3", "{\"etcdserver\":\"2.3.8\"}", NULL},
		{"", "{\"etcdserver\":\"3.4.1\",\"etcdcluster\":\"not_decided\"}", NULL},
		{"", "{}", NULL},
		{"", "x", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fake_rule rules[] = {
			{"/version", 200, rows[i].version, 0},
			{"/range", 200, "{" HEADER "}", 0},
			{"/v2/keys", 200, "{\"node\":{}}", 0},
			{0},
		};
		struct etcdreg_err err;

		ROW("%s %s", rows[i].options, rows[i].version);
		line = line_new(fake, rows[i].options);
		fake_rules(fake, rules);
		if (!rows[i].request) {
			assert_true(session_store(line->session, &store, NULL, &err) < 0);
		} else {
			assert_int_equal(session_store(line->session, &store, NULL, &err), 0);
			assert_int_equal(count_documents(NULL, &err), 0);
			assert_int_equal(fake_count(fake, rows[i].request), 1);
		}
		line_free(line);
		line = NULL;
	}
}

/* The gateway can be switched off.  Then the version says v3, but only the v2 API is there. */
static void chooses_again_when_the_api_is_gone(void **state)
{
	static const struct fake_rule rules[] = {
		RULE_VERSION,
		{"/v3/", 404, "404 page not found\n", 0},
		{"/v2/keys", 404, "{\"errorCode\":100,\"message\":\"Key not found\",\"index\":5}",
		 0},
		{0},
	};
	bool is_new = true;

	(void)state;
	open_line("");
	fake_rules(fake, rules);
	assert_int_equal(session_store(line->session, &store, &is_new, NULL), 0);
	assert_false(is_new);
	assert_int_equal(count_documents(NULL, NULL), ETCDREG_E_PROTO);
	assert_int_equal(session_store(line->session, &store, &is_new, NULL), 0);
	assert_true(is_new);
	assert_int_equal(count_documents(NULL, NULL), 0);
	assert_int_equal(session_store(line->session, &store, &is_new, NULL), 0);
	assert_false(is_new);
}

/*
 * A proxy that serves nothing for a while must not cause a switch to v2, or a fresh start with v3.
 */
static void keeps_an_api_that_has_worked(void **state)
{
	static const struct fake_rule good[] = {
		RULE_VERSION, {"/v3/kv/range", 200, "{" HEADER "}", 0}, {0}};
	static const struct fake_rule nothing[] = {{"", 404, "404 page not found\n", 0}, {0}};
	struct store *again;
	bool is_new = true;

	(void)state;
	open_line("");
	fake_rules(fake, good);
	assert_int_equal(count_documents(NULL, NULL), 0);
	fake_rules(fake, nothing);
	assert_int_equal(count_documents(NULL, NULL), ETCDREG_E_PROTO);
	for (int i = 0; i < 2; i++)
		assert_int_equal(session_store(line->session, &again, &is_new, NULL),
				 ETCDREG_E_PROTO);
	fake_rules(fake, good);
	assert_int_equal(session_store(line->session, &again, &is_new, NULL), 0);
	assert_false(is_new);
	assert_ptr_equal(again, store);
	assert_int_equal(count_documents(NULL, NULL), 0);
}

/* After an upgrade that removes the API, it chooses v3 if there is one, whatever v2 answers. */
static void chooses_again_after_an_upgrade(void **state)
{
	static const struct {
		const char *before;
		const char *after;
		const char *request; /* the request of a list after the upgrade */
	} rows[] = {
		{"3.3.0", "3.6.0", "POST /v3/kv/range"},
		{"3.2.0", "3.3.0", "POST /v3beta/kv/range"},
		{"2.3.0", "3.6.0", "POST /v3/kv/range"},
		{"3.6.0", "2.3.0", "GET /v2/keys/services/?recursive=true"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char before[100], after[100];
		struct fake_rule old[] = {{"/version", 200, before, 0}, {0}};
		struct fake_rule upgraded[] = {
			{"/version", 200, after, 0},
			{rows[i].request, 200, "{" HEADER ",\"node\":{}}", 0},
			{"", 404, "404 page not found\n", 0},
			{0},
		};
		bool is_new = false;

		ROW("%s to %s", rows[i].before, rows[i].after);
		snprintf(before, sizeof(before), "{\"etcdcluster\":\"%s\"}", rows[i].before);
		snprintf(after, sizeof(after), "{\"etcdcluster\":\"%s\"}", rows[i].after);
		fake_rules(fake, old);
		line = line_new(fake, "");
		assert_int_equal(session_store(line->session, &store, NULL, NULL), 0);
		fake_rules(fake, upgraded);
		assert_int_equal(count_documents(NULL, NULL), ETCDREG_E_PROTO);
		assert_int_equal(session_store(line->session, &store, &is_new, NULL), 0);
		assert_true(is_new);
		assert_int_equal(count_documents(NULL, NULL), 0);
		line_free(line);
		line = NULL;
	}
}

/* Keys of an earlier handle are its own as soon as it knows that their lease is alive. */
static void goes_on_under_the_leases_that_it_finds(void **state)
{
	static const struct fake_rule version[] = {RULE_VERSION, {0}};
	static const struct {
		const char *keepalive;
		const char *after;
		int64_t lease;
	} rows[] = {
		{KEPT, FOUND("5"), 5},
		{KEEPALIVE_LOST, WRITTEN, 6},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fake_rule rules[] = {
			{"/lease/keepalive {\"ID\":\"5\"}", 200, rows[i].keepalive, 0},
			{"/lease/grant", 200, GRANTED("6"), 0},
			{"/kv/txn", 200, rows[i].after, 0},
			{0},
		};
		struct leases leases = {.restored = true, .ids = {0, 5}};
		struct store_key key = KEY();

		ROW("lease %d", (int)rows[i].lease);
		fake_rules(fake, version);
		line = line_new(fake, "");
		session_keep_leases(line->session, &leases);
		assert_int_equal(session_store(line->session, &store, NULL, NULL), 0);
		fake_rules(fake, rules);
		assert_int_equal(store->ops->put(store, &key, NULL), 0);
		assert_true(key.held);
		assert_false(key.foreign);
		assert_int_equal(key.lease, rows[i].lease);
		assert_int_equal(leases.ids[0] + leases.ids[1], rows[i].lease);
		assert_int_equal(fake_count(fake, "/lease/keepalive"), 1);
		assert_int_equal(fake_count(fake, "/timetolive"), 0);
		store->ops->forget(store, &key);
		line_free(line);
		line = NULL;
	}
}

static void deletes_only_under_the_leases_that_it_finds(void **state)
{
	static const struct fake_rule version[] = {RULE_VERSION, {0}};
	static const struct fake_rule rules[] = {{"/kv/txn", 200, DONE, 0}, {0}};
	struct leases leases = {.restored = true, .ids = {5, 7}};
	struct store_key key = KEY(.unowned = true);

	(void)state;
	fake_rules(fake, version);
	line = line_new(fake, "");
	session_keep_leases(line->session, &leases);
	assert_int_equal(session_store(line->session, &store, NULL, NULL), 0);
	fake_rules(fake, rules);
	assert_int_equal(store->ops->remove(store, &key, NULL), 0);
	assert_int_equal(fake_count(fake, "\"target\":\"LEASE\""), 2);
	assert_int_equal(fake_count(fake, "\"lease\":\"5\""), 1);
	assert_int_equal(fake_count(fake, "\"lease\":\"7\""), 1);
	assert_int_equal(fake_count(fake, "deleterange"), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(asks_as_etcd_wants_it),
		TEST(confirms_what_another_keeps),
		TEST(looks_again_before_another_lease_can_expire),
		TEST(never_deletes_what_another_keeps),
		TEST(takes_what_has_no_lease),
		TEST(deletes_whatever_is_there_for_a_stranger),
		TEST(heartbeats_with_two_requests),
		TEST(reads_the_keys_of_a_full_lease),
		TEST(heartbeats_with_one_request_under_a_watch),
		TEST(loses_all_keys_with_the_lease),
		TEST(grants_again_when_the_lease_is_gone),
		TEST(opens_a_lease_for_every_1000_keys),
		TEST(revokes_for_all),
		TEST(refuses_answers_that_lack_a_field),
		TEST(maps_the_errors_of_etcd),
		TEST(reads_the_errors_of_every_etcd),
		TEST(asks_who_is_in_the_cluster),
		TEST(logs_in_and_again_when_the_token_is_refused),
		TEST(does_not_repeat_a_refused_login),
		TEST(repeats_a_login_that_was_refused_for_the_certificate),
		TEST(goes_on_without_users_where_etcd_has_none),
		TEST(takes_silence_for_a_refused_token),
		TEST(compares_revisions_on_an_old_etcd),
		TEST(lists_a_folder),
		TEST(chooses_the_api),
		TEST(chooses_again_when_the_api_is_gone),
		TEST(keeps_an_api_that_has_worked),
		TEST(chooses_again_after_an_upgrade),
		TEST(goes_on_under_the_leases_that_it_finds),
		TEST(deletes_only_under_the_leases_that_it_finds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
