/* SPDX-License-Identifier: MIT */
/* Tests of lib/config/connstr.c. */
#include "test.h"

#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/config/connstr.h"

#define HOSTS_MAX 4

static void reads_what_is_right(void **state)
{
	static const struct {
		const char *text;
		const char *scheme;
		struct {
			const char *host;
			unsigned port;
		} hosts[HOSTS_MAX];
		const char *namespace;
		const char *user, *password;
	} rows[] = {
		{"a", "http", {{"a", 0}}, "", NULL, NULL},
		{"a:1", "http", {{"a", 1}}, "", NULL, NULL},
		{"http://127.0.0.1:2379", "http", {{"127.0.0.1", 2379}}, "", NULL, NULL},
		{"https://a,b:65535,c",
		 "https",
		 {{"a", 0}, {"b", 65535}, {"c", 0}},
		 "",
		 NULL,
		 NULL},
		{"127.0.0.1:4001, 127.0.0.1:4002",
		 "http",
		 {{"127.0.0.1", 4001}, {"127.0.0.1", 4002}},
		 "",
		 NULL,
		 NULL},
		{"http://a:1,http://b:2", "http", {{"a", 1}, {"b", 2}}, "", NULL, NULL},
		{"https://a:1/,https://b:2/", "https", {{"a", 1}, {"b", 2}}, "", NULL, NULL},
		{"a:1,https://b:2", "https", {{"a", 1}, {"b", 2}}, "", NULL, NULL},
		{"[::1]", "http", {{"::1", 0}}, "", NULL, NULL},
		{"https://[fd00::1]:1,[::2]/n",
		 "https",
		 {{"fd00::1", 1}, {"::2", 0}},
		 "n",
		 NULL,
		 NULL},
		{"a/", "http", {{"a", 0}}, "", NULL, NULL},
		{"a/n", "http", {{"a", 0}}, "n", NULL, NULL},
		{"a//n/m//", "http", {{"a", 0}}, "n/m", NULL, NULL},
		{"a/n%20m", "http", {{"a", 0}}, "n m", NULL, NULL},
		{"a/n?ttl=5", "http", {{"a", 0}}, "n", NULL, NULL},
		{"a?refresh=true&cache=1&", "http", {{"a", 0}}, "", NULL, NULL},
		{"u:p@a", "http", {{"a", 0}}, "", "u", "p"},
		{"http://u@a/n", "http", {{"a", 0}}, "n", "u", NULL},
		{"https://u%40x:p%2F%3a@a:1,b", "https", {{"a", 1}, {"b", 0}}, "", "u@x", "p/:"},
		{"http://u:p@q@a", "http", {{"a", 0}}, "", "u", "p@q"},
		{"u:@a", "http", {{"a", 0}}, "", "u", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(connstr) struct connstr cs = {0};
		struct etcdreg_err err = {0};
		int r = connstr_parse(rows[i].text, &cs, NULL, &err);
		size_t hosts = 0;

		ROW("'%s' %s", rows[i].text, err.msg);
		assert_int_equal(r, 0);
		assert_string_equal(cs.scheme, rows[i].scheme);
		for (; hosts < HOSTS_MAX && rows[i].hosts[hosts].host; hosts++) {
			assert_true(hosts < cs.hosts_len);
			assert_string_equal(cs.hosts[hosts].host, rows[i].hosts[hosts].host);
			assert_int_equal(cs.hosts[hosts].port, rows[i].hosts[hosts].port);
		}
		assert_int_equal(cs.hosts_len, hosts);
		assert_string_equal(cs.namespace, rows[i].namespace);
		assert_int_equal(!cs.user, !rows[i].user);
		assert_int_equal(!cs.password, !rows[i].password);
		if (cs.user)
			assert_string_equal(cs.user, rows[i].user);
		if (cs.password)
			assert_string_equal(cs.password, rows[i].password);
	}
}

static void quotes_what_is_wrong(void **state)
{
	static const struct {
		const char *text;
		const char *quoted;
	} rows[] = {
		{"", "the end"},
		{"http://", "the end"},
		{"ftp://a", "'ftp'"},
		{"://a", "protocol ''"},
		{"http://a,https://b", "'http' and 'https'"},
		{"a,,b", "','"},
		{"/n", "'/'"},
		{"?ttl=5", "'?'"},
		{"a,", "the end"},
		{"a:", "port ''"},
		{"a:0", "'0'"},
		{"a:65536", "'65536'"},
		{"a:http", "'http'"},
		{"a b", "'a b'"},
		{"::1", "'::1'"},
		{"[::1", "'[::1'"},
		{"[a]", "'[a]'"},
		{"[::1]x", "'x'"},
		{"a/n%", "'n%'"},
		{"a/n//m", "'n//m'"},
		{"a/../b", "'../b'"},
		{"a/%0a", "not printable"},
		{"a?color=red", "'color'"},
		{"a?password=x", "'password'"},
		{"a?ttl=1", "option 'ttl': '1'"},
		{"a?ttl", "option 'ttl': ''"},
		{"a?user=%", "option 'user'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct connstr cs = {0};
		struct etcdreg_err err = {0};
		int r = connstr_parse(rows[i].text, &cs, NULL, &err);

		ROW("'%s': %s", rows[i].text, err.msg);
		assert_int_equal(r, ETCDREG_E_CONFIG);
		assert_non_null(strstr(err.msg, rows[i].quoted));
		assert_null(cs.hosts);
	}
}

static void never_quotes_a_password(void **state)
{
	static const char *const rows[] = {
		"http://bob:hunter2@",     "http://bob:hunter2@a:x",
		"http://bob:hunter2/x@a",  "http://bob:hunter2?x@a",
		"http://bob:hunter2%@a",   "http://a,bob:hunter2@b",
		"http://bob:hunter2,x@a",  "bob:hunter2@a?x=y",
		"ftp://bob:hunter2@a",     "http://bob:1hunter2/x,y@a",
		"http://:hunter2@a",       "a?user=bob:hunter2&x=1",
		"?user=bob:hunter2",       "a,/n?user=bob:hunter2",
		"bob:hunter2://x@a",       "bob:x://hunter2@a",
		"http://bob:hunter2@a/..", "http://bob:hunter2@a,http://bob:hunter2@b",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct connstr cs;
		struct etcdreg_err err;

		ROW("'%s'", rows[i]);
		assert_true(connstr_parse(rows[i], &cs, NULL, &err) < 0);
		assert_null(strstr(err.msg, "hunter2"));
	}
}

static void sets_options(void **state)
{
	CLEANUP(connstr) struct connstr cs = {0};
	CLEANUP(config) struct config cfg = {0};

	(void)state;
	assert_int_equal(config_init(&cfg, NULL), 0);
	assert_int_equal(connstr_parse("https://u:p@a/n?api=v2&timeout=1.5s&cacert=%2Fca%20x", &cs,
				       &cfg, NULL),
			 0);
	assert_int_equal(cfg.api, CONFIG_API_V2);
	assert_int_equal(cfg.timeout_ms, 1500);
	assert_string_equal(cfg.cacert, "/ca x");
	assert_string_equal(cfg.user, "u");
	assert_string_equal(cfg.password, "p");
}

static void limits_the_hosts(void **state)
{
	char text[2 * CONNSTR_HOSTS_MAX + 3] = "";
	struct connstr cs = {0};

	(void)state;
	for (size_t i = 0; i < CONNSTR_HOSTS_MAX; i++)
		memcpy(text + 2 * i, i ? ",a" : " a", 3);
	assert_int_equal(connstr_parse(text, &cs, NULL, NULL), 0);
	assert_int_equal(cs.hosts_len, CONNSTR_HOSTS_MAX);
	connstr_release(&cs);
	memcpy(text + 2 * CONNSTR_HOSTS_MAX, ",b", 3);
	assert_int_equal(connstr_parse(text, &cs, NULL, NULL), ETCDREG_E_CONFIG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_is_right),     cmocka_unit_test(quotes_what_is_wrong),
		cmocka_unit_test(never_quotes_a_password), cmocka_unit_test(sets_options),
		cmocka_unit_test(limits_the_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
