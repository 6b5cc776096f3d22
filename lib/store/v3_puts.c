/* SPDX-License-Identifier: MIT */
/* put and put_many of the v3 store. */
#define _GNU_SOURCE
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "store_v3.h"
#include "v3_requests.h"
#include "v3_txn.h"

#define LEASE_KEYS_MAX 1000
#define TAKE_OVER_MS 250 /* time to take over a key before its lease expires */

static int grant(struct store_v3 *v3, struct v3_kept **ret, struct etcdreg_err *err)
{
	uint64_t started = now_ms();
	int64_t id;
	int r = v3_grant(&v3->access, v3->base.ttl_s, &id, err);

	if (r < 0)
		return r;
	*ret = v3_leases_add(&v3->leases, id, started);
	return *ret ? 0 : err_nomem(err);
}

/* A lease without keys is not renewed: it expires. */
static void drop_idle_leases(struct store_v3 *v3, uint64_t now)
{
	for (size_t i = v3->leases.len; i-- > 0;) {
		struct v3_kept *lease = &v3->leases.all[i];

		if (lease->keys == 0 && now >= lease->refreshed_ms + store_interval_ms(&v3->base))
			v3_leases_drop(&v3->leases, lease);
	}
}

static int usable_lease(struct store_v3 *v3, struct v3_kept **ret, struct etcdreg_err *err)
{
	uint64_t now = now_ms();

	drop_idle_leases(v3, now);
	for (size_t i = 0; i < v3->leases.len; i++) {
		struct v3_kept *lease = &v3->leases.all[i];

		if (!lease->suspect && lease->keys < LEASE_KEYS_MAX &&
		    now < lease->refreshed_ms + v3_ttl_ms(v3)) {
			*ret = lease;
			return 0;
		}
	}
	return grant(v3, ret, err);
}

/*
 * Whether the owner has renewed the lease within its own interval, which is half its TTL.  That TTL
 * may differ from ours.
 */
static bool is_alive(const struct store_v3 *v3, const struct v3_lease *lease)
{
	int64_t granted_s = lease->granted_s > 0 ? lease->granted_s : v3->base.ttl_s;

	return lease->left_s > 0 && lease->left_s >= granted_s / 2;
}

/* Returns when to look at a foreign lease again: in time to take over the key before it expires. */
static uint64_t look_again_ms(const struct store_v3 *v3, const struct v3_lease *lease)
{
	uint64_t left_ms = (uint64_t)lease->left_s * 1000 - TAKE_OVER_MS;
	uint64_t interval_ms = store_interval_ms(&v3->base);

	return now_ms() + (left_ms < interval_ms ? left_ms : interval_ms);
}

static void hold_foreign(struct store_v3 *v3, struct store_key *key, const struct v3_put *found,
			 const struct v3_lease *lease)
{
	v3_leases_detach(&v3->leases, key);
	key->lease = found->lease;
	key->index = found->revision;
	key->foreign = true;
	key->held = true;
	key->due_ms = look_again_ms(v3, lease);
}

static void hold(struct store_key *key, int64_t revision)
{
	key->index = revision;
	key->held = true;
}

/*
 * etcd has our document under another lease.  If that is one of ours, or of a live owner, the key
 * stays there.  Otherwise this takes over the key.
 */
static int adopt(struct store_v3 *v3, struct store_key *key, const struct v3_put *found,
		 struct etcdreg_err *err)
{
	struct v3_kept *own = v3_leases_find(&v3->leases, found->lease);
	struct v3_lease lease = {0};
	int64_t revision;
	int r = 0;

	if (own) {
		v3_leases_attach(&v3->leases, key, own);
		hold(key, found->revision);
		return 0;
	}
	if (found->lease != 0)
		r = v3_timetolive(&v3->access, found->lease, NULL, &lease, err);
	if (r < 0)
		return r;
	if (is_alive(v3, &lease)) {
		hold_foreign(v3, key, found, &lease);
		return 0;
	}
	r = v3_take(&v3->access, key, &revision, err);
	if (r < 0)
		return r;
	hold(key, revision);
	return 0;
}

static int put_with(struct store_v3 *v3, struct store_key *key, struct v3_kept *lease,
		    struct etcdreg_err *err)
{
	struct v3_put result = {0};
	int r;

