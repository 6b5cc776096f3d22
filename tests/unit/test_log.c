/* SPDX-License-Identifier: MIT */
/* The agent's log: its destinations, its content, and the settings that it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/log.h"

struct folder {
	char path[64], file[96], spec[128], text[4096];
};

static int set_up(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	*state = folder;
	if (!folder)
		return -1;
	strcpy(folder->path, "/tmp/test-log-XXXXXX");
	if (!mkdtemp(folder->path))
		return -1;
	(void)snprintf(folder->file, sizeof(folder->file), "%s/log", folder->path);
	return 0;
}

static int tear_down(void **state)
{
	struct folder *folder = *state;

	log_close();
	(void)unlink(folder->file);
	(void)rmdir(folder->path);
	free(folder);
	return 0;
}

static void open_at(struct folder *folder, const char *level)
{
	(void)snprintf(folder->spec, sizeof(folder->spec), "%s:%s", level, folder->file);
	assert_int_equal(log_open(folder->spec, NULL), 0);
}

static const char *content(struct folder *folder)
{
	FILE *file = fopen(folder->file, "re");

	assert_non_null(file);
	folder->text[fread(folder->text, 1, sizeof(folder->text) - 1, file)] = '\0';
	fclose(file);
	return folder->text;
}

static void levels_are_obeyed(void **state)
{
	struct folder *folder = *state;

	open_at(folder, "info");
	log_error("one %d", 1);
	log_warn("two");
	log_info("three");
	log_debug("four");
	assert_non_null(strstr(content(folder), "error: one 1\n"));
	assert_non_null(strstr(folder->text, "warn: two\n"));
	assert_non_null(strstr(folder->text, "info: three\n"));
	assert_null(strstr(folder->text, "four"));
	open_at(folder, "off");
	log_error("five");
	assert_null(strstr(content(folder), "five"));
}

static void an_event_is_one_line(void **state)
{
	struct folder *folder = *state;

	open_at(folder, "warn");
	log_warn("a\nb\x1b[31m");
	assert_non_null(strstr(content(folder), "warn: a?b?[31m\n"));
}

static void a_file_that_was_moved_away_is_opened_anew(void **state)
{
	struct folder *folder = *state;

	open_at(folder, "warn");
	log_warn("old");
	assert_int_equal(unlink(folder->file), 0);
	log_warn("lost");
	log_reopen();
	log_warn("new");
	assert_null(strstr(content(folder), "lost"));
	assert_non_null(strstr(folder->text, "new"));
}

static void what_is_wrong_is_quoted(void **state)
{
	static const struct {
		const char *spec, *quoted;
	} cases[] = {
		{"loud", "'loud'"},       {"", "''"},
		{"warning", "'warning'"}, {"warn:log.txt", "'log.txt'"},
		{"warn:", "''"},          {":/tmp/log", "''"},
	};
	struct etcdreg_err err;

	(void)state;
	assert_int_equal(log_open("warn:/nonexistent/log", &err), ETCDREG_E_SYSTEM);
	assert_non_null(strstr(err.msg, "/nonexistent/log"));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(log_open(cases[i].spec, &err), ETCDREG_E_CONFIG);
		if (!strstr(err.msg, cases[i].quoted))
			fail_msg("'%s' is not in '%s'", cases[i].quoted, err.msg);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(levels_are_obeyed),
		TEST(an_event_is_one_line),
		TEST(a_file_that_was_moved_away_is_opened_anew),
		TEST(what_is_wrong_is_quoted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
