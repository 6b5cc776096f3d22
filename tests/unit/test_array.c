/* SPDX-License-Identifier: MIT */
/* Tests of lib/base/array.h. */
#include "test.h"

#include "lib/base/array.h"
#include "lib/base/cleanup.h"

static bool memory_is_out;

/* In the place of the libc's, for ARRAY_RESERVE. */
#define reallocarray(all, len, size) (memory_is_out ? NULL : reallocarray(all, len, size))

static void grows_and_keeps_what_it_has(void **state)
{
	CLEANUP(free) unsigned *all = NULL;
	size_t cap = 0, len = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		if (!ARRAY_RESERVE(all, cap, len))
			fail();
		else
			all[len++] = i;
		assert_true(len <= cap);
	}
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(all[i], i);
}

static void does_not_move_while_there_is_room(void **state)
{
	CLEANUP(free) char *all = NULL;
	size_t cap = 0, len = 0;
	char *first;

	(void)state;
	assert_true(ARRAY_RESERVE(all, cap, len));
	for (first = all; len < cap; len++) {
		assert_true(ARRAY_RESERVE(all, cap, len));
		assert_ptr_equal(all, first);
	}
}

static void changes_nothing_without_memory(void **state)
{
	CLEANUP(free) int *all = NULL;
	size_t cap = 0, len = 0;
	int *before;

	(void)state;
	memory_is_out = true;
	assert_false(ARRAY_RESERVE(all, cap, len));
	assert_null(all);
	assert_int_equal(cap, 0);
	memory_is_out = false;
	assert_true(ARRAY_RESERVE(all, cap, len));
	before = all;
	memory_is_out = true;
	len = cap;
	assert_false(ARRAY_RESERVE(all, cap, len));
	assert_ptr_equal(all, before);
	assert_int_equal(cap, len);
	memory_is_out = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_keeps_what_it_has),
		cmocka_unit_test(does_not_move_while_there_is_room),
		cmocka_unit_test(changes_nothing_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