	v3_leases_attach(&v3->leases, key, lease);
	r = v3_put(&v3->access, key, &result, err);
	if (r < 0)
		return r;
	key->lost = !result.existed;
	if (result.existed && result.lease != key->lease)
		return adopt(v3, key, &result, err);
	hold(key, result.revision);
	return 0;
}

/* Renews the leases of an earlier handle before they are used, and drops those that are gone. */
static int check_found(struct store_v3 *v3, struct etcdreg_err *err)
{
	for (size_t i = v3->leases.len; i-- > 0;) {
		struct v3_kept *lease = &v3->leases.all[i];
		bool lost = false;
		int r = lease->found ? v3_renew(v3, lease, &lost, err) : 0;

		if (r < 0)
			return r;
		lease->found = false;
		if (lost)
			v3_leases_drop(&v3->leases, lease);
	}
	return 0;
}

static int put_one(struct store_v3 *v3, struct store_key *key, struct v3_kept *lease,
		   struct etcdreg_err *err)
{
	int r = put_with(v3, key, lease, err);

	if (r != ETCDREG_E_NOTFOUND)
		return r;
	lease = v3_leases_find(&v3->leases, key->lease);
	if (lease)
		lease->suspect = true;
	r = grant(v3, &lease, err);
	return r < 0 ? r : put_with(v3, key, lease, err);
}

static int lease_for_put(struct store_v3 *v3, struct v3_kept **ret, struct etcdreg_err *err)
{
	int r = check_found(v3, err);

	return r < 0 ? r : usable_lease(v3, ret, err);
}

int v3_store_put(struct store *st, struct store_key *key, struct etcdreg_err *err)
{
	struct store_v3 *v3 = v3_of(st);
	struct v3_kept *lease;
	int r = lease_for_put(v3, &lease, err);

	if (r == 0)
		r = put_one(v3, key, lease, err);
	if (r == 0)
		v3_batch_grow(&v3->batch);
	return r;
}

/* Some keys exist.  Holds those with our document under our leases; put() handles the others. */
static size_t hold_found(struct store_v3 *v3, const struct v3_puts *puts)
{
	size_t held = 0;

	for (size_t i = 0; i < puts->len; i++) {
		const struct v3_put *found = &puts->found[i];
		struct v3_kept *own =
			found->existed ? v3_leases_find(&v3->leases, found->lease) : NULL;

		if (!own)
			continue;
		v3_leases_attach(&v3->leases, puts->keys[i], own);
		hold(puts->keys[i], found->revision);
		held++;
	}
	if (held < puts->len)
		(void)v3_batch_refuse(&v3->batch, 0);
	return held;
}

/* The caller has attached the keys to their lease. */
static int put_batch(struct store_v3 *v3, struct store_key *const *keys, size_t len,
		     size_t *ret_len, struct etcdreg_err *err)
{
	struct v3_puts puts = {.keys = keys, .len = len};
	int r = v3_put_new(&v3->access, &puts, err);

	if (r < 0)
		return r;
	if (!puts.done) {
		*ret_len = hold_found(v3, &puts);
		return 0;
	}
	for (size_t i = 0; i < len; i++) {
		keys[i]->lost = true;
		hold(keys[i], puts.found[0].revision);
	}
	*ret_len = len;
	return 0;
}

int v3_store_put_many(struct store *st, struct store_key *const *keys, size_t len, size_t *ret_len,
		      struct etcdreg_err *err)
{
	struct store_v3 *v3 = v3_of(st);
	struct v3_kept *lease;
	int r;

	*ret_len = 0;
	if (v3_batch_fit(&v3->batch, keys, len) == 0)
		return 0;
	r = lease_for_put(v3, &lease, err);
	if (r == 0 && len > LEASE_KEYS_MAX - lease->keys)
		len = LEASE_KEYS_MAX - lease->keys;
	if (r == 0)
		len = v3_batch_fit(&v3->batch, keys, len);
	for (size_t i = 0; r == 0 && i < len; i++)
		v3_leases_attach(&v3->leases, keys[i], lease);
	if (r == 0 && len > 0)
		r = put_batch(v3, keys, len, ret_len, err);
	return r < 0 ? v3_batch_refuse(&v3->batch, r) : 0;
}
