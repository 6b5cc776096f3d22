/* SPDX-License-Identifier: MIT */
/* The thread of a handle, which makes etcd agree with the wanted set. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "registry_private.h"

static struct update *take_updates(struct etcdreg *reg)
{
	struct update *updates = reg->first;

	reg->first = NULL;
	reg->last = &reg->first;
	return updates;
}

static void apply_updates(struct etcdreg *reg, struct update *update)
{
	while (update) {
		struct update *next = update->next;

		reconcile_apply(reg->reconcile, update->service);
		free(update);
		update = next;
	}
}

/* Tells those who wait how the latest step ended.  The caller holds the lock. */
static void publish(struct etcdreg *reg)
{
	reg->settled = !reg->first && reconcile_is_settled(reg->reconcile);
	reg->err = *reconcile_error(reg->reconcile);
	pthread_cond_broadcast(&reg->progress);
}

static bool is_finished(const struct etcdreg *reg)
{
	return reg->abandoned ||
	       (reg->closing && !reg->first && reconcile_is_empty(reg->reconcile));
}

/* Returns early if registry_wake_thread() is called, or if the watch on the keys has an event. */
static void rest_until(struct etcdreg *reg, uint64_t next)
{
	uint64_t now = now_ms();

	if (next > now)
		cluster_wait(session_cluster(reg->session), next - now);
}

/* The caller holds the lock.  It is released during each step. */
static void work(struct etcdreg *reg)
{
	bool leaving = false;

	while (!is_finished(reg)) {
		struct update *updates = take_updates(reg);
		bool closing = reg->closing;
		uint64_t next;

		pthread_mutex_unlock(&reg->lock);
		apply_updates(reg, updates);
		if (closing && !leaving)
			reconcile_leave_all(reg->reconcile);
		leaving = closing;
		next = reconcile_step(reg->reconcile);
		pthread_mutex_lock(&reg->lock);
		publish(reg);
		if (reg->first || reg->closing != leaving || is_finished(reg))
			continue;
		pthread_mutex_unlock(&reg->lock);
		rest_until(reg, next);
		pthread_mutex_lock(&reg->lock);
	}
}

static void *run(void *arg)
{
	struct etcdreg *reg = arg;

	pthread_mutex_lock(&reg->lock);
	work(reg);
	reg->stopped = true;
	pthread_cond_broadcast(&reg->progress);
	pthread_mutex_unlock(&reg->lock);
	return NULL;
}

int registry_start_thread(struct etcdreg *reg, struct etcdreg_err *err)
{
	sigset_t all, old;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&reg->thread, NULL, run, reg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r != 0)
		return err_set(err, ETCDREG_E_SYSTEM,
			       "cannot start a thread: %s; check the limit of processes",
			       strerror(r));
	pthread_setname_np(reg->thread, "etcd-registry");
	return 0;
}

void registry_wake_thread(struct etcdreg *reg)
{
	cluster_wake(session_cluster(reg->session));
}

bool registry_wait_for_progress(struct etcdreg *reg, uint64_t deadline)
{
	struct timespec ts = {
		.tv_sec = (time_t)(deadline / 1000),
		.tv_nsec = (long)(deadline % 1000) * 1000000,
	};

	return pthread_cond_timedwait(&reg->progress, &reg->lock, &ts) == 0;
}

void registry_stop_thread(struct etcdreg *reg, unsigned timeout_ms)
{
	uint64_t deadline = now_ms() + timeout_ms;

	pthread_mutex_lock(&reg->lock);
	reg->closing = true;
	reg->abandoned = timeout_ms == 0;
	registry_wake_thread(reg);
	while (!reg->stopped && !reg->abandoned && registry_wait_for_progress(reg, deadline))
		continue;
	reg->abandoned = true;
	pthread_mutex_unlock(&reg->lock);
	cluster_interrupt(session_cluster(reg->session));
	pthread_join(reg->thread, NULL);
}
