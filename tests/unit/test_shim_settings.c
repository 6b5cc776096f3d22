/* SPDX-License-Identifier: MIT */
/*
 * Tests of the preload object's settings.  A process reads them once, so each case runs in a child.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef BINDIR
#define BINDIR "/usr/local/bin"
#endif
#include "shim/settings.c"
#include "shim_text.h"

#define OUTPUT_MAX 8192

const char *symbols_getenv(const char *name)
{
	return getenv(name);
}

bool symbols_secure(void)
{
	return getenv("TEST_SECURE") != NULL;
}

const char *linkmap_own_path(void)
{
	return "/opt/registry/lib/libetcd-registry-preload.so";
}

/* Prints every setting that a test checks, one per line. */
static void print_settings(FILE *out)
{
	char name_storage[108] = "", block_storage[4096];
	struct text name = TEXT_OF(name_storage), block = TEXT_OF(block_storage);

	if (!settings_active()) {
		fprintf(out, "inert\n");
		return;
	}
	settings_agent_name(&name);
	settings_service_block(&block);
	fprintf(out, "name %s\nerror %s\nudp %d\nwait %u\nexit %u\n", name_storage,
		settings_error() ? settings_error() : "none", settings_want_udp(),
		settings_wait_ms(), settings_exit_timeout_ms());
	fprintf(out, "thread %d\ninherited %u\n", settings_thread(), settings_inherited());
	for (char *const *e = settings_agent_environment(); *e; e++)
		fprintf(out, "agent %s\n", *e);
	for (size_t at = 0; at < block.len; at += strlen(block.s + at) + 1)
		fprintf(out, "service %s\n", block.s + at);
	for (const char *const *f = settings_agent_files(); *f; f++)
		fprintf(out, "file %s\n", *f);
}

/*
 * Returns the settings of a process with exactly this environment.  The text is static, and valid
 * until the next call but one.
 */
static const char *settings_of(const char *const *environment)
{
	static char outputs[2][OUTPUT_MAX];
	static int turn;
	char *output = outputs[turn ^= 1];
	int fds[2], status;
	size_t len;
	FILE *in;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		FILE *out = fdopen(fds[1], "w");

		environ = (char **)(uintptr_t)environment;
		print_settings(out);
		fclose(out);
		_exit(0);
	}
	close(fds[1]);
	in = fdopen(fds[0], "r");
	assert_non_null(in);
	len = fread(output, 1, OUTPUT_MAX - 1, in);
	output[len] = '\0';
	fclose(in);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return output;
}

#define SETTINGS(...) settings_of((const char *[]){__VA_ARGS__, NULL})
#define NAMED "ETCD_REGISTRY_NAME=web"

static void assert_has(const char *output, const char *line)
{
	char whole[512];

	assert_true(snprintf(whole, sizeof(whole), "%s\n", line) < (int)sizeof(whole));
	if (!strstr(output, whole))
		fail_msg("no line '%s' in:\n%s", line, output);
}

/* Returns whether both environments lead to the same agent. */
static bool same_agent(const char *a, const char *b)
{
	const char *end = strchr(a, '\n');

	assert_true(text_starts(a, "name etcd-registry/") && text_starts(b, "name etcd-registry/"));
	return strncmp(a, b, (size_t)(end - a) + 1) == 0;
}

static void is_inert_unless_asked(void **state)
{
	(void)state;
	assert_string_equal(SETTINGS("A=b"), "inert\n");
	assert_string_equal(SETTINGS("ETCD_REGISTRY_NAME="), "inert\n");
	assert_string_equal(SETTINGS(NAMED, "ETCD_REGISTRY_DISABLE=1"), "inert\n");
	assert_string_equal(SETTINGS(NAMED, "ETCD_REGISTRY_EXE=nginx"), "inert\n");
	assert_string_equal(SETTINGS(NAMED, "TEST_SECURE=1"), "inert\n");
}

static void is_active_when_asked(void **state)
{
	(void)state;
	assert_has(SETTINGS(NAMED), "error none");
	assert_has(SETTINGS(NAMED, "ETCD_REGISTRY_DISABLE=0"), "error none");
	assert_has(SETTINGS(NAMED, "ETCD_REGISTRY_EXE=test_shim_*"), "error none");
}

