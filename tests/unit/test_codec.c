/* SPDX-License-Identifier: MIT */
/* Tests of lib/base/codec.c. */
#include "test.h"

#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/codec.h"

static void hashes(void **state)
{
	char hex[CODEC_SHA1_HEX];

	(void)state;
	assert_int_equal(codec_sha1_hex("", 0, hex), 0);
	assert_string_equal(hex, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
	assert_int_equal(codec_sha1_hex("abc", 3, hex), 0);
	assert_string_equal(hex, "a9993e364706816aba3e25717850c26c9cd0d89d");
}

static void encodes_and_decodes(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *text;
	} rows[] = {
		{"", 0, ""},
		{"f", 1, "Zg=="},
		{"fo", 2, "Zm8="},
		{"foo", 3, "Zm9v"},
		{"a\0\xff\xfe", 4, "YQD//g=="},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(free) char *text = codec_base64(rows[i].bytes, rows[i].len);
		size_t len = 99;
		CLEANUP(free) char *bytes = codec_unbase64(rows[i].text, &len);

		ROW("%s", rows[i].text);
		assert_string_equal(text, rows[i].text);
		assert_non_null(bytes);
		assert_int_equal(len, rows[i].len);
		assert_memory_equal(bytes, rows[i].bytes, len + 1);
	}
}

static void refuses_what_is_not_base64(void **state)
{
	static const char *const rows[] = {
		"Z", "Zg", "Zg=", "Zg*=", "====", "Z===", "Zm9v=", "Zm 9"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len;
		CLEANUP(free) char *bytes = codec_unbase64(rows[i], &len);

		ROW("'%s'", rows[i]);
		assert_null(bytes);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes),
		cmocka_unit_test(encodes_and_decodes),
		cmocka_unit_test(refuses_what_is_not_base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
