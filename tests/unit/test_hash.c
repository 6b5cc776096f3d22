/* SPDX-License-Identifier: MIT */
/* Tests of lib/base/hash.h. */
#include "test.h"

#include "lib/base/hash.h"

/* The values of the FNV reference, for "", "a" and "foobar". */
static void is_fnv_1a(void **state)
{
	(void)state;
	assert_true(hash_bytes(HASH_START, "", 0) == UINT64_C(0xcbf29ce484222325));
	assert_true(hash_bytes(HASH_START, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(hash_bytes(HASH_START, "foobar", 6) == UINT64_C(0x85944171f73967e8));
}

static void text_is_hashed_with_its_end(void **state)
{
	uint64_t ab = hash_text(HASH_START, "ab"), a = hash_text(HASH_START, "a");

	(void)state;
	assert_true(hash_text(ab, "c") != hash_text(a, "bc"));
	assert_true(hash_text(1, "") != hash_text(2, ""));
	assert_true(a == hash_bytes(HASH_START, "a", 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_fnv_1a),
		cmocka_unit_test(text_is_hashed_with_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
