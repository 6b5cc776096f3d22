/* SPDX-License-Identifier: MIT */
/* The lines of /proc/PID/status, as the object's thread reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/status.c"
#include "shim_text.h"

static const struct status some = {
	.text = "Name:\tweb\nUid:\t0\t65534\t7\t7\nGroups:\t12 34 \nCapEff:\t000001ffFFffffff\n",
};
static const struct status other = {
	.text = "Name:\tdb\nUid:\t0\t65534\t7\t7\nGroups:\t12 \nCapEff:\t000001fffeffffff",
};

static void test_value_is_that_of_the_whole_name(void **state)
{
	(void)state;
	assert_int_equal(strncmp(status_value(&some, "Uid"), "\t0", 2), 0);
	assert_null(status_value(&some, "Gid"));
	assert_null(status_value(&some, "Grou"));
	assert_null(status_value(&some, "ame"));
}

static void test_lines_are_compared_up_to_their_end(void **state)
{
	(void)state;
	assert_true(status_same(&some, &other, "Uid"));
	assert_false(status_same(&some, &other, "Name"));
	assert_false(status_same(&some, &other, "Groups"));
	assert_true(status_same(&some, &other, "NoNewPrivs"));
}

static void test_numbers_of_a_line(void **state)
{
	const char *at = status_value(&some, "Groups");
	uint64_t number;

	(void)state;
	assert_true(status_next(&at, 10, &number));
	assert_int_equal(number, 12);
	assert_true(status_next(&at, 10, &number));
	assert_int_equal(number, 34);
	assert_false(status_next(&at, 10, &number));
	assert_int_equal(status_number(&other, "CapEff", 16), 0x1fffeffffff);
	assert_int_equal(status_number(&some, "Seccomp", 10), 0);
}

static void test_file_is_read_again_from_its_beginning(void **state)
{
	static struct status status;
	int fd = open("/proc/self/status", O_RDONLY);

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_true(status_read(&status, fd));
		assert_int_equal(status_number(&status, "Pid", 10), getpid());
	}
	close(fd);
	assert_false(status_read(&status, fd));
	assert_string_equal(status.text, "");
	assert_false(status_read_at(&status, "/proc/self/no"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_value_is_that_of_the_whole_name),
		cmocka_unit_test(test_lines_are_compared_up_to_their_end),
		cmocka_unit_test(test_numbers_of_a_line),
		cmocka_unit_test(test_file_is_read_again_from_its_beginning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
