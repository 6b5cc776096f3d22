/* SPDX-License-Identifier: MIT */
/*
 * starts ROUNDS VARIANT... -- COMMAND... - starts COMMAND once for each VARIANT, in each of ROUNDS
 * rounds.  A VARIANT is a list of NAME=VALUE, separated by spaces, that is added to the
 * environment.  Each round begins with the next variant.  It prints one line: for each variant, in
 * the order of the command line, the nanoseconds from before the start until the program was waited
 * for.
 */
#define _GNU_SOURCE
#include "host.h"

#include <err.h>
#include <spawn.h>
#include <sys/wait.h>

#define VARIANTS_MAX 16
#define VARIABLES_MAX 16

struct variant {
	char **environment;
	uint64_t took_ns;
};

static size_t count_variables(void)
{
	size_t count = 0;

	while (environ[count])
		count++;
	return count;
}

static char **make_environment(char *variables)
{
	size_t count = count_variables(), most = count + VARIABLES_MAX;
	char **environment = calloc(most + 1, sizeof(*environment)), *rest;

	if (!environment)
		err(1, "calloc");
	memcpy(environment, environ, count * sizeof(*environment));
	for (char *one = strtok_r(variables, " ", &rest); one; one = strtok_r(NULL, " ", &rest)) {
		if (count == most)
			errx(2, "more than %d variables", VARIABLES_MAX);
		environment[count++] = one;
	}
	return environment;
}

static uint64_t start_once(char **command, char **environment)
{
	uint64_t begin = host_now_ns();
	pid_t pid;
	int status;

	if (posix_spawn(&pid, command[0], NULL, NULL, command, environment) != 0 ||
	    waitpid(pid, &status, 0) != pid || status != 0)
		errx(1, "cannot run %s", command[0]);
	return host_now_ns() - begin;
}

static void run_round(struct variant *variants, size_t len, size_t first, char **command)
{
	for (size_t i = 0; i < len; i++) {
		struct variant *variant = &variants[(first + i) % len];

		variant->took_ns = start_once(command, variant->environment);
	}
	for (size_t i = 0; i < len; i++)
		printf("%llu%c", (unsigned long long)variants[i].took_ns, i + 1 < len ? ' ' : '\n');
}

int main(int argc, char **argv)
{
	struct variant variants[VARIANTS_MAX];
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	size_t len = 0;
	int i = 2;

	for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (len == VARIANTS_MAX)
			errx(2, "more than %d variants", VARIANTS_MAX);
		variants[len++].environment = make_environment(argv[i]);
	}
	if (len == 0 || i + 1 >= argc)
		errx(2, "usage: starts ROUNDS VARIANT... -- COMMAND...");
	for (size_t round = 0; round < rounds; round++)
		run_round(variants, len, round % len, argv + i + 1);
	return 0;
}