static void reads_its_own_numbers(void **state)
{
	const char *s =
		SETTINGS(NAMED, "ETCD_REGISTRY_WAIT=200ms", "ETCD_REGISTRY_EXIT_TIMEOUT=1.5");

	(void)state;
	assert_has(s, "wait 200");
	assert_has(s, "exit 1500");
	assert_has(SETTINGS(NAMED), "wait 0");
	assert_has(SETTINGS(NAMED), "exit 1000");
}

static void names_a_number_that_is_none(void **state)
{
	(void)state;
	assert_non_null(strstr(SETTINGS(NAMED, "ETCD_REGISTRY_WAIT=soon"),
			       "error etcd-registry: "
			       "ETCD_REGISTRY_WAIT is not a time"));
	assert_non_null(strstr(SETTINGS(NAMED, "ETCD_REGISTRY_EXIT_TIMEOUT=61"),
			       "error etcd-registry: "
			       "ETCD_REGISTRY_EXIT_TIMEOUT is not a time"));
}

static void wants_a_thread_unless_told_not_to(void **state)
{
	(void)state;
	assert_has(SETTINGS(NAMED), "thread 1");
	assert_has(SETTINGS(NAMED, "ETCD_REGISTRY_THREAD=1"), "thread 1");
	assert_has(SETTINGS(NAMED, "ETCD_REGISTRY_THREAD=0"), "thread 0");
	assert_has(SETTINGS(NAMED, "ETCD_REGISTRY_THREAD=false"), "thread 0");
}

/* The child's pid is not known in advance.  So only settings for another pid can be tested here. */
static void takes_no_descriptors_that_are_not_for_it(void **state)
{
	(void)state;
	assert_has(SETTINGS(NAMED), "inherited 0");
	assert_has(SETTINGS(NAMED, "LISTEN_PID=1", "LISTEN_FDS=1"), "inherited 0");
	assert_has(SETTINGS(NAMED, "LISTEN_FDS=1"), "inherited 0");
	assert_has(SETTINGS(NAMED, "LISTEN_PID=x", "LISTEN_FDS=1"), "inherited 0");
}

static void sees_that_udp_is_asked_for(void **state)
{
	(void)state;
	assert_has(SETTINGS("ETCD_REGISTRY_NAME=web:80,dns:53/udp"), "udp 1");
	assert_has(SETTINGS("ETCD_REGISTRY_NAME=web:80/tcp"), "udp 0");
}

static void gives_each_its_own_settings(void **state)
{
	const char *s =
		SETTINGS(NAMED, "ETCD_REGISTRY_URL=http://e:1", "ETCD_REGISTRY_HOST=10.0.0.1",
			 "ETCD_REGISTRY_WAIT=0", "LD_PRELOAD=x", "SECRET_OF_THE_HOST=y", "TZ=UTC");

	(void)state;
	assert_has(s, "agent ETCD_REGISTRY_URL=http://e:1");
	assert_has(s, "agent TZ=UTC");
	assert_has(s, "service ETCD_REGISTRY_NAME=web");
	assert_has(s, "service ETCD_REGISTRY_HOST=10.0.0.1");
	assert_null(strstr(s, "agent ETCD_REGISTRY_NAME"));
	assert_null(strstr(s, "agent ETCD_REGISTRY_HOST"));
	assert_null(strstr(s, "LD_PRELOAD"));
	assert_null(strstr(s, "SECRET_OF_THE_HOST"));
	assert_null(strstr(s, "service ETCD_REGISTRY_URL"));
}

static void reads_etcdctls_variables_where_its_own_are_not_set(void **state)
{
	(void)state;
	assert_has(SETTINGS(NAMED, "ETCDCTL_ENDPOINTS=e:1"), "agent ETCD_REGISTRY_URL=e:1");
	assert_has(SETTINGS(NAMED, "ETCDCTL_ENDPOINTS=e:1", "ETCD_REGISTRY_URL=e:2"),
		   "agent ETCD_REGISTRY_URL=e:2");
}

