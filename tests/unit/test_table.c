/* SPDX-License-Identifier: MIT */
/* Tests of agent/keeper/table.c. */
#include "test.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/keeper/table.h"
#include "lib/base/array.h"

static struct table *table;

static int set_up(void **state)
{
	(void)state;
	table = table_new();
	assert_non_null(table);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	table_free(table);
	return 0;
}

static void is_empty_at_first(void **state)
{
	size_t len = 1;

	(void)state;
	(void)table_read(table, &len);
	assert_int_equal(len, 0);
	for (size_t i = 0; i < LEASES_MAX; i++)
		assert_int_equal(table_leases(table)->ids[i], 0);
}

static void has_what_was_written_last(void **state)
{
	static const char *const texts[] = {"first", "second and longer", "3rd"};
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_true(table_write(table, texts[i], strlen(texts[i])));
		assert_memory_equal(table_read(table, &len), texts[i], strlen(texts[i]));
		assert_int_equal(len, strlen(texts[i]));
	}
}

static void keeps_nothing_of_what_is_too_long(void **state)
{
	char *long_text = calloc(1, TABLE_MAX + 1);
	size_t len;

	(void)state;
	assert_non_null(long_text);
	assert_true(table_write(table, "short", 5));
	assert_true(table_write(table, long_text, TABLE_MAX));
	assert_false(table_write(table, long_text, TABLE_MAX + 1));
	(void)table_read(table, &len);
	assert_int_equal(len, 0);
	free(long_text);
}

static void write_for_ever(char *text, size_t len)
{
	for (char c = 'a';; c = c == 'z' ? 'a' : (char)(c + 1)) {
		memset(text, c, len);
		(void)table_write(table, text, len);
		leases_add(table_leases(table), c);
		leases_remove(table_leases(table), c);
	}
}

/* If the writer is killed at any moment, the table holds one whole snapshot, of a single letter. */
static void is_whole_whenever_its_writer_is_killed(void **state)
{
	enum { LEN = 1 << 18, TIMES = 50 };
	static char text[LEN];

	(void)state;
	for (useconds_t i = 0; i < TIMES; i++) {
		pid_t pid = fork();
		const char *bytes;
		size_t len;

		if (pid == 0)
			write_for_ever(text, LEN);
		assert_true(pid > 0);
		usleep(2000 + i * 37);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		bytes = table_read(table, &len);
		assert_true(len == 0 || len == LEN);
		for (size_t at = 1; at < len; at++)
			if (bytes[at] != bytes[0])
				fail_msg("byte %zu is of another snapshot, in round %u", at, i);
	}
}

static void leases_are_written_down_and_struck_out(void **state)
{
	struct leases *leases = table_leases(table);

	(void)state;
	for (int64_t id = 1; id <= LEASES_MAX + 1; id++)
		leases_add(leases, id);
	assert_int_equal(leases->ids[LEASES_MAX - 1], LEASES_MAX);
	leases_remove(leases, 7);
	leases_remove(leases, LEASES_MAX + 1);
	assert_int_equal(leases->ids[6], 0);
	leases_add(leases, 99);
	assert_int_equal(leases->ids[6], 99);
	leases_add(NULL, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_empty_at_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(has_what_was_written_last, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keeps_nothing_of_what_is_too_long, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(is_whole_whenever_its_writer_is_killed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(leases_are_written_down_and_struck_out, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
