/* SPDX-License-Identifier: MIT */
/* Tests of lib/net/members.c and lib/net/nodes.c. */
#include "test.h"

#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/net/members.h"
#include "lib/net/nodes.h"

#define MEMBER(urls) "{\"ID\":\"1\",\"name\":\"a\",\"clientURLs\":[" urls "]}"

static int read_list(const char *text, struct member_list *list, struct etcdreg_err *err)
{
	struct json *json = json_parse(text, strlen(text));
	int r = members_read(json, list, err);

	json_free(json);
	return r;
}

/* Returns the bases as "a b", in static memory. */
static const char *joined(char *const *bases, size_t len)
{
	static char text[4096];

	text[0] = '\0';
	for (size_t i = 0; i < len; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
			 bases[i]);
	return text;
}

static void reads_the_urls_of_clients(void **state)
{
	static const struct {
		const char *members;
		const char *bases;
	} rows[] = {
		{MEMBER("\"http://10.0.0.1:2379\""), "http://10.0.0.1:2379"},
		{MEMBER("\"http://10.0.0.1:2379/\""), "http://10.0.0.1:2379"},
		{MEMBER("\"http://a:2379\",\"https://b:2380\""), "http://a:2379 https://b:2380"},
		{MEMBER("\"http://[fd00::7]:2379\""), "http://[fd00::7]:2379"},
		{MEMBER("\"http://a:1\"") "," MEMBER("\"http://b:1\""), "http://a:1 http://b:1"},
		{"{\"name\":\"\",\"peerURLs\":[\"http://a:2380\"]}", ""},
		{"{\"isLearner\":true,\"clientURLs\":[\"http://a:1\"]}", ""},
		{MEMBER("\"a:2379\""), ""},
		{MEMBER("\"http://a\""), ""},
		{MEMBER("\"http://a:0\""), ""},
		{MEMBER("\"http://\""), ""},
		{MEMBER("\"ftp://a:1\""), ""},
		{MEMBER("\"unix://a:1\""), ""},
		{MEMBER("\"http://a:1/x\""), ""},
		{MEMBER("\"http://a:1,b:2\""), ""},
		{MEMBER("\"http://a:1?timeout=1s\""), ""},
		{MEMBER("\"http://bob:word@a:1\""), ""},
		{MEMBER("\"http://a b:1\""), ""},
		{MEMBER("7,null,{},\"\""), ""},
		{"7", ""},
		{"{\"clientURLs\":\"http://a:1\"}", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(member_list) struct member_list list = {0};
		char text[512];

		ROW("%s", rows[i].members);
		snprintf(text, sizeof(text), "{\"members\":[%s]}", rows[i].members);
		assert_int_equal(read_list(text, &list, NULL), 0);
		assert_string_equal(joined(list.bases, list.len), rows[i].bases);
	}
}

static void refuses_what_lists_nobody(void **state)
{
	static const char *const rows[] = {"{}", "[]", "7", "{\"members\":[]}", "{\"members\":7}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(member_list) struct member_list list = {0};
		struct etcdreg_err err;

		ROW("%s", rows[i]);
		assert_int_equal(read_list(rows[i], &list, &err), ETCDREG_E_PROTO);
	}
}

static void has_a_limit(void **state)
{
	CLEANUP(member_list) struct member_list list = {0};
	CLEANUP(buf) struct buf text = BUF_INIT(65536);

	(void)state;
	buf_puts(&text, "{\"members\":[");
	for (int i = 0; i < 100; i++)
		buf_printf(&text, "%s{\"clientURLs\":[\"http://a%d:1\"]}", i ? "," : "", i);
	buf_puts(&text, "]}");
	assert_int_equal(read_list(text.s, &list, NULL), 0);
	assert_int_equal(list.len, MEMBERS_MAX);
}

static void uses_only_what_the_node_can_vouch_for(void **state)
{
	static const struct {
		const char *node;
		const char *base;
		bool used;
	} rows[] = {
		{"http://10.0.0.1:2379", "http://10.0.0.2:2379", true},
		{"http://10.0.0.1:2379", "https://10.0.0.2:2379", true},
		{"https://10.0.0.1:2379", "https://10.0.0.2:2379", true},
		{"https://10.0.0.1:2379", "http://10.0.0.2:2379", false},
		{"https://127.0.0.1:2379", "http://127.0.0.1:2380", false},
		{"http://10.0.0.1:2379", "http://127.0.0.1:2379", false},
		{"http://10.0.0.1:2379", "http://127.9.9.9:2379", false},
		{"http://10.0.0.1:2379", "http://127.1:2379", false},
		{"http://10.0.0.1:2379", "http://[::1]:2379", false},
		{"http://10.0.0.1:2379", "http://[::ffff:127.0.0.1]:2379", false},
		{"http://10.0.0.1:2379", "http://LocalHost:2379", false},
		{"http://10.0.0.1:2379", "http://0.0.0.0:2379", false},
		{"http://10.0.0.1:2379", "http://[::]:2379", false},
		{"http://a:2379", "http://localhost:2379", false},
		{"http://127.0.0.1:2379", "http://127.0.0.1:2380", true},
		{"http://localhost:2379", "http://[::1]:2380", true},
		{"http://[::1]:2379", "http://10.0.0.1:2379", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct members *m = members_new();
		struct member_list list = {.bases = {strdup(rows[i].base)}, .len = 1}, taken = {0};
		unsigned version = 0;

		ROW("%s tells of %s", rows[i].node, rows[i].base);
		members_publish(m, rows[i].node, &list);
		assert_int_equal(list.len, 0);
		assert_true(members_take(m, &version, &taken));
		assert_int_equal(taken.len, rows[i].used);
		member_list_release(&taken);
		members_free(m);
	}
}

static void gives_each_list_once(void **state)
{
	struct members *m = members_new();
	struct member_list list = {.bases = {strdup("http://a:1")}, .len = 1}, taken = {0};
	unsigned version = 0, other = 0;

	(void)state;
	assert_false(members_take(m, &version, &taken));
	members_publish(m, "http://b:1", &list);
	assert_true(members_take(m, &version, &taken));
	assert_string_equal(joined(taken.bases, taken.len), "http://a:1");
	member_list_release(&taken);
	assert_false(members_take(m, &version, &taken));
	assert_true(members_take(m, &other, &taken));
	member_list_release(&taken);
	members_publish(m, "http://b:1", &list);
	assert_true(members_take(m, &version, &taken));
	assert_int_equal(taken.len, 0);
	members_free(m);
}

static void is_due_at_once_and_then_every_30_s(void **state)
{
	struct members *m = members_new();
	uint64_t started = now_ms();

	(void)state;
	assert_true(members_due_ms(m) <= started);
	assert_true(members_claim(m));
	assert_false(members_claim(m));
	assert_in_range(members_due_ms(m), started + 30000, started + 30000 + SLOW_MACHINE_MS);
	members_retry(m);
	assert_false(members_claim(m));
	assert_in_range(members_due_ms(m), started + 5000, started + 5000 + SLOW_MACHINE_MS);
	members_free(m);
}

static void open_nodes(struct nodes *n, const char *url)
{
	CLEANUP(connstr) struct connstr cs = {0};

	assert_int_equal(connstr_parse(url, &cs, NULL, NULL), 0);
	assert_true(nodes_init(n, &cs));
}

static void learn(struct nodes *n, const char *const *bases)
{
	char *copies[8];
	size_t len = 0;

	for (; bases[len]; len++)
		copies[len] = strdup(bases[len]);
	assert_true(nodes_learn(n, copies, len));
	for (size_t i = 0; i < len; i++)
		assert_null(copies[i]);
}

static const char *joined_nodes(const struct nodes *n)
{
	char *bases[16];

	for (size_t i = 0; i < n->len; i++)
		bases[i] = n->all[i].base;
	return joined(bases, n->len);
}

static void keeps_what_is_configured(void **state)
{
	struct nodes n;

	(void)state;
	open_nodes(&n, "a,b:1,b:1");
	assert_string_equal(joined_nodes(&n), "http://a:2379 http://a:4001 http://b:1");
	assert_true(n.all[1].fallback && !n.all[0].fallback && !n.all[2].fallback);
	learn(&n, (const char *const[]){"http://c:1", "http://A:2379", "http://c:1", "http://d:1",
					NULL});
	assert_string_equal(joined_nodes(&n),
			    "http://a:2379 http://a:4001 http://b:1 http://c:1 http://d:1");
	learn(&n, (const char *const[]){"http://d:1", NULL});
	assert_string_equal(joined_nodes(&n), "http://a:2379 http://a:4001 http://b:1 http://d:1");
	learn(&n, (const char *const[]){NULL});
	assert_string_equal(joined_nodes(&n), "http://a:2379 http://a:4001 http://b:1");
	nodes_release(&n);
}

static void starts_with_any_host(void **state)
{
	static const char *const starts[] = {"http://a:2379", "http://b:1", "http://c:2379",
					     "http://a:2379"};
	struct nodes n;

	(void)state;
	open_nodes(&n, "a,b:1,c");
	assert_int_equal(n.current, 0);
	for (uint32_t i = 0; i < ARRAY_LEN(starts); i++) {
		nodes_start_at(&n, i);
		assert_string_equal(n.all[n.current].base, starts[i]);
	}
	nodes_start_at(&n, 2);
	learn(&n, (const char *const[]){"http://d:1", "http://b:1", NULL});
	assert_string_equal(n.all[n.current].base, "http://c:2379");
	nodes_release(&n);
}

static void goes_on_with_the_node_in_use(void **state)
{
	struct nodes n;

	(void)state;
	open_nodes(&n, "a:1");
	learn(&n, (const char *const[]){"http://b:1", "http://c:1", NULL});
	n.current = 2;
	learn(&n, (const char *const[]){"http://c:1", "http://b:1", NULL});
	assert_string_equal(n.all[n.current].base, "http://c:1");
	learn(&n, (const char *const[]){"http://b:1", NULL});
	assert_string_equal(n.all[n.current].base, "http://a:1");
	nodes_release(&n);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_urls_of_clients),
		cmocka_unit_test(refuses_what_lists_nobody),
		cmocka_unit_test(has_a_limit),
		cmocka_unit_test(uses_only_what_the_node_can_vouch_for),
		cmocka_unit_test(gives_each_list_once),
		cmocka_unit_test(is_due_at_once_and_then_every_30_s),
		cmocka_unit_test(keeps_what_is_configured),
		cmocka_unit_test(starts_with_any_host),
		cmocka_unit_test(goes_on_with_the_node_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
