/* SPDX-License-Identifier: MIT */
/* Tests of lib/registry/service.c.  The npm package 2.1.1 wrote the expected keys and documents. */
#include "test.h"

#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/zero.h"
#include "lib/registry/service.h"

static void writes_what_the_npm_package_writes(void **state)
{
	static const struct {
		struct etcdreg_service service;
		const char *namespace;
		const char *path;
		const char *document;
	} rows[] = {
		{{.name = "my-service-name",
		  .hostname = "192.168.1.10",
		  .port = 8080,
		  .protocol = NULL},
		 "",
		 "services/my-service-name/a4b6d9145a0edd218cc73596b12ca2d1b30419a1",
		 "{\"port\":8080,\"name\":\"my-service-name\""
		 ",\"hostname\":\"192.168.1.10\",\"host\":\"192.168.1.10:8080\",\"url\":\"http://"
		 "192.168.1.10:8080\"}"},
		{{.name = "web.api_v2", .hostname = "h", .port = 1, .protocol = NULL},
		 "prod",
		 "services/prod/web-api-v2/f16b8180276d513bf27ecfcf1d8b911d38527a5f",
		 "{\"port\":1,\"name\":\"web.api_v2\""
		 ",\"hostname\":\"h\",\"host\":\"h:1\",\"url\":\"http://h:1\"}"},
		{{.name = "w \303\274 x", .hostname = "10.0.0.1", .port = 65535, .protocol = NULL},
		 "a/b",
		 "services/a/b/w---x/596dde14eee1ef287ba2d39f6e8c4e7466bd3875",
		 "{\"port\":65535,\"name\":\"w \303\274 x\""
		 ",\"hostname\":\"10.0.0.1\",\"host\":\"10.0.0.1:65535\",\"url\":\"http://"
		 "10.0.0.1:65535\"}"},
		{{.name = "emoji \360\237\230\200!", .hostname = "a", .port = 80, .protocol = NULL},
		 "",
		 "services/emoji----/d760a93c8dab31526ab321035394ce05a41be86d",
		 "{\"port\":80,\"name\":\"emoji \360\237\230\200!\""
		 ",\"hostname\":\"a\",\"host\":\"a:80\",\"url\":\"http://a:80\"}"},
		{{.name = "no-port", .hostname = "a.example", .port = 0, .protocol = NULL},
		 "",
		 "services/no-port/406f69e8e0c8d33598ec2f3ff7bd4d2a184806ce",
		 "{\"name\":\"no-port\""
		 ",\"hostname\":\"a.example\",\"host\":\"a.example\",\"url\":\"http://"
		 "a.example\"}"},
		{{.name = "quo\"te\\/", .hostname = "a", .port = 80, .protocol = NULL},
		 "",
		 "services/quo-te--/d08d923f6289873e06e87d29a649cce3b283e1b8",
		 "{\"port\":80,\"name\":\"quo\\\"te\\\\/\""
		 ",\"hostname\":\"a\",\"host\":\"a:80\",\"url\":\"http://a:80\"}"},
		{{.name = "sec", .hostname = "a", .port = 443, .protocol = "https"},
		 "",
		 "services/sec/096bcde914790ba6fdfd48f85c5bc2f4f2b79e5b",
		 "{\"port\":443,\"name\":\"sec\""
		 ",\"hostname\":\"a\",\"host\":\"a:443\",\"url\":\"https://a:443\"}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(service) struct service s = {0};

		ROW("%s", rows[i].document);
		assert_int_equal(service_init(&s, &rows[i].service, NULL, rows[i].namespace, NULL),
				 0);
		assert_string_equal(s.path, rows[i].path);
		assert_string_equal(s.document, rows[i].document);
	}
}

static char *document_of(const struct etcdreg_service *service)
{
	CLEANUP(service) struct service s = {0};

	assert_int_equal(service_init(&s, service, "h", "", NULL), 0);
	return STEAL(s.document);
}

static void puts_meta_between_port_and_name(void **state)
{
	static const struct {
		const char *meta;
		const char *document;
	} rows[] = {
		{NULL, "{\"port\":1,\"name\":\"n\",\"hostname\":\"h\",\"host\":\"h:1\",\"url\":"
		       "\"http://h:1\"}"},
		{" {} ", "{\"port\":1,\"name\":\"n\",\"hostname\":\"h\",\"host\":\"h:1\",\"url\":"
			 "\"http://h:1\"}"},
		{"{\"v\": \"1.2\", \"tags\": [1, null]}",
		 "{\"port\":1,\"v\":\"1.2\",\"tags\":[1,null],\"name\":\"n\",\"hostname\":\"h\","
		 "\"host\":\"h:1\","
		 "\"url\":\"http://h:1\"}"},
		{"{\"url\":1,\"name\":2,\"a\":3,\"port\":4,\"host\":5,\"hostname\":6,\"name\":7}",
		 "{\"port\":1,\"a\":3,\"name\":\"n\",\"hostname\":\"h\",\"host\":\"h:1\",\"url\":"
		 "\"http://h:1\"}"},
		{"{\"Name\":1}", "{\"port\":1,\"Name\":1,\"name\":\"n\",\"hostname\":\"h\","
				 "\"host\":\"h:1\",\"url\":\"http://h:1\"}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct etcdreg_service service = {.name = "n", .port = 1, .meta = rows[i].meta};
		CLEANUP(free) char *document = document_of(&service);

		ROW("%s", rows[i].document);
		assert_string_equal(document, rows[i].document);
	}
}

static void brackets_ipv6(void **state)
{
	static const char *const spellings[] = {"fd00::1", "[fd00::1]"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
		struct etcdreg_service service = {
			.name = "n", .hostname = spellings[i], .port = 80};
		CLEANUP(service) struct service s = {0};

		assert_int_equal(service_init(&s, &service, NULL, "", NULL), 0);
		assert_string_equal(s.hostname, "fd00::1");
		assert_string_equal(s.host, "[fd00::1]:80");
		assert_string_equal(s.url, "http://[fd00::1]:80");
	}
}

static void refuses(void **state)
{
	char long_name[SERVICE_NAME_MAX + 2];
	const struct {
		struct etcdreg_service service;
		const char *message;
	} rows[] = {
		{{.name = NULL}, "name is empty"},
		{{.name = ""}, "name is empty"},
		{{.name = long_name}, "longer than 255"},
		{{.name = "a\tb"}, "'a?b' is not printable"},
		{{.name = "a\x7f"}, "not printable"},
		{{.name = "\xff"}, "not printable"},
		{{.name = "\xc0\xaf"}, "not printable"},
		{{.name = "\xed\xa0\x80"}, "not printable"},
		{{.name = "\xf4\x90\x80\x80"}, "not printable"},
		{{.name = "\xe2\x82"}, "not printable"},
		{{.name = "n", .hostname = ""}, "hostname '' is not an address"},
		{{.name = "n", .hostname = "a b"}, "'a b' is not an address"},
		{{.name = "n", .hostname = "a/b"}, "'a/b'"},
		{{.name = "n", .hostname = "a:1"}, "'a:1'"},
		{{.name = "n", .port = 65536}, "port 65536"},
		{{.name = "n", .protocol = ""}, "protocol '' is not a URL scheme"},
		{{.name = "n", .protocol = "1a"}, "'1a'"},
		{{.name = "n", .protocol = "a://"}, "'a://'"},
		{{.name = "n", .meta = ""}, "meta ''"},
		{{.name = "n", .meta = "[]"}, "meta '[]'"},
		{{.name = "n", .meta = "{"}, "meta '{'"},
		{{.name = "n", .meta = "{} x"}, "meta '{} x'"},
	};

	(void)state;
	memset(long_name, 'x', sizeof(long_name));
	long_name[sizeof(long_name) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct service s;
		struct etcdreg_err err = {0};

		ROW("%zu", i);
		assert_int_equal(service_init(&s, &rows[i].service, "h", "", &err),
				 ETCDREG_E_INVALID);
		assert_non_null(strstr(err.msg, rows[i].message));
	}
}

static void names_folders(void **state)
{
	static const struct {
		const char *namespace, *name, *folder;
	} rows[] = {
		{"", NULL, "services/"},
		{"a/b", NULL, "services/a/b/"},
		{"", "x.y", "services/x-y/"},
		{"a", "x", "services/a/x/"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(free) char *folder = service_folder(rows[i].namespace, rows[i].name);

		assert_string_equal(folder, rows[i].folder);
	}
}

static void views_what_was_given(void **state)
{
	struct etcdreg_service service = {
		.size = 4096, .name = "n", .port = 1, .protocol = "ws", .meta = "{}", .tag = 7};
	CLEANUP(service) struct service s = {0};
	struct service_view all;
	struct etcdreg_service view;

	(void)state;
	assert_int_equal(service_init(&s, &service, "h", "", NULL), 0);
	all = service_view(&s);
	assert_int_equal(sizeof(all), SIZED_MAX);
	assert_true(is_zero(all.zeros, sizeof(all.zeros)));
	view = all.service;
	assert_int_equal(view.size, 4096);
	assert_string_equal(view.name, "n");
	assert_string_equal(view.hostname, "h");
	assert_int_equal(view.port, 1);
	assert_string_equal(view.protocol, "ws");
	assert_string_equal(view.meta, "{}");
	assert_int_equal(view.tag, 7);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_what_the_npm_package_writes),
		cmocka_unit_test(puts_meta_between_port_and_name),
		cmocka_unit_test(brackets_ipv6),
		cmocka_unit_test(refuses),
		cmocka_unit_test(names_folders),
		cmocka_unit_test(views_what_was_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
