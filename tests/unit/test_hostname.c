/* SPDX-License-Identifier: MIT */
/* Tests of lib/base/hostname.c. */
#include "test.h"

#include <sys/socket.h>

#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/hostname.h"

static void tells_addresses_from_names(void **state)
{
	static const struct {
		const char *text;
		int family;
		bool name;
	} rows[] = {
		{"127.0.0.1", AF_INET, true},
		{"::1", AF_INET6, false},
		{"fd00::1", AF_INET6, false},
		{"::ffff:10.0.0.1", AF_INET6, false},
		{"0:0:0:0:0:ffff:255.255.255.255", AF_INET6, false},
		{"127.1", 0, true},
		{"127.0.0.1 ", 0, false},
		{"[::1]", 0, false},
		{"fe80::1%lo", 0, false},
		{"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", 0, false},
		{"a", 0, true},
		{"etcd-1.example_x.org", 0, true},
		{"-a", 0, true},
		{"", 0, false},
		{"a b", 0, false},
		{"a/b", 0, false},
		{"a:1", 0, false},
		{"caf\xc3\xa9", 0, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = strlen(rows[i].text);

		ROW("'%s'", rows[i].text);
		assert_int_equal(hostname_family(rows[i].text, len, NULL), rows[i].family);
		assert_int_equal(hostname_is_name(rows[i].text, len), rows[i].name);
	}
}

static void reads_no_further_than_told(void **state)
{
	uint8_t bytes[HOSTNAME_BYTES] = {0};
	char name[254];

	(void)state;
	assert_int_equal(hostname_family("10.0.0.12", 8, bytes), AF_INET);
	assert_memory_equal(bytes, "\x0a\0\0\1", 4);
	assert_int_equal(hostname_family("::1/64", 3, bytes), AF_INET6);
	assert_memory_equal(bytes, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	assert_int_equal(hostname_family("x", 1, bytes), 0);
	assert_int_equal(bytes[15], 1);
	memset(name, 'a', sizeof(name));
	assert_true(hostname_is_name(name, 253));
	assert_false(hostname_is_name(name, 254));
}

static void splits_off_the_port(void **state)
{
	static const struct {
		const char *text, *host, *rest;
	} rows[] = {
		{"a", "a", ""},       {"a:1", "a", ":1"},       {"a:", "a", ":"},
		{"[::1]", "::1", ""}, {"[::1]:1", "::1", ":1"}, {"[::1]x", "::1", "x"},
		{"[a]b]", "a", "b]"}, {"::1", NULL, NULL},      {"fd00::1", "fd00", "::1"},
		{"", NULL, NULL},     {":1", NULL, NULL},       {"[", NULL, NULL},
		{"[::1", NULL, NULL}, {"[]:1", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct hostname_parts parts = {0};
		size_t len = strlen(rows[i].text);

		ROW("'%s'", rows[i].text);
		assert_int_equal(hostname_split(rows[i].text, len, &parts), rows[i].host != NULL);
		if (!rows[i].host)
			continue;
		assert_int_equal(parts.host_len, strlen(rows[i].host));
		assert_memory_equal(parts.host, rows[i].host, parts.host_len);
		assert_string_equal(parts.rest, rows[i].rest);
		assert_int_equal(parts.rest_len, strlen(rows[i].rest));
		assert_int_equal(parts.in_brackets, rows[i].text[0] == '[');
	}
}

static void writes_brackets_around_ipv6(void **state)
{
	static const struct {
		const char *host;
		unsigned port;
		const char *text;
	} rows[] = {
		{"a", 80, "a:80"},       {"a", 0, "a"},       {"10.0.0.1", 65535, "10.0.0.1:65535"},
		{"::1", 80, "[::1]:80"}, {"::1", 0, "[::1]"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf) struct buf b = BUF_INIT(64);

		hostname_add(&b, rows[i].host, rows[i].port);
		assert_string_equal(b.s, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_addresses_from_names),
		cmocka_unit_test(reads_no_further_than_told),
		cmocka_unit_test(splits_off_the_port),
		cmocka_unit_test(writes_brackets_around_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
