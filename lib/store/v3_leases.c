/* SPDX-License-Identifier: MIT */
/* The leases that a v3 store renews. */
#define _GNU_SOURCE
#include "v3_leases.h"

#include <stdlib.h>

#include "lib/base/array.h"
#include "lib/base/clock.h"

static struct v3_kept *append(struct v3_leases *l, const struct v3_kept *lease)
{
	if (!ARRAY_RESERVE(l->all, l->cap, l->len))
		return NULL;
	l->all[l->len] = *lease;
	return &l->all[l->len++];
}

void v3_leases_init(struct v3_leases *l, struct leases *written)
{
	*l = (struct v3_leases){.written = written};
	for (size_t i = 0; written && i < LEASES_MAX; i++) {
		struct v3_kept lease = {
			.id = written->ids[i],
			.refreshed_ms = now_ms(),
			.compare_ms = UINT64_MAX,
			.found = true,
		};

		if (lease.id != 0)
			(void)append(l, &lease);
	}
}

void v3_leases_release(struct v3_leases *l)
{
	free(l->all);
	*l = (struct v3_leases){0};
}

struct v3_kept *v3_leases_find(const struct v3_leases *l, int64_t id)
{
	for (size_t i = 0; i < l->len; i++) {
		if (l->all[i].id == id)
			return &l->all[i];
	}
	return NULL;
}

struct v3_kept *v3_leases_add(struct v3_leases *l, int64_t id, uint64_t granted_ms)
{
	struct v3_kept lease = {.id = id, .refreshed_ms = granted_ms, .compare_ms = UINT64_MAX};
	struct v3_kept *added = append(l, &lease);

	if (added)
		leases_add(l->written, id);
	return added;
}

void v3_leases_drop(struct v3_leases *l, struct v3_kept *lease)
{
	leases_remove(l->written, lease->id);
	*lease = l->all[--l->len];
}

void v3_leases_attach(struct v3_leases *l, struct store_key *key, struct v3_kept *lease)
{
	v3_leases_detach(l, key);
	key->lease = lease->id;
	lease->keys++;
}

void v3_leases_detach(struct v3_leases *l, struct store_key *key)
{
	struct v3_kept *lease = key->foreign ? NULL : v3_leases_find(l, key->lease);

	if (lease)
		lease->keys--;
	key->lease = 0;
	key->index = 0;
	key->foreign = false;
	key->held = false;
}
