/* SPDX-License-Identifier: MIT */
/* ender HOW - listens, and on SIGUSR1 ends in one of the ways in which a process can end. */
#define _GNU_SOURCE
#include "host.h"

#include <err.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#define OUTPUT_LEN (1 << 20)
#define WORKER_US 300000

static const char line[] = "a line.\n";

static void end_exit(int listener)
{
	(void)listener;
	exit(7);
}

static void end_at_once(int listener)
{
	(void)listener;
	_exit(7);
}

static void end_quickly(int listener)
{
	(void)listener;
	quick_exit(7);
}

static void end_abort(int listener)
{
	(void)listener;
	abort();
}

static void end_fault(int listener)
{
	volatile char *page = mmap(NULL, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)listener;
	*page = 1;
}

static void end_by_signal(int listener)
{
	(void)listener;
	kill(getpid(), SIGTERM);
	pause();
}

static void end_with_group(int listener)
{
	(void)listener;
	setpgid(0, 0);
	if (fork() == 0)
		pause();
	kill(0, SIGKILL);
	pause();
}

static void on_signal(int signal)
{
	(void)signal;
	exit(7); /* NOLINT(bugprone-signal-handler,cert-sig30-c): this call is the test */
}

static void end_in_handler(int listener)
{
	(void)listener;
	signal(SIGUSR2, on_signal);
	raise(SIGUSR2);
}

/* An exit handler that uses much of its thread's stack. */
static void print_much(void)
{
	char output[OUTPUT_LEN];

	for (size_t i = 0; i < sizeof(output); i += sizeof(line) - 1)
		memcpy(output + i, line, sizeof(line) - 1);
	fwrite(output, sizeof(output), 1, stdout);
}

static void end_thread(int listener)
{
	(void)listener;
	atexit(print_much);
	fputs("first\n", stdout);
	pthread_exit(NULL);
}

static void *live_a_little_longer(void *unused)
{
	usleep(WORKER_US);
	return unused;
}

static void end_before_a_worker(int listener)
{
	pthread_t thread;

	(void)listener;
	if (pthread_create(&thread, NULL, live_a_little_longer, NULL) != 0)
		errx(1, "pthread_create");
	pthread_exit(NULL);
}

static void *listen_for_ever(void *listener)
{
	while (listen(*(int *)listener, 16) == 0)
		;
	return NULL;
}

static void end_while_listening(int listener)
{
	static int shared;
	pthread_t thread;

	shared = listener;
	if (pthread_create(&thread, NULL, listen_for_ever, &shared) != 0)
		errx(1, "pthread_create");
	usleep(1000);
}

static const struct deed deeds[] = {
	{"exit", end_exit},
	{"_exit", end_at_once},
	{"quick_exit", end_quickly},
	{"abort", end_abort},
	{"fault", end_fault},
	{"signal", end_by_signal},
	{"group", end_with_group},
	{"handler", end_in_handler},
	{"pthread_exit", end_thread},
	{"worker", end_before_a_worker},
	{"return", end_while_listening},
};

int main(int argc, char **argv)
{
	const struct deed *deed =
		host_find(deeds, sizeof(deeds) / sizeof(*deeds), argc > 1 ? argv[1] : NULL);
	int listener;

	host_block();
	listener = host_listen(0, 0);
	host_print(host_port(listener));
	host_wait();
	deed->run(listener);
	return 0;
}
