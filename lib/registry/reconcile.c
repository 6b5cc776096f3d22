/* SPDX-License-Identifier: MIT */
/* Makes etcd agree with a set of wanted services. */
#define _GNU_SOURCE
#include "reconcile.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "reconcile_private.h"

#define MEMBERS_MIN_MS 200
#define MEMBERS_MAX_MS 1000

struct reconcile *reconcile_new(struct session *session, etcdreg_event_fn *on_event,
				void *event_arg)
{
	struct reconcile *rec = calloc(1, sizeof(*rec));

	if (!rec)
		return NULL;
	rec->session = session;
	rec->on_event = on_event;
	rec->event_arg = event_arg;
	return rec;
}

void reconcile_free(struct reconcile *rec)
{
	if (!rec)
		return;
	wanted_release(&rec->wanted);
	free(rec);
}

void reconcile_apply(struct reconcile *rec, struct wanted_service *update)
{
	wanted_apply(&rec->wanted, update);
}

void reconcile_leave_all(struct reconcile *rec)
{
	wanted_leave_all(&rec->wanted);
	rec->leaving_all = true;
	if (rec->outage.retry_ms > rec->outage.failed_ms + OUTAGE_PROBE_MS)
		rec->outage.retry_ms = rec->outage.failed_ms + OUTAGE_PROBE_MS;
}

bool reconcile_is_settled(const struct reconcile *rec)
{
	return wanted_is_settled(&rec->wanted);
}

bool reconcile_is_empty(const struct reconcile *rec)
{
	return !rec->wanted.keys;
}

const struct etcdreg_err *reconcile_error(const struct reconcile *rec)
{
	return &rec->err;
}

/* Returns whether etcd as a whole failed, not one key. */
static bool is_outage(const struct reconcile *rec)
{
	return !cluster_answered(session_cluster(rec->session));
}

static void finish(struct reconcile *rec, struct wanted_service *s, int r,
		   const struct etcdreg_err *err)
{
	if (r < 0 && is_outage(rec)) {
		reconcile_go_down(rec, err);
		return;
	}
	reconcile_come_up(rec);
	if (r < 0)
		reconcile_back_off(rec, s, err);
}

static void put_service(struct reconcile *rec, struct wanted_service *s)
{
	struct etcdreg_err err;
	int r = rec->store->ops->put(rec->store, &s->key, &err);

	finish(rec, s, r, &err);
}

/* Returns false if the caller must try the first one alone. */
static bool try_together(struct reconcile *rec, store_many_fn *many,
			 const struct wanted_batch *batch, size_t *ret_done)
{
	struct etcdreg_err err;
	int r;

	*ret_done = 0;
	if (batch->len < 2 || !many)
		return false;
	r = many(rec->store, batch->keys, batch->len, ret_done, &err);
	if (r < 0)
		reconcile_go_down(rec, &err);
	else if (*ret_done > 0)
		reconcile_come_up(rec);
	return r < 0 || *ret_done > 0;
}

static void put(struct reconcile *rec, const struct wanted_batch *batch)
{
	size_t done;

	if (!try_together(rec, rec->store->ops->put_many, batch, &done))
		put_service(rec, wanted_service_of(batch->keys[0]));
	reconcile_tell_states(rec);
}

/* The service is out of etcd, or its handle never put it. */
static void let_go(struct reconcile *rec, struct wanted_service *s)
{
	reconcile_emit(rec, ETCDREG_LEFT, s, NULL);
	if (rec->store)
		rec->store->ops->forget(rec->store, &s->key);
	wanted_drop(&rec->wanted, s);
}

static void remove_service(struct reconcile *rec, struct wanted_service *s)
{
	struct etcdreg_err err;
	int r;

	if (s->key.unowned && s->key.expires_ms == 0)
		s->key.expires_ms = now_ms() + (uint64_t)rec->store->ttl_s * 1000;
	r = rec->store->ops->remove(rec->store, &s->key, &err);
	if (r < 0) {
		finish(rec, s, r, &err);
		return;
	}
	if (!is_outage(rec))
		reconcile_come_up(rec);
	let_go(rec, s);
}

static void remove_due(struct reconcile *rec, const struct wanted_batch *batch)
{
	size_t done;

	if (!try_together(rec, rec->store->ops->remove_many, batch, &done))
		remove_service(rec, wanted_service_of(batch->keys[0]));
	for (size_t i = 0; i < done; i++)
		let_go(rec, wanted_service_of(batch->keys[i]));
}

static void heartbeat(struct reconcile *rec)
{
	struct etcdreg_err err;
	int r = rec->store->ops->heartbeat(rec->store, rec->wanted.keys, &err);

	if (r < 0)
		reconcile_go_down(rec, &err);
	else if (!is_outage(rec))
		reconcile_come_up(rec);
	reconcile_tell_states(rec);
}

