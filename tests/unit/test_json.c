/* SPDX-License-Identifier: MIT */
/* Tests of lib/base/json.c. */
#include "test.h"

#include <cjson/cJSON.h>

#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/json.h"

static struct json *parse(const char *text)
{
	return json_parse(text, strlen(text));
}

static void refuses_what_is_not_json(void **state)
{
	static const char *const rows[] = {
		"", " ", "{", "{}x", "nul", "404 page not found\n", "{\"a\":}", "\"a"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ROW("%s", rows[i]);
		assert_null(parse(rows[i]));
	}
}

static void reads_through_what_is_not_there(void **state)
{
	struct json *json = parse("{\"a\":{\"b\":[1,\"x\"]},\"t\":true}\n");
	const struct json *b = json_get(json_get(json, "a"), "b");
	int64_t n = 7;

	(void)state;
	assert_true(json_int(json_first(b), &n));
	assert_int_equal(n, 1);
	assert_string_equal(json_text(json_next(json_first(b))), "x");
	assert_null(json_next(json_next(json_first(b))));
	assert_true(json_is_true(json_get(json, "t")));
	assert_null(json_get(json_get(json_get(json, "x"), "y"), "z"));
	assert_null(json_get(json, "A"));
	assert_null(json_text(b));
	assert_null(json_first(NULL));
	assert_false(json_is_true(NULL));
	assert_false(json_is_object(b));
	assert_false(json_int(b, &n));
	assert_int_equal(n, 1);
	json_free(json);
	json_free(NULL);
}

static void reads_integers(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t n;
	} rows[] = {
		{"\"2324035541345650978\"", true, 2324035541345650978},
		{"\"9223372036854775807\"", true, INT64_MAX},
		{"\"9223372036854775808\"", false, 0},
		{"\"-1\"", true, -1},
		{"\"--1\"", false, 0},
		{"\"\"", false, 0},
		{"\"1x\"", false, 0},
		{"10", true, 10},
		{"-10", true, -10},
		{"9007199254740992", true, 9007199254740992},
		{"1.5", false, 0},
		{"1e300", false, 0},
		{"true", false, 0},
		{"null", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct json *json = parse(rows[i].text);
		int64_t n = 77;

		ROW("%s", rows[i].text);
		assert_int_equal(json_int(json, &n), rows[i].ok);
		assert_int_equal(n, rows[i].ok ? rows[i].n : 77);
		json_free(json);
	}
}

