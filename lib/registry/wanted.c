/* SPDX-License-Identifier: MIT */
/* The set of wanted services. */
#define _GNU_SOURCE
#include "wanted.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/cleanup.h"

static void set_service(struct wanted_service *s, struct service *service)
{
	service_release(&s->service);
	s->service = STEAL(*service);
	s->key.path = s->service.path;
	s->key.document = s->service.document;
}

struct wanted_service *wanted_service_new(struct service *service, bool wanted)
{
	struct wanted_service *s = calloc(1, sizeof(*s));

	if (!s) {
		service_release(service);
		return NULL;
	}
	set_service(s, service);
	s->wanted = wanted;
	s->key.unowned = !wanted;
	return s;
}

void wanted_service_free(struct wanted_service *s)
{
	if (!s)
		return;
	service_release(&s->service);
	free(s);
}

/* The key is the first member. */
struct wanted_service *wanted_service_of(struct store_key *key)
{
	return (struct wanted_service *)(void *)key;
}

bool wanted_service_is_pending(const struct wanted_service *s)
{
	return !s->wanted || !s->key.held;
}

void wanted_release(struct wanted *w)
{
	while (w->keys) {
		struct wanted_service *s = wanted_first(w);

		w->keys = s->key.next;
		wanted_service_free(s);
	}
}

struct wanted_service *wanted_first(const struct wanted *w)
{
	return wanted_service_of(w->keys);
}

struct wanted_service *wanted_next(const struct wanted_service *s)
{
	return wanted_service_of(s->key.next);
}

static struct wanted_service *find_service(const struct wanted *w, const char *path)
{
	struct wanted_service *s = wanted_first(w);

	while (s && strcmp(s->service.path, path) != 0)
		s = wanted_next(s);
	return s;
}

static void append_service(struct wanted *w, struct wanted_service *s)
{
	struct store_key **at = &w->keys;

	while (*at)
		at = &(*at)->next;
	*at = &s->key;
}

/* The later update wins.  A service leaves with the document that it joined with. */
static void merge(struct wanted_service *s, struct wanted_service *update)
{
	if (update->wanted) {
		if (strcmp(s->service.document, update->service.document) != 0)
			s->key.held = false;
		s->key.unowned = false;
		set_service(s, &update->service);
	} else {
		s->service.tag = update->service.tag;
	}
	s->wanted = update->wanted;
	s->told_registered = false;
	s->told_down = false;
	s->backoff_ms = 0;
	s->retry_ms = 0;
}

void wanted_apply(struct wanted *w, struct wanted_service *update)
{
	struct wanted_service *s = find_service(w, update->service.path);

	if (!s) {
		append_service(w, update);
		return;
	}
	merge(s, update);
	wanted_service_free(update);
}

void wanted_leave_all(struct wanted *w)
{
	for (struct wanted_service *s = wanted_first(w); s; s = wanted_next(s)) {
		s->wanted = false;
		s->retry_ms = 0;
	}
}

void wanted_drop(struct wanted *w, struct wanted_service *s)
{
	struct store_key **at = &w->keys;

	while (*at != &s->key)
		at = &(*at)->next;
	*at = s->key.next;
	wanted_service_free(s);
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
	for (struct wanted_service *s = wanted_first(w); s; s = wanted_next(s)) {
		if (wanted_service_is_pending(s))
			return false;
	}
	return true;
}

void wanted_find_due(const struct wanted *w, bool wanted, uint64_t now, struct wanted_batch *ret,
		     uint64_t *next)
{
	ret->len = 0;
	for (struct wanted_service *s = wanted_first(w); s; s = wanted_next(s)) {
		if (s->wanted != wanted || !wanted_service_is_pending(s))
			continue;
		if (s->retry_ms > now && s->retry_ms < *next)
			*next = s->retry_ms;
		if (s->retry_ms <= now)
			ret->keys[ret->len++] = &s->key;
		if (ret->len == ARRAY_LEN(ret->keys))
			return;
	}
}