static void remove_all(struct reconcile *rec)
{
	struct etcdreg_err err;
	int r = rec->store->ops->remove_all(rec->store, rec->wanted.keys, &err);

	rec->leaving_all = r < 0 && is_outage(rec);
	if (rec->leaving_all)
		reconcile_go_down(rec, &err);
}

static int get_store(struct reconcile *rec, struct etcdreg_err *err)
{
	bool is_new = false;
	int r = session_store(rec->session, &rec->store, &is_new, err);

	if (r < 0)
		rec->store = NULL;
	else if (is_new)
		wanted_reset_keys(&rec->wanted);
	return r;
}

static void notice(struct reconcile *rec)
{
	if (!rec->store->ops->notice)
		return;
	rec->store->ops->notice(rec->store, rec->wanted.keys);
	reconcile_tell_states(rec);
}

/* Nothing is due before `next`.  Returns the time of the next step. */
static uint64_t rest(struct reconcile *rec, uint64_t next)
{
	uint64_t again = UINT64_MAX;

	if (rec->store && rec->store->ops->watch)
		again = rec->store->ops->watch(rec->store, rec->wanted.keys);
	return again < next ? again : next;
}

/* Returns whether a service joined or left since the latest attempt failed. */
static bool has_untold(const struct reconcile *rec)
{
	for (struct wanted_service *s = wanted_first(&rec->wanted); s; s = wanted_next(s)) {
		if (wanted_service_is_pending(s) && !s->told_down)
			return true;
	}
	return false;
}

static bool must_wait(struct reconcile *rec, uint64_t now)
{
	if (!rec->outage.lasts || now >= rec->outage.retry_ms)
		return false;
	if (!has_untold(rec))
		return true;
	if (now >= rec->outage.failed_ms + OUTAGE_PROBE_MS)
		return false;
	reconcile_tell_down(rec);
	return true;
}

/* A service that was never put needs no delete, so it can leave while etcd is down. */
static void drop_untouched(struct reconcile *rec)
{
	struct wanted_service *next;
	bool restored = session_is_restored(rec->session);

	for (struct wanted_service *s = wanted_first(&rec->wanted); s; s = next) {
		next = wanted_next(s);
		if (s->wanted || s->key.unowned || s->key.lease != 0 || s->key.expires_ms != 0)
			continue;
		if (restored)
			s->key.unowned = true;
		else
			let_go(rec, s);
	}
}

/* Nothing is due before `next`.  The request for the members gets at most half of that time. */
static uint64_t idle(struct reconcile *rec, uint64_t now, uint64_t next)
{
	uint64_t due = session_members_due_ms(rec->session);
	uint64_t again = rest(rec, next);
	uint64_t budget = (next - now) / 2;

	if (due > now)
		return due < again ? due : again;
	if (budget < MEMBERS_MIN_MS)
		return again;
	session_refresh_members(rec->session,
				budget < MEMBERS_MAX_MS ? (unsigned)budget : MEMBERS_MAX_MS);
	return now;
}

uint64_t reconcile_step(struct reconcile *rec)
{
	uint64_t now = now_ms();
	uint64_t next = UINT64_MAX;
	struct wanted_batch to_remove, to_put;
	struct etcdreg_err err;
	uint64_t due;
	bool is_late;

	reconcile_tell_failover(rec);
	reconcile_tell_states(rec);
	drop_untouched(rec);
	if (reconcile_is_settled(rec) && !rec->outage.lasts)
		rec->err.code = 0;
	if (!rec->wanted.keys)
		return rest(rec, UINT64_MAX);
	if (must_wait(rec, now))
		return rec->outage.retry_ms;
	if (get_store(rec, &err) < 0) {
		reconcile_go_down(rec, &err);
		return rec->outage.retry_ms;
	}
	notice(rec);
	due = rec->store->ops->due_ms(rec->store, rec->wanted.keys);
	is_late = due != UINT64_MAX && due + store_interval_ms(rec->store) / 2 <= now;
	wanted_find_due(&rec->wanted, false, now, &to_remove, &next);
	wanted_find_due(&rec->wanted, true, now, &to_put, &next);
	if (rec->leaving_all)
		remove_all(rec);
	else if (to_remove.len > 0 && !is_late)
		remove_due(rec, &to_remove);
	else if (to_put.len > 0 && !is_late)
		put(rec, &to_put);
	else if (due <= now)
		heartbeat(rec);
	else
		return idle(rec, now, due < next ? due : next);
	return rec->outage.lasts ? rec->outage.retry_ms : now;
}
