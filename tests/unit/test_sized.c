/* SPDX-License-Identifier: MIT */
/* Tests of lib/registry/sized.c: one struct in three versions. */
#include "test.h"

#include <limits.h>

#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/registry/sized.h"

struct first {
	size_t size;
	const char *a;
};

struct second {
	size_t size;
	const char *a;
	unsigned b, c;
};

struct third {
	size_t size;
	const char *a;
	unsigned b, c;
	const char *d;
};

static const struct sized sized = {
	.name = "thing",
	.init = "THING_INIT",
	.size = sizeof(struct second),
	.first_size = SIZED_END(struct first, a),
};

static struct second known;

static int set_up(void **state)
{
	(void)state;
	memset(&known, 0xff, sizeof(known));
	return 0;
}

static void copies_a_struct_of_its_own_version(void **state)
{
	const struct second from = {sizeof(from), "a", 2, 3};

	(void)state;
	assert_int_equal(sized_copy(&sized, &from, &known, NULL), 0);
	assert_memory_equal(&known, &from, sizeof(known));
}

static void members_that_an_older_program_lacks_are_zero(void **state)
{
	const struct second behind = {SIZED_END(struct first, a), "a", 9, 9};

	(void)state;
	assert_int_equal(sized_copy(&sized, &behind, &known, NULL), 0);
	assert_int_equal(known.size, sizeof(struct first));
	assert_string_equal(known.a, "a");
	assert_int_equal(known.b, 0);
	assert_int_equal(known.c, 0);
}

static void a_copy_keeps_the_size_of_a_newer_program(void **state)
{
	const struct third from = {sizeof(from), "a", 2, 3, NULL};

	(void)state;
	assert_int_equal(sized_copy(&sized, &from, &known, NULL), 0);
	assert_int_equal(known.size, sizeof(from));
	assert_string_equal(known.a, "a");
	assert_int_equal(known.c, 3);
}

static void refuses_a_member_that_it_does_not_know(void **state)
{
	const struct third from = {sizeof(from), "a", 2, 3, "d"};
	struct etcdreg_err err = {0};

	(void)state;
	assert_int_equal(sized_copy(&sized, &from, &known, &err), ETCDREG_E_INVALID);
	assert_int_equal(err.code, ETCDREG_E_INVALID);
	assert_string_equal(err.msg,
			    "struct thing sets a member that library version " ETCDREG_VERSION
			    " does not have; use a newer library");
	assert_int_equal(known.b, UINT_MAX);
}

/* Only the size of each may be read: nothing follows it. */
static void refuses_sizes_of_no_version(void **state)
{
	static const size_t sizes[] = {0, 1, sizeof(struct first) - 1, SIZED_MAX + 1, SIZE_MAX};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		CLEANUP(free) size_t *from = malloc(sizeof(*from));
		struct etcdreg_err err = {0};
		char expected[100];

		ROW("%zu", sizes[i]);
		*from = sizes[i];
		snprintf(expected, sizeof(expected),
			 "struct thing has size %zu; initialise it with THING_INIT", sizes[i]);
		assert_int_equal(sized_copy(&sized, from, &known, &err), ETCDREG_E_INVALID);
		assert_string_equal(err.msg, expected);
	}
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(copies_a_struct_of_its_own_version),
		TEST(members_that_an_older_program_lacks_are_zero),
		TEST(a_copy_keeps_the_size_of_a_newer_program),
		TEST(refuses_a_member_that_it_does_not_know),
		TEST(refuses_sizes_of_no_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
