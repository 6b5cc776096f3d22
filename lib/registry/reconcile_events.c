/* SPDX-License-Identifier: MIT */
/* The events that a handle sends, and the state behind them: outages, backoffs and repairs. */
#define _GNU_SOURCE
#include <string.h>

#include "lib/base/backoff.h"
#include "lib/base/clock.h"
#include "reconcile_private.h"

#define BACKOFF_MIN_MS 500
#define BACKOFF_MAX_MS 4000 /* 5 s with jitter */
#define DENIED_MAX_MS 30000
#define REPAIRS_AT_ONCE 4

void reconcile_emit(struct reconcile *rec, enum etcdreg_event_type type,
		    const struct wanted_service *s, const struct etcdreg_err *err)
{
	struct etcdreg_event event = {.type = type, .err = err};
	struct service_view view;

	if (!rec->on_event)
		return;
	if (s) {
		view = service_view(&s->service);
		event.service = &view.service;
	}
	rec->on_event(&event, rec->event_arg);
}

void reconcile_tell_down(struct reconcile *rec)
{
	for (struct wanted_service *s = wanted_first(&rec->wanted); s; s = wanted_next(s)) {
		if (wanted_service_is_pending(s) && !s->told_down) {
			s->told_down = true;
			reconcile_emit(rec, ETCDREG_RETRYING, s, &rec->down_err);
		}
	}
}

void reconcile_go_down(struct reconcile *rec, const struct etcdreg_err *err)
{
	bool news = !rec->told_down || strcmp(rec->down_err.msg, err->msg) != 0;

	outage_fail(&rec->outage, now_ms(), session_ttl_s(rec->session));
	if (err->code == ETCDREG_E_TIMEOUT)
		return;
	rec->told_down = true;
	rec->down_err = *err;
	rec->err = *err;
	if (news) {
		reconcile_emit(rec, ETCDREG_RETRYING, NULL, &rec->down_err);
		for (struct wanted_service *s = wanted_first(&rec->wanted); s; s = wanted_next(s))
			s->told_down = false;
	}
	reconcile_tell_down(rec);
}

void reconcile_come_up(struct reconcile *rec)
{
	if (rec->outage.lasts)
		rec->err.code = 0;
	rec->outage.lasts = false;
	for (struct wanted_service *s = wanted_first(&rec->wanted); s; s = wanted_next(s))
		s->told_down = false;
	if (rec->told_down)
		reconcile_emit(rec, ETCDREG_UP, NULL, NULL);
	rec->told_down = false;
}

/*
 * Etcd refused this one key.  A denial also has a backoff, since it may be temporary: an operator
 * changes a password and changes it back.
 */
void reconcile_back_off(struct reconcile *rec, struct wanted_service *s,
			const struct etcdreg_err *err)
{
	unsigned max_ms = err->code == ETCDREG_E_DENIED ? DENIED_MAX_MS : BACKOFF_MAX_MS;

	s->backoff_ms = longer_ms(s->backoff_ms, BACKOFF_MIN_MS, max_ms);
	s->retry_ms = now_ms() + jittered_ms(s->backoff_ms);
	rec->err = *err;
	reconcile_emit(rec, ETCDREG_RETRYING, s, &rec->err);
}

/*
 * Repairs at once, REPAIRS_AT_ONCE times, then once per interval: two handles that want different
 * documents under one key must not race.
 */
static void plan_repair(struct reconcile *rec, struct wanted_service *s)
{
	uint64_t now = now_ms(), interval = store_interval_ms(rec->store);
	uint64_t at_once = (REPAIRS_AT_ONCE - 1) * interval;

	if (s->repairs_ms < now)
		s->repairs_ms = now;
	if (s->repairs_ms > now + at_once)
		s->retry_ms = s->repairs_ms - at_once;
	s->repairs_ms += interval;
}

/* Sends the events for what the latest call of the store noted in the key. */
static void tell_state(struct reconcile *rec, struct wanted_service *s)
{
	if (s->key.disturbed)
		plan_repair(rec, s);
	s->key.disturbed = false;
	if (s->key.lost && s->told_registered && s->wanted) {
		s->told_registered = false;
		reconcile_emit(rec, ETCDREG_LOST, s, NULL);
	}
	s->key.lost = false;
	if (s->wanted && s->key.held && !s->told_registered) {
		s->told_registered = true;
		s->backoff_ms = 0;
		reconcile_emit(rec, ETCDREG_REGISTERED, s, NULL);
	}
}

void reconcile_tell_states(struct reconcile *rec)
{
	for (struct wanted_service *s = wanted_first(&rec->wanted); s; s = wanted_next(s))
		tell_state(rec, s);
}

/* Repeats no message, so a node that fails again in the same way is reported once. */
void reconcile_tell_failover(struct reconcile *rec)
{
	struct etcdreg_err err;

	if (!cluster_take_failover(session_cluster(rec->session), &err) ||
	    strcmp(err.msg, rec->failover_err.msg) == 0)
		return;
	rec->failover_err = err;
	reconcile_emit(rec, ETCDREG_FAILOVER, NULL, &rec->failover_err);
}
