/* SPDX-License-Identifier: MIT */
/* The set of wanted services. */
#define _GNU_SOURCE
#include "wanted.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/cleanup.h"

static void set_service(struct wanted_service *e, struct service *service)
{
	service_release(&e->service);
	e->service = STEAL(*service);
	e->key.path = e->service.path;
	e->key.document = e->service.document;
}

struct wanted_service *wanted_service_new(struct service *service, bool wanted)
{
	struct wanted_service *e = calloc(1, sizeof(*e));

	if (!e) {
		service_release(service);
		return NULL;
	}
	set_service(e, service);
	e->wanted = wanted;
	e->key.unowned = !wanted;
	return e;
}

void wanted_service_free(struct wanted_service *e)
{
	if (!e)
		return;
	service_release(&e->service);
	free(e);
}

/* The key is the first member. */
struct wanted_service *wanted_service_of(struct store_key *key)
{
	return (struct wanted_service *)(void *)key;
}

bool wanted_service_is_pending(const struct wanted_service *e)
{
	return !e->wanted || !e->key.held;
}

void wanted_release(struct wanted *w)
{
	while (w->keys) {
		struct wanted_service *e = wanted_first(w);

		w->keys = e->key.next;
		wanted_service_free(e);
	}
}

struct wanted_service *wanted_first(const struct wanted *w)
{
	return wanted_service_of(w->keys);
}

struct wanted_service *wanted_next(const struct wanted_service *e)
{
	return wanted_service_of(e->key.next);
}

static struct wanted_service *find_entry(const struct wanted *w, const char *path)
{
	struct wanted_service *e = wanted_first(w);

	while (e && strcmp(e->service.path, path) != 0)
		e = wanted_next(e);
	return e;
}

static void append_entry(struct wanted *w, struct wanted_service *e)
{
	struct store_key **at = &w->keys;

	while (*at)
		at = &(*at)->next;
	*at = &e->key;
}

/* The later update wins.  A service leaves with the document that it joined with. */
static void merge(struct wanted_service *e, struct wanted_service *update)
{
	if (update->wanted) {
		if (strcmp(e->service.document, update->service.document) != 0)
			e->key.held = false;
		e->key.unowned = false;
		set_service(e, &update->service);
	} else {
		e->service.tag = update->service.tag;
	}
	e->wanted = update->wanted;
	e->told_registered = false;
	e->told_down = false;
	e->backoff_ms = 0;
	e->retry_ms = 0;
}

void wanted_apply(struct wanted *w, struct wanted_service *update)
{
	struct wanted_service *e = find_entry(w, update->service.path);

	if (!e) {
		append_entry(w, update);
		return;
	}
	merge(e, update);
	wanted_service_free(update);
}

void wanted_leave_all(struct wanted *w)
{
	for (struct wanted_service *e = wanted_first(w); e; e = wanted_next(e)) {
		e->wanted = false;
		e->retry_ms = 0;
	}
}

void wanted_drop(struct wanted *w, struct wanted_service *e)
{
	struct store_key **at = &w->keys;

	while (*at != &e->key)
		at = &(*at)->next;
	*at = e->key.next;
	wanted_service_free(e);
}

void wanted_reset_keys(struct wanted *w)
{
	for (struct store_key *key = w->keys; key; key = key->next) {
		*key = (struct store_key){
			.next = key->next,
			.path = key->path,
			.document = key->document,
			.unowned = key->unowned,
			.lost = key->held,
		};
	}
}

bool wanted_is_settled(const struct wanted *w)
{
	for (struct wanted_service *e = wanted_first(w); e; e = wanted_next(e)) {
		if (wanted_service_is_pending(e))
			return false;
	}
	return true;
}

void wanted_find_due(const struct wanted *w, bool wanted, uint64_t now, struct wanted_batch *ret,
		     uint64_t *next)
{
	ret->len = 0;
	for (struct wanted_service *e = wanted_first(w); e; e = wanted_next(e)) {
		if (e->wanted != wanted || !wanted_service_is_pending(e))
			continue;
		if (e->retry_ms > now && e->retry_ms < *next)
			*next = e->retry_ms;
		if (e->retry_ms <= now)
			ret->keys[ret->len++] = &e->key;
		if (ret->len == ARRAY_LEN(ret->keys))
			return;
	}
}
