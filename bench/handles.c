/* SPDX-License-Identifier: MIT */
/*
 * handles HANDLES SERVICES [TTL_S] - opens HANDLES handles of the library, on the registry that the
 * environment names, and joins SERVICES services through each, as that many machines would.  All
 * machines have the same names, each at its own address.  When every service is in etcd, it prints
 * the nanoseconds that this took.  On each SIGUSR1 it prints one line: how many services were
 * registered and lost, and how many errors and failovers there were since the start, then the
 * latest error.  SIGTERM takes everything out; it then prints the nanoseconds that this took, and
 * ends.
 */
#include "host.h"
#include "lib/etcd-registry.h"

#include <err.h>
#include <pthread.h>
#include <stdatomic.h>

#define CLOSE_MS 60000
#define FIRST_PORT 10000
#define HOSTNAME_LEN 16

struct counts {
	atomic_ulong registered, lost, errors, failovers;
};

static struct counts counts;
static pthread_mutex_t latest_lock = PTHREAD_MUTEX_INITIALIZER;
static struct etcdreg_err latest; /* protected by latest_lock */

static void note_error(const struct etcdreg_err *error)
{
	counts.errors++;
	pthread_mutex_lock(&latest_lock);
	latest = *error;
	pthread_mutex_unlock(&latest_lock);
}

static void on_event(const struct etcdreg_event *event, void *unused)
{
	(void)unused;
	if (event->type == ETCDREG_REGISTERED)
		counts.registered++;
	else if (event->type == ETCDREG_LOST)
		counts.lost++;
	else if (event->type == ETCDREG_FAILOVER)
		counts.failovers++;
	else if (event->type == ETCDREG_RETRYING)
		note_error(event->err);
}

static void print_counts(void)
{
	pthread_mutex_lock(&latest_lock);
	printf("%lu %lu %lu %lu %s\n", counts.registered, counts.lost, counts.errors,
	       counts.failovers, latest.msg);
	fflush(stdout);
	pthread_mutex_unlock(&latest_lock);
}

static struct etcdreg *open_handle(unsigned ttl_s)
{
	const struct etcdreg_options options = {
		.size = sizeof(options), .ttl_s = ttl_s, .on_event = on_event};
	struct etcdreg_err error;
	struct etcdreg *handle;

	if (etcdreg_open(&options, &handle, &error) < 0)
		errx(3, "%s", error.msg);
	return handle;
}

static void join_services(struct etcdreg *handle, size_t machine, size_t count)
{
	char hostname[HOSTNAME_LEN], name[32];
	struct etcdreg_service service = {
		.size = sizeof(service), .name = name, .hostname = hostname};
	struct etcdreg_err error;

	snprintf(hostname, sizeof(hostname), "10.0.%u.%u", (unsigned)(machine / 250 % 250),
		 (unsigned)(machine % 250 + 1));
	for (size_t i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "service-%zu", i);
		service.port = FIRST_PORT + (unsigned)i;
		if (etcdreg_join(handle, &service, &error) < 0)
			errx(3, "%s", error.msg);
	}
}

static void wait_registered(struct etcdreg **handles, size_t len)
{
	for (size_t i = 0; i < len; i++)
		while (etcdreg_wait(handles[i], CLOSE_MS, NULL) < 0)
			;
}

static void print_ns(uint64_t begin_ns)
{
	printf("%llu\n", (unsigned long long)(host_now_ns() - begin_ns));
	fflush(stdout);
}

/* Closes the handles side by side, as if all the machines were switched off. */
static void *close_handle(void *handle)
{
	etcdreg_close(handle, CLOSE_MS);
	return NULL;
}

static void close_all(struct etcdreg **handles, size_t len)
{
	pthread_t *threads = calloc(len, sizeof(*threads));

	for (size_t i = 0; threads && i < len; i++)
		if (pthread_create(&threads[i], NULL, close_handle, handles[i]) != 0)
			errx(1, "pthread_create");
	for (size_t i = 0; threads && i < len; i++)
		pthread_join(threads[i], NULL);
	free(threads);
}

static void answer_signals(const sigset_t *set)
{
	int signal;

	while (sigwait(set, &signal) == 0 && signal != SIGTERM)
		print_counts();
}

int main(int argc, char **argv)
{
	size_t len = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	size_t services = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	unsigned ttl_s = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
	struct etcdreg **handles = calloc(len + 1, sizeof(struct etcdreg *));
	sigset_t set;
	uint64_t begin;

	if (len == 0 || services == 0 || !handles)
		errx(2, "usage: handles HANDLES SERVICES [TTL_S]");
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	begin = host_now_ns();
	for (size_t i = 0; i < len; i++)
		handles[i] = open_handle(ttl_s);
	for (size_t i = 0; i < len; i++)
		join_services(handles[i], i, services);
	wait_registered(handles, len);
	print_ns(begin);
	answer_signals(&set);
	begin = host_now_ns();
	close_all(handles, len);
	print_ns(begin);
	free(handles);
	return 0;
}