/* The error bodies that the versions of etcd send. */
static void reads_every_form_of_error(void **state)
{
	static const struct {
		const char *text;
		bool failed, v2;
		int64_t code;
		const char *message;
	} rows[] = {
		{"{\"Error\":\"gone\",\"Code\":2}", true, false, 2, "gone"},
		{"{\"error\":\"gone\",\"code\":5}", true, false, 5, "gone"},
		{"{\"error\":\"gone\",\"message\":\"all gone\",\"code\":5}", true, false, 5,
		 "all gone"},
		{"{\"code\":9,\"message\":\"gone\"}", true, false, 9, "gone"},
		{"{\"error\":{\"grpc_code\":1,\"http_code\":408,\"message\":\"gone\",\"http_"
		 "status\":\"x\"}}",
		 true, false, 1, "gone"},
		{"{\"error\":{\"code\":14,\"message\":\"gone\"}}", true, false, 14, "gone"},
		{"{\"errorCode\":100,\"message\":\"Key not found\",\"cause\":\"/k\",\"index\":7}",
		 true, true, 100, "Key not found"},
		{"{\"error\":\"gone\"}", true, false, 0, "gone"},
		{"{\"errorCode\":100}", true, true, 100, "no reason given"},
		{"{\"errorCode\":401,\"message\":\"\"}", true, true, 401, "no reason given"},
		{"{\"error\":{}}", true, false, 0, "no reason given"},
		{"{\"header\":{},\"ID\":\"5\",\"TTL\":\"10\"}", false, false, 0, NULL},
		{"{\"result\":{\"header\":{}}}", false, false, 0, NULL},
		{"[]", false, false, 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct json *json = parse(rows[i].text);
		struct json_error e;

		ROW("%s", rows[i].text);
		assert_non_null(json);
		assert_int_equal(json_read_error(json, &e), rows[i].failed);
		if (rows[i].failed) {
			assert_int_equal(e.v2, rows[i].v2);
			assert_int_equal(e.code, rows[i].code);
			assert_string_equal(e.message, rows[i].message);
		}
		json_free(json);
	}
}

static void quotes_text(void **state)
{
	CLEANUP(buf) struct buf b = BUF_INIT(100);

	(void)state;
	json_quote(&b, "a\"\\/\n\x01\xc3\xbc");
	assert_string_equal(b.s, "\"a\\\"\\\\/\\u000a\\u0001\xc3\xbc\"");
}

static void reads_documents(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		const char *name, *url;
		unsigned port;
	} rows[] = {
		{"{\"port\":8080,\"name\":\"n\",\"url\":\"u\"}", true, "n", "u", 8080},
		{"{\"port\":\"8080\",\"name\":5}", true, NULL, NULL, 8080},
		{"{\"port\":65536}", true, NULL, NULL, 0},
		{"{\"port\":-1}", true, NULL, NULL, 0},
		{"{}", true, NULL, NULL, 0},
		{"[]", false, NULL, NULL, 0},
		{"\"x\"", false, NULL, NULL, 0},
		{"null", false, NULL, NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct json *json = parse(rows[i].text);
		struct json_document document;

		ROW("%s", rows[i].text);
		assert_int_equal(json_read_document(json, &document), rows[i].ok);
		if (rows[i].ok) {
			assert_int_equal(document.port, rows[i].port);
			assert_int_equal(!document.name, !rows[i].name);
			if (document.name)
				assert_string_equal(document.name, rows[i].name);
			if (rows[i].url)
				assert_string_equal(document.url, rows[i].url);
		}
		json_free(json);
	}
}

/* Numbers beyond a double's precision stay unchanged. */
static int allocations_left;

static void *allocate(size_t size)
{
	return allocations_left-- > 0 ? malloc(size) : NULL;
}

/* Fails at the first allocation, then at the second, and so on, until there are enough. */
static void tells_that_there_is_no_memory(void **state)
{
	static const struct json_document document = {
		.name = "web", .hostname = "h", .host = "h:80", .url = "http://h:80", .port = 80};
	cJSON_Hooks hooks = {.malloc_fn = allocate, .free_fn = free};
	CLEANUP(free) char *text = NULL;
	int r = ETCDREG_E_NOMEM;

	(void)state;
	cJSON_InitHooks(&hooks);
	for (int enough = 0; enough < 100 && r == ETCDREG_E_NOMEM; enough++) {
		allocations_left = enough;
		r = json_write_document(&document, NULL, &text, NULL);
	}
	cJSON_InitHooks(NULL);
	assert_int_equal(r, 0);
	assert_non_null(strstr(text, "\"name\":\"web\""));
}

static void writes_one_line(void **state)
{
	static const struct {
		const char *text, *line;
	} rows[] = {
		{"{\n  \"a\" : 12345678901234567890, \"b\": \" x \" }\n",
		 "{\"a\":12345678901234567890,\"b\":\" x \"}"},
		{"{\"a\":\"x\n y\x1b\"}", "{\"a\":\"x\\u000a y\\u001b\"}"},
		{"{\"a\": \"C:\\\\\", \"b\": \"http://a b\\\"\" }",
		 "{\"a\":\"C:\\\\\",\"b\":\"http://a b\\\"\"}"},
		{"\xef\xbb\xbf{\"a\":1}", "{\"a\":1}"},
		{"{}", "{}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(free) char *line = json_one_line(rows[i].text);

		assert_string_equal(line, rows[i].line);
	}
}

static void names_and_values_of_members(void **state)
{
	static const char text[] = "{\"a\":\"x\\ty\",\"b\":{\"c\":[1,null]},\"d\":false}";
	static const char *const rows[][2] = {
		{"a", "x\ty"},
		{"b", "{\"c\":[1,null]}"},
		{"d", "false"},
	};
	struct json *json = json_parse(text, strlen(text));
	const struct json *member = json_first(json);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++, member = json_next(member)) {
		CLEANUP(free) char *value = json_value(member);

		assert_string_equal(json_name(member), rows[i][0]);
		assert_string_equal(value, rows[i][1]);
	}
	assert_null(member);
	json_free(json);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_not_json),
		cmocka_unit_test(reads_through_what_is_not_there),
		cmocka_unit_test(reads_integers),
		cmocka_unit_test(reads_every_form_of_error),
		cmocka_unit_test(quotes_text),
		cmocka_unit_test(reads_documents),
		cmocka_unit_test(tells_that_there_is_no_memory),
		cmocka_unit_test(writes_one_line),
		cmocka_unit_test(names_and_values_of_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
