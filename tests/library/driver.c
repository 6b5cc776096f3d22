/* SPDX-License-Identifier: MIT */
/*
 * driver - a program that uses the library as etcd-registry.h says.  Its standard input tells it
 * what to do.  Its settings come from the environment.
 *
 *   join NAME PORT | leave NAME PORT    says "done CODE"
 *   wait MS                             says "done CODE"
 *   lookup NAME TIMES                   says "picked PORT COUNT" for each port that it got
 *   fork                                a child that returns from main(), one that calls _exit()
 *   close MS                            says "closed MILLISECONDS", and ends
 *
 * Each event is a line: "event TYPE NAME TEXT".  After REGISTERED of a service "first" the callback
 * joins "second" on the next port.
 */
#define _GNU_SOURCE
#include <etcd-registry.h>

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PORTS 65536

static struct etcdreg *reg;

static void tell_event(const struct etcdreg_event *event, void *arg)
{
	static const char *const types[] = {"registered", "lost", "left",
					    "retrying",   "up",   "failover"};
	const struct etcdreg_service *service = event->service;

	(void)arg;
	printf("event %s %s %s\n", types[event->type], service ? service->name : "-",
	       event->err ? event->err->msg : "");
	if (service && event->type == ETCDREG_REGISTERED && strcmp(service->name, "first") == 0) {
		struct etcdreg_service second = *service;

		second.name = "second";
		second.port++;
		(void)etcdreg_join(reg, &second, NULL);
	}
}

static void tell_result(int r)
{
	printf("done %d\n", r);
}

static void look_up(const char *name, unsigned times)
{
	static unsigned picked[PORTS];

	memset(picked, 0, sizeof(picked));
	while (times-- > 0) {
		struct etcdreg_entry *entry;
		struct etcdreg_err err;

		if (etcdreg_lookup(reg, name, &entry, &err) < 0) {
			printf("failed %d %s\n", err.code, err.msg);
			continue;
		}
		picked[entry->port]++;
		etcdreg_entry_free(entry);
	}
	for (unsigned port = 0; port < PORTS; port++) {
		if (picked[port] > 0)
			printf("picked %u %u\n", port, picked[port]);
	}
}

/* Returns true in the child that must return from main(). */
static bool fork_both(void)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		return true;
	waitpid(pid, &status, 0);
	if (status == 0) {
		pid = fork();
		if (pid == 0)
			_exit(0);
		waitpid(pid, &status, 0);
	}
	tell_result(status);
	return false;
}

static void end(unsigned timeout_ms)
{
	struct timespec before, after;

	clock_gettime(CLOCK_MONOTONIC, &before);
	etcdreg_close(reg, timeout_ms);
	clock_gettime(CLOCK_MONOTONIC, &after);
	printf("closed %" PRId64 "\n", (int64_t)(after.tv_sec - before.tv_sec) * 1000 +
					       (after.tv_nsec - before.tv_nsec) / 1000000);
}

/* Returns false after the last command. */
static bool obey(const char *line)
{
	struct etcdreg_service service = ETCDREG_SERVICE_INIT;
	char word[16], name[64], last[16] = "0";
	int fields = sscanf(line, "%15s %63s %15s", word, name, last);
	unsigned number = (unsigned)strtoul(last, NULL, 10);

	service.name = name;
	service.hostname = "127.0.0.1";
	service.port = number;
	if (fields == 3 && strcmp(word, "join") == 0)
		tell_result(etcdreg_join(reg, &service, NULL));
	else if (fields == 3 && strcmp(word, "leave") == 0)
		tell_result(etcdreg_leave(reg, &service, NULL));
	else if (fields == 3 && strcmp(word, "lookup") == 0)
		look_up(name, number);
	else if (fields == 2 && strcmp(word, "wait") == 0)
		tell_result(etcdreg_wait(reg, (unsigned)strtoul(name, NULL, 10), NULL));
	else if (fields == 1 && strcmp(word, "fork") == 0)
		return !fork_both();
	else if (fields == 2 && strcmp(word, "close") == 0)
		end((unsigned)strtoul(name, NULL, 10));
	return strcmp(word, "close") != 0;
}

int main(void)
{
	struct etcdreg_options options = ETCDREG_OPTIONS_INIT;
	struct etcdreg_err err;
	char line[128];

	setvbuf(stdout, NULL, _IOLBF, 0);
	options.on_event = tell_event;
	if (etcdreg_open(&options, &reg, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	while (fgets(line, sizeof(line), stdin) && obey(line))
		continue;
	return 0;
}
