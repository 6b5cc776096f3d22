/* SPDX-License-Identifier: MIT */
/* The grammar of ETCD_REGISTRY_NAME. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "agent/services/names.h"

#define LONGEST                                                                                 \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* Writes the table in the syntax of ETCD_REGISTRY_NAME. */
static char *show(const struct names *names)
{
	static char text[1024];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < names->len; i++) {
		const struct name_item *item = &names->items[i];

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s:%u/%s", i ? "," : "",
					item->name, item->port,
					item->protocol == IPPROTO_UDP ? "udp" : "tcp");
	}
	return text;
}

static void reads_every_form(void **state)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{"web", "web:0/tcp"},
		{"web:80", "web:80/tcp"},
		{"web:65535/tcp", "web:65535/tcp"},
		{"dns:53/udp", "dns:53/udp"},
		{" web:8080 ,\tadmin:9090,dns:53/udp ", "web:8080/tcp,admin:9090/tcp,dns:53/udp"},
		{"web,admin:9090", "web:0/tcp,admin:9090/tcp"},
		{"a:1,b:1", "a:1/tcp,b:1/tcp"},
		{"a:1,a:2", "a:1/tcp,a:2/tcp"},
		{"a:1/tcp,a:1/udp", "a:1/tcp,a:1/udp"},
		{"web,web:80", "web:0/tcp,web:80/tcp"},
		{"my shop \xc3\xa9!", "my shop \xc3\xa9!:0/tcp"},
		{LONGEST, LONGEST ":0/tcp"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct names names;
		struct etcdreg_err err;

		assert_int_equal(names_parse(cases[i].text, &names, &err), 0);
		assert_string_equal(show(&names), cases[i].shown);
		names_release(&names);
	}
}

static void refuses_and_quotes(void **state)
{
	static const struct {
		const char *text, *quoted;
	} cases[] = {
		{"", "empty"},
		{"web,", "empty"},
		{"web, ,x", "empty"},
		{":80", "':80'"},
		{"web:", "port ''"},
		{"web:0", "port '0'"},
		{"web:65536", "port '65536'"},
		{"ok:1,web:8o", "'web:8o': port '8o'"},
		{"web:-1", "port '-1'"},
		{"web: 80", "port ' 80'"},
		{"web:80:81", "port '80:81'"},
		{"web:80/", "'/'"},
		{"web:80/sctp", "'/sctp'"},
		{"web:80/tcp/udp", "'/tcp/udp'"},
		{"a/b", "'a/b'"},
		{"a\x01z", "control characters"},
		{"a,b", "'b': only one name may have no port, and 'a' has none; write b:PORT"},
		{"a:1,b:2,a:1/tcp", "'a:1' is listed twice"},
		{LONGEST "a", "255 bytes"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct names names = {0};
		struct etcdreg_err err = {0};

		assert_int_equal(names_parse(cases[i].text, &names, &err), ETCDREG_E_CONFIG);
		assert_int_equal(err.code, ETCDREG_E_CONFIG);
		if (!strstr(err.msg, cases[i].quoted))
			fail_msg("'%s': '%s' is not in '%s'", cases[i].text, cases[i].quoted,
				 err.msg);
		assert_null(names.items);
	}
}

static void items_claim_port_and_transport(void **state)
{
	struct names names;

	(void)state;
	assert_int_equal(names_parse("web,admin:9090,dns:53/udp", &names, NULL), 0);
	assert_true(names_claim(&names, 9090, IPPROTO_TCP));
	assert_true(names_claim(&names, 9090, 262));
	assert_false(names_claim(&names, 9090, IPPROTO_UDP));
	assert_true(names_claim(&names, 53, IPPROTO_UDP));
	assert_false(names_claim(&names, 53, IPPROTO_TCP));
	assert_false(names_claim(&names, 80, IPPROTO_TCP));
	names_release(&names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_form),
		cmocka_unit_test(refuses_and_quotes),
		cmocka_unit_test(items_claim_port_and_transport),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
