/* SPDX-License-Identifier: MIT */
/* Tests of lib/base/parse.c. */
#include "test.h"

#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/parse.h"

#define UNTOUCHED 77

static void reads_numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t min, max;
		bool ok;
		uint64_t n;
	} rows[] = {
		{"0", 0, 0, true, 0},
		{"1", 1, 65535, true, 1},
		{"65535", 1, 65535, true, 65535},
		{"000080", 1, 65535, true, 80},
		{"18446744073709551615", 0, UINT64_MAX, true, UINT64_MAX},
		{"18446744073709551616", 0, UINT64_MAX, false, 0},
		{"99999999999999999999999", 0, UINT64_MAX, false, 0},
		{"65536", 1, 65535, false, 0},
		{"0", 1, 65535, false, 0},
		{"", 0, 10, false, 0},
		{"-1", 0, 10, false, 0},
		{"+1", 0, 10, false, 0},
		{" 1", 0, 10, false, 0},
		{"1 ", 0, 10, false, 0},
		{"1x", 0, 10, false, 0},
		{"0x1", 0, 10, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t n = UNTOUCHED;

		ROW("'%s'", rows[i].text);
		assert_int_equal(parse_uint(rows[i].text, strlen(rows[i].text), rows[i].min,
					    rows[i].max, &n),
				 rows[i].ok);
		assert_int_equal(n, rows[i].ok ? rows[i].n : UNTOUCHED);
	}
}

static void reads_only_its_length(void **state)
{
	uint64_t n;

	(void)state;
	assert_true(parse_uint("123", 2, 0, 1000, &n));
	assert_int_equal(n, 12);
	assert_false(parse_uint("123", 0, 0, 1000, &n));
}

static void reads_durations(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t ms;
	} rows[] = {
		{"3s", true, 3000},      {"3", true, 3000},    {"200ms", true, 200},
		{"1.5s", true, 1500},    {"0.25", true, 250},  {"0", true, 0},
		{"1.0019s", true, 1001}, {"1.5ms", false, 0},  {"", false, 0},
		{"s", false, 0},         {"ms", false, 0},     {".5", false, 0},
		{"1.", false, 0},        {"1.s", false, 0},    {"1.2.3", false, 0},
		{"-1s", false, 0},       {"1m", false, 0},     {"1 s", false, 0},
		{"1.x", false, 0},       {"1.000x", false, 0}, {"20000000000000000s", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t ms = UNTOUCHED;

		ROW("'%s'", rows[i].text);
		assert_int_equal(parse_duration_ms(rows[i].text, strlen(rows[i].text), &ms),
				 rows[i].ok);
		assert_int_equal(ms, rows[i].ok ? rows[i].ms : UNTOUCHED);
	}
}

static void decodes_percents(void **state)
{
	static const struct {
		const char *text;
		const char *decoded; /* NULL: refused */
	} rows[] = {
		{"", ""},
		{"abc", "abc"},
		{"%41%62", "Ab"},
		{"a%2Fb%2fc", "a/b/c"},
		{"%C3%BC", "\xc3\xbc"},
		{"%", NULL},
		{"%4", NULL},
		{"%zz", NULL},
		{"%00", NULL},
		{"a%0", NULL},
		{"100%", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(free) char *decoded = parse_percent(rows[i].text, strlen(rows[i].text));

		ROW("'%s'", rows[i].text);
		if (rows[i].decoded)
			assert_string_equal(decoded, rows[i].decoded);
		else
			assert_null(decoded);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_numbers),
		cmocka_unit_test(reads_only_its_length),
		cmocka_unit_test(reads_durations),
		cmocka_unit_test(decodes_percents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
