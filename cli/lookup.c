/* SPDX-License-Identifier: MIT */
/* `etcd-registry lookup`: show one service of a name; with --wait, wait for one. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/random.h"
#include "lib/registry/entry.h"
#include "options.h"
#include "output.h"
#include "show.h"

#define LAST_WORD_MS 50 /* after the deadline, for the watch to report its own result */

struct wait {
	struct etcdreg_watch *watch;
	const char *name;
	unsigned time_ms;
	uint64_t deadline_ms;
};

static int keep(struct etcdreg_entry *kept, const struct etcdreg_entry *entry,
		struct etcdreg_err *err)
{
	entry_release(kept);
	return entry_read(entry->json, NULL, kept) == ENTRY_READ ? 0 : err_nomem(err);
}

/* Picks at random among the services that the watch finds at its start, else takes the new one. */
static int choose(struct etcdreg_watch *watch, const struct etcdreg_change *change,
		  struct etcdreg_entry *ret, struct etcdreg_err *err)
{
	for (size_t seen = 1;; seen++) {
		int r = random_below(seen) == 0 ? keep(ret, change->entry, err) : 0;

		if (r < 0)
			return r;
		if (etcdreg_watch_next(watch, 0, &change, NULL) < 0 ||
		    change->type != ETCDREG_FOUND)
			return 0;
	}
}

static unsigned time_left(const struct wait *wait)
{
	uint64_t now = now_ms();

	return now < wait->deadline_ms ? (unsigned)(wait->deadline_ms - now) : 0;
}

/* Waits until the deadline, also while etcd does not answer. */
static int await_service(const struct wait *wait, struct etcdreg_entry *ret,
			 struct etcdreg_err *err)
{
	const struct etcdreg_change *change;
	struct etcdreg_err told = {0};

	for (;;) {
		int r = etcdreg_watch_next(wait->watch, time_left(wait), &change, err);

		if (r == 0 && change->type != ETCDREG_REMOVED)
			return choose(wait->watch, change, ret, err);
		if (r == ETCDREG_E_TIMEOUT)
			return err_set(err, ETCDREG_E_NOTFOUND,
				       "no service '%s' appeared within %u ms", wait->name,
				       wait->time_ms);
		if (r == ETCDREG_E_STOPPED)
			return err_set(err, ETCDREG_E_UNREACH, "no answer from etcd within %u ms",
				       wait->time_ms);
		if (r < 0 && time_left(wait) == 0)
			return r;
		if (r < 0)
			output_retry(err, &told);
	}
}

/* Stops the watch after the deadline, so that a request which hangs ends too. */
static void *stop_in_time(void *arg)
{
	const struct wait *wait = arg;
	uint64_t end_ms = wait->deadline_ms + LAST_WORD_MS;
	struct timespec end = {
		.tv_sec = (time_t)(end_ms / 1000),
		.tv_nsec = (long)(end_ms % 1000) * 1000000,
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) == EINTR)
		;
	etcdreg_watch_stop(wait->watch);
	return NULL;
}

static int await_in_time(struct wait *wait, struct etcdreg_entry *ret, struct etcdreg_err *err)
{
	pthread_t thread;
	int r;

	wait->deadline_ms = now_ms() + wait->time_ms;
	r = pthread_create(&thread, NULL, stop_in_time, wait);
	if (r != 0)
		return err_set(err, ETCDREG_E_SYSTEM, "cannot create a thread: %s", strerror(r));
	r = await_service(wait, ret, err);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
	return r;
}

static int lookup_waiting(struct etcdreg *reg, const struct options *opts, struct etcdreg_err *err)
{
	CLEANUP(entry) struct etcdreg_entry entry = {0};
	struct wait wait = {.name = opts->operands[0], .time_ms = opts->wait_ms};
	int r = etcdreg_watch(reg, wait.name, &wait.watch, err);

	if (r == 0)
		r = await_in_time(&wait, &entry, err);
	etcdreg_watch_close(wait.watch);
	if (r == 0)
		show_one(opts, &entry);
	return r;
}

static int lookup_once(struct etcdreg *reg, const struct options *opts, struct etcdreg_err *err)
{
	struct etcdreg_entry *entry;
	int r = etcdreg_lookup(reg, opts->operands[0], &entry, err);

	if (r < 0)
		return r;
	show_one(opts, entry);
	etcdreg_entry_free(entry);
	return 0;
}

int lookup_command(struct options *opts)
{
	struct etcdreg *reg;
	struct etcdreg_err err;
	int r;

	r = options_open(opts, NULL, NULL, &reg, &err);
	if (r < 0)
		return output_error(&err);
	r = opts->wait_ms > 0 ? lookup_waiting(reg, opts, &err) : lookup_once(reg, opts, &err);
	etcdreg_close(reg, 0);
	return r < 0 ? output_error(&err) : STATUS_OK;
}
