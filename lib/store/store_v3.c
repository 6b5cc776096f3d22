/* SPDX-License-Identifier: MIT */
/* The v3 store: one lease keeps up to 1000 keys. */
#define _GNU_SOURCE
#include "store_v3.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "v3_follow.h"
#include "v3_list.h"
#include "v3_requests.h"

void v3_lose(struct store_v3 *v3, int64_t id, struct store_key *keys)
{
	struct v3_kept *lease = v3_leases_find(&v3->leases, id);

	for (struct store_key *key = keys; key; key = key->next) {
		if (key->lease == id && !key->foreign) {
			key->lost |= key->held;
			v3_leases_detach(&v3->leases, key);
		}
	}
	if (lease)
		v3_leases_drop(&v3->leases, lease);
}

int v3_renew(struct store_v3 *v3, struct v3_kept *lease, bool *ret_lost, struct etcdreg_err *err)
{
	uint64_t started = now_ms();
	int64_t ttl_s = 0;
	int r = v3_keepalive(&v3->access, lease->id, &ttl_s, err);

	if (r < 0)
		return r;
	*ret_lost = ttl_s <= 0;
	lease->refreshed_ms = started;
	return 0;
}

static void forget(struct store *st, struct store_key *key)
{
	v3_leases_detach(&v3_of(st)->leases, key);
}

static uint64_t lease_due_ms(const struct store_v3 *v3, const struct v3_kept *lease)
{
	uint64_t due = lease->suspect ? 0 : lease->refreshed_ms + store_interval_ms(&v3->base);

	if (lease->keys == 0)
		return UINT64_MAX;
	return lease->compare_ms < due ? lease->compare_ms : due;
}

static uint64_t due_ms(const struct store *st, const struct store_key *keys)
{
	const struct store_v3 *v3 = (const struct store_v3 *)(const void *)st;
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < v3->leases.len; i++) {
		if (lease_due_ms(v3, &v3->leases.all[i]) < due)
			due = lease_due_ms(v3, &v3->leases.all[i]);
	}
	for (const struct store_key *key = keys; key; key = key->next) {
		if (key->foreign && key->held && key->due_ms < due)
			due = key->due_ms;
	}
	return due;
}

/* Has put() look at their leases again.  It writes only if the key must be taken over. */
static void unhold_foreign(struct store_key *keys)
{
	uint64_t now = now_ms();

	for (struct store_key *key = keys; key; key = key->next) {
		if (key->foreign && now >= key->due_ms)
			key->held = false;
	}
}

static int compare_keys(struct store_v3 *v3, struct v3_kept *lease, struct store_key *keys,
			struct etcdreg_err *err)
{
	struct v3_lease left;
	int r;

	if (lease->compare_ms == UINT64_MAX && v3_watch_covers(v3->watch, keys))
		return 0;
	r = v3_timetolive(&v3->access, lease->id, keys, &left, err);
	/* A user who may not read all keys of the lease does without; the lease is alive. */
	if (r == ETCDREG_E_DENIED)
		r = 0;
	if (r == 0)
		lease->compare_ms = UINT64_MAX;
	return r;
}

/* The watch does not report what happened before it stood. */
static void compare_all(struct store_v3 *v3, struct store_key *keys)
{
	for (size_t i = 0; i < v3->leases.len; i++)
		v3->leases.all[i].compare_ms = now_ms();
	for (struct store_key *key = keys; key; key = key->next) {
		if (key->foreign)
			key->due_ms = now_ms();
	}
}

static void notice(struct store *st, struct store_key *keys)
{
	struct store_v3 *v3 = v3_of(st);

	if (v3_watch_read(v3->watch, keys))
		compare_all(v3, keys);
}

static uint64_t watch(struct store *st, const struct store_key *keys)
{
	return v3_watch_tend(v3_of(st)->watch, keys);
}

static int heartbeat(struct store *st, struct store_key *keys, struct etcdreg_err *err)
{
	struct store_v3 *v3 = v3_of(st);
	struct v3_kept *first = NULL;
	bool lost;
	int r;

	unhold_foreign(keys);
	for (size_t i = 0; i < v3->leases.len; i++) {
		struct v3_kept *lease = &v3->leases.all[i];

		if (!first || lease_due_ms(v3, lease) < lease_due_ms(v3, first))
			first = lease;
	}
	if (!first || now_ms() < lease_due_ms(v3, first))
		return 0;
	r = v3_renew(v3, first, &lost, err);
	if (r < 0)
		return r;
	if (!lost)
		return compare_keys(v3, first, keys, err);
	v3_lose(v3, first->id, keys);
	return 0;
}

static int list(struct store *st, const struct store_query *query, struct etcdreg_err *err)
{
	return v3_list(&v3_of(st)->access, query, err);
}

static int check(struct store *st, const char *folder, struct store_follow *follow,
		 struct etcdreg_err *err)
{
	return v3_check_follow(&v3_of(st)->access, folder, follow, err);
}

static int follow_folder(struct store *st, const char *folder, struct store_follow *follow,
			 struct etcdreg_err *err)
{
	return v3_follow(&v3_of(st)->access, folder, follow, err);
}

static int read_follow(struct store *st, struct store_follow *follow, store_change_fn *each,
		       void *arg, struct etcdreg_err *err)
{
	return v3_read_follow(&v3_of(st)->access, follow, each, arg, err);
}

static int members(struct store *st, struct member_list *list, struct etcdreg_err *err)
{
	return v3_members(&v3_of(st)->access, list, err);
}

static void v3_free(struct store *st)
{
	struct store_v3 *v3 = v3_of(st);

	v3_watch_free(v3->watch);
	v3_access_release(&v3->access);
	v3_leases_release(&v3->leases);
	free(v3);
}

static const struct store_ops v3_ops = {
	.put = v3_store_put,
	.remove = v3_store_remove,
	.put_many = v3_store_put_many,
	.remove_many = v3_store_remove_many,
	.forget = forget,
	.due_ms = due_ms,
	.heartbeat = heartbeat,
	.notice = notice,
	.watch = watch,
	.remove_all = v3_store_remove_all,
	.list = list,
	.members = members,
	.check = check,
	.follow = follow_folder,
	.read_follow = read_follow,
	.free = v3_free,
};

struct store *store_v3_new(const struct store *common, const char *prefix)
{
	struct store_v3 *v3 = calloc(1, sizeof(*v3));

	if (!v3)
		return NULL;
	v3->base = *common;
	v3->base.ops = &v3_ops;
	v3->access.store = &v3->base;
	v3->access.prefix = prefix;
	v3_batch_init(&v3->batch);
	v3->watch = v3_watch_new(&v3->access);
	if (!v3->watch) {
		free(v3);
		return NULL;
	}
	v3_leases_init(&v3->leases, common->leases);
	return &v3->base;
}