static void shares_an_agent_for_the_same_registry(void **state)
{
	(void)state;
	assert_true(same_agent(SETTINGS(NAMED), SETTINGS("ETCD_REGISTRY_NAME=other")));
	assert_true(same_agent(SETTINGS(NAMED), SETTINGS(NAMED, "ETCD_REGISTRY_HOST=10.0.0.1")));
	assert_true(same_agent(SETTINGS(NAMED),
			       SETTINGS(NAMED, "ETCD_REGISTRY_URL=http://127.0.0.1:2379")));
}

static void uses_another_agent_for_another_registry(void **state)
{
	(void)state;
	assert_false(same_agent(SETTINGS(NAMED), SETTINGS(NAMED, "ETCD_REGISTRY_URL=http://e:1")));
	assert_false(same_agent(SETTINGS(NAMED), SETTINGS(NAMED, "ETCD_REGISTRY_TTL=20")));
	assert_false(same_agent(SETTINGS(NAMED), SETTINGS(NAMED, "ETCD_REGISTRY_USER=u")));
	assert_false(same_agent(SETTINGS(NAMED, "ETCD_REGISTRY_CERT=a", "ETCD_REGISTRY_KEY=b"),
				SETTINGS(NAMED, "ETCD_REGISTRY_CERT=ab", "ETCD_REGISTRY_KEY=")));
}

static void names_no_agent_by_a_password(void **state)
{
	(void)state;
	assert_true(same_agent(SETTINGS(NAMED, "ETCD_REGISTRY_PASSWORD=a"),
			       SETTINGS(NAMED, "ETCD_REGISTRY_PASSWORD=b")));
	assert_true(same_agent(SETTINGS(NAMED, "ETCD_REGISTRY_USER=u:a"),
			       SETTINGS(NAMED, "ETCD_REGISTRY_USER=u:b")));
	assert_true(same_agent(SETTINGS(NAMED, "ETCD_REGISTRY_URL=https://u:a@e:1/n"),
			       SETTINGS(NAMED, "ETCD_REGISTRY_URL=https://u:b@e:1/n")));
	assert_false(same_agent(SETTINGS(NAMED, "ETCD_REGISTRY_URL=https://u:a@e:1/n"),
				SETTINGS(NAMED, "ETCD_REGISTRY_URL=https://u:a@e:2/n")));
	assert_false(same_agent(SETTINGS(NAMED, "ETCD_REGISTRY_URL=https://u:a@e:1"),
				SETTINGS(NAMED, "ETCD_REGISTRY_URL=https://v:a@e:1")));
}

static void looks_for_the_agent_in_order(void **state)
{
	(void)state;
	assert_non_null(strstr(SETTINGS(NAMED), "file /opt/registry/lib/etcd-registry\n"
						"file /opt/registry/lib/../bin/etcd-registry\n"
						"file /opt/registry/lib/../../bin/etcd-registry\n"
						"file " BINDIR "/etcd-registry\n"));
	assert_has(SETTINGS(NAMED, "ETCD_REGISTRY_AGENT_BIN=/x/y"), "file /x/y");
	assert_null(strstr(SETTINGS(NAMED, "ETCD_REGISTRY_AGENT_BIN=/x/y"), "registry/lib"));
}

/* Settings that do not fit into their memory are refused. */
static void refuses_settings_without_end(void **state)
{
	static char meta[STORAGE_LEN + 64] = "ETCD_REGISTRY_META=";

	(void)state;
	memset(meta + strlen(meta), 'x', sizeof(meta) - strlen(meta) - 1);
	assert_non_null(strstr(SETTINGS(NAMED, meta), "settings are too long"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_inert_unless_asked),
		cmocka_unit_test(is_active_when_asked),
		cmocka_unit_test(reads_its_own_numbers),
		cmocka_unit_test(names_a_number_that_is_none),
		cmocka_unit_test(wants_a_thread_unless_told_not_to),
		cmocka_unit_test(takes_no_descriptors_that_are_not_for_it),
		cmocka_unit_test(sees_that_udp_is_asked_for),
		cmocka_unit_test(gives_each_its_own_settings),
		cmocka_unit_test(reads_etcdctls_variables_where_its_own_are_not_set),
		cmocka_unit_test(shares_an_agent_for_the_same_registry),
		cmocka_unit_test(uses_another_agent_for_another_registry),
		cmocka_unit_test(names_no_agent_by_a_password),
		cmocka_unit_test(looks_for_the_agent_in_order),
		cmocka_unit_test(refuses_settings_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
