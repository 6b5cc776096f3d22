/* SPDX-License-Identifier: MIT */
/*
 * Tests of lib/net/address.c.  Only "lo" exists on every machine; the other tests use the
 * interfaces that this machine has.
 */
#include "test.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <sys/socket.h>

#include "lib/base/array.h"
#include "lib/net/address.h"

static struct address_hint hint_of(const char *address, bool v6only)
{
	struct address_hint hint = {.family = strchr(address, ':') ? AF_INET6 : AF_INET,
				    .v6only = v6only};

	assert_int_equal(inet_pton((int)hint.family, address, hint.bytes), 1);
	return hint;
}

static void takes_the_setting_first(void **state)
{
	static const struct {
		const char *setting, *bound, *address;
	} rows[] = {
		{"192.0.2.1", "0.0.0.0", "192.0.2.1"},
		{"192.0.2.1", "127.0.0.1", "192.0.2.1"},
		{"fd00::1", "0.0.0.0", "fd00::1"},
		{"FD00:0::1", "::", "fd00::1"},
		{"web.example", "127.0.0.1", "web.example"},
		{"127.0.0.0/8", "0.0.0.0", "127.0.0.1"},
		{"127.0.0.1/32", "127.0.0.1", "127.0.0.1"},
		{"lo", "127.0.0.1", "127.0.0.1"},
		{"lo", "::", "127.0.0.1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct address_hint hint = hint_of(rows[i].bound, false);
		char address[ADDRESS_MAX];

		ROW("'%s' %s", rows[i].setting, rows[i].bound);
		assert_int_equal(address_advertise(rows[i].setting, &hint, address, NULL), 0);
		assert_string_equal(address, rows[i].address);
	}
}

static void refuses_settings(void **state)
{
	static const struct {
		const char *setting;
		int code;
	} rows[] = {
		{"203.0.113.0/24", ETCDREG_E_NOTFOUND},
		{"10.0.0.0/33", ETCDREG_E_CONFIG},
		{"10.0.0.0/", ETCDREG_E_CONFIG},
		{"10.0.0/8", ETCDREG_E_CONFIG},
		{"a b", ETCDREG_E_CONFIG},
		{"http://a", ETCDREG_E_CONFIG},
		{"-a", ETCDREG_E_CONFIG},
		{"[::1]", ETCDREG_E_CONFIG},
	};
	struct address_hint hint = hint_of("0.0.0.0", false);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char address[ADDRESS_MAX] = "untouched";
		struct etcdreg_err err;

		ROW("'%s'", rows[i].setting);
		assert_int_equal(address_advertise(rows[i].setting, &hint, address, &err),
				 rows[i].code);
		assert_non_null(strstr(err.msg, rows[i].setting));
		assert_string_equal(address, "untouched");
	}
}

static void takes_the_bound_address(void **state)
{
	static const struct {
		const char *bound, *address;
	} rows[] = {
		{"192.0.2.7", "192.0.2.7"},
		{"fd00::7", "fd00::7"},
		{"::ffff:192.0.2.7", "192.0.2.7"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct address_hint hint = hint_of(rows[i].bound, false);
		char address[ADDRESS_MAX];

		assert_int_equal(address_advertise("", &hint, address, NULL), 0);
		assert_string_equal(address, rows[i].address);
	}
}

static void refuses_what_others_cannot_reach(void **state)
{
	static const char *const rows[] = {"127.0.0.1", "127.9.9.9", "::1", "fe80::1",
					   "::ffff:127.0.0.1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct address_hint hint = hint_of(rows[i], false);
		char address[ADDRESS_MAX];
		struct etcdreg_err err;

		ROW("%s", rows[i]);
		assert_int_equal(address_advertise("", &hint, address, &err), ETCDREG_E_NOTFOUND);
		assert_non_null(strstr(err.msg, "ETCD_REGISTRY_HOST"));
	}
}

static bool is_local(const char *address)
{
	struct ifaddrs *list;
	bool found = false;

	assert_int_equal(getifaddrs(&list), 0);
	for (const struct ifaddrs *ifa = list; ifa; ifa = ifa->ifa_next) {
		char text[INET6_ADDRSTRLEN] = "";

		if (ifa->ifa_addr && ifa->ifa_addr->sa_family == AF_INET)
			inet_ntop(AF_INET, &((struct sockaddr_in *)(void *)ifa->ifa_addr)->sin_addr,
				  text, sizeof(text));
		else if (ifa->ifa_addr && ifa->ifa_addr->sa_family == AF_INET6)
			inet_ntop(AF_INET6,
				  &((struct sockaddr_in6 *)(void *)ifa->ifa_addr)->sin6_addr, text,
				  sizeof(text));
		found |= strcmp(text, address) == 0;
	}
	freeifaddrs(list);
	return found;
}

/* If the machine has an address, the chosen one is its own, of that family, and reachable. */
static void chooses_among_the_machines_own(void **state)
{
	static const struct {
		const char *bound;
		bool v6only;
	} rows[] = {{"0.0.0.0", false}, {"::", false}, {"::", true}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct address_hint hint = hint_of(rows[i].bound, rows[i].v6only);
		char address[ADDRESS_MAX];
		int r;

		hint.etcd_host = "127.0.0.1";
		hint.etcd_port = 2379;
		r = address_advertise("", &hint, address, NULL);
		ROW("%s %d: %s", rows[i].bound, rows[i].v6only, r == 0 ? address : "none");
		if (r < 0) {
			assert_int_equal(r, ETCDREG_E_NOTFOUND);
			continue;
		}
		assert_true(is_local(address));
		assert_true(strncmp(address, "127.", 4) != 0 && strcmp(address, "::1") != 0);
		assert_true(strncmp(address, "fe80", 4) != 0);
		if (rows[i].v6only)
			assert_non_null(strchr(address, ':'));
		if (hint.family == AF_INET)
			assert_null(strchr(address, ':'));
	}
}

static void has_a_default(void **state)
{
	char address[ADDRESS_MAX];

	(void)state;
	address_default("127.0.0.1", 2379, address);
	assert_true(is_local(address));
	assert_null(strchr(address, ':'));
	address_default(NULL, 0, address);
	assert_true(is_local(address));
}

static void knows_loopback_in_every_spelling(void **state)
{
	static const struct {
		const char *host;
		bool loopback;
	} rows[] = {
		{"127.0.0.1", true},        {"127.9.9.9", true},  {"127.1", true},
		{"0x7f.1", true},           {"2130706433", true}, {"::1", true},
		{"::ffff:127.0.0.1", true}, {"0.0.0.0", true},    {"::", true},
		{"::ffff:0.0.0.0", true},   {"localhost", true},  {"LOCALHOST", true},
		{"10.0.0.1", false},        {"128.0.0.1", false}, {"fd00::1", false},
		{"::ffff:10.0.0.1", false}, {"fe80::1", false},   {"localhost.example", false},
		{"etcd-1", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ROW("%s", rows[i].host);
		assert_int_equal(address_is_loopback(rows[i].host), rows[i].loopback);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_setting_first),
		cmocka_unit_test(refuses_settings),
		cmocka_unit_test(takes_the_bound_address),
		cmocka_unit_test(refuses_what_others_cannot_reach),
		cmocka_unit_test(chooses_among_the_machines_own),
		cmocka_unit_test(has_a_default),
		cmocka_unit_test(knows_loopback_in_every_spelling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
