/* SPDX-License-Identifier: MIT */
/* remove, remove_many and remove_all of the v3 store. */
#define _GNU_SOURCE
#include "lib/base/clock.h"
#include "store_v3.h"
#include "v3_requests.h"
#include "v3_txn.h"

static int remove_unowned(struct store_v3 *v3, struct store_key *key, struct etcdreg_err *err)
{
	bool restored = v3->base.leases && v3->base.leases->restored;
	int r = 0;

	if (!restored || v3->leases.len == 0)
		return now_ms() < key->expires_ms ? v3_delete(&v3->access, key, err) : 0;
	for (size_t i = 0; i < v3->leases.len && r == 0; i++) {
		v3_leases_attach(&v3->leases, key, &v3->leases.all[i]);
		r = v3_delete_leased(&v3->access, key, err);
	}
	v3_leases_detach(&v3->leases, key);
	return r;
}

int v3_store_remove(struct store *st, struct store_key *key, struct etcdreg_err *err)
{
	struct store_v3 *v3 = v3_of(st);
	struct v3_kept *lease = key->foreign ? NULL : v3_leases_find(&v3->leases, key->lease);
	bool lost = false;
	int r = 0;

	key->held = false;
	if (key->unowned)
		return remove_unowned(v3, key, err);
	if (!lease)
		return 0;
	/* The lease may have expired with its keys: then no delete is needed. */
	if (now_ms() >= lease->refreshed_ms + v3_ttl_ms(v3))
		r = v3_renew(v3, lease, &lost, err);
	if (r == 0 && !lost)
		r = v3_delete_leased(&v3->access, key, err);
	if (r == 0 && lost)
		lease->suspect = true;
	if (r < 0)
		return r;
	v3_leases_detach(&v3->leases, key);
	v3_batch_grow(&v3->batch);
	return 0;
}

/* Whether one delete is enough: the key is ours, and its lease cannot have expired. */
static bool is_simply_deleted(const struct store_v3 *v3, const struct store_key *key, uint64_t now)
{
	const struct v3_kept *lease =
		key->unowned || key->foreign ? NULL : v3_leases_find(&v3->leases, key->lease);

	return lease && now < lease->refreshed_ms + v3_ttl_ms(v3);
}

int v3_store_remove_many(struct store *st, struct store_key *const *keys, size_t len,
			 size_t *ret_len, struct etcdreg_err *err)
{
	struct store_v3 *v3 = v3_of(st);
	uint64_t now = now_ms();
	size_t simple = 0;
	bool done;
	int r;

	while (simple < len && is_simply_deleted(v3, keys[simple], now))
		simple++;
	*ret_len = 0;
	len = v3_batch_fit(&v3->batch, keys, simple);
	if (len == 0)
		return 0;
	for (size_t i = 0; i < len; i++)
		keys[i]->held = false;
	r = v3_delete_all(&v3->access, keys, len, &done, err);
	if (r < 0 || !done)
		return v3_batch_refuse(&v3->batch, r);
	for (size_t i = 0; i < len; i++)
		v3_leases_detach(&v3->leases, keys[i]);
	*ret_len = len;
	return 0;
}

int v3_store_remove_all(struct store *st, struct store_key *keys, struct etcdreg_err *err)
{
	struct store_v3 *v3 = v3_of(st);

	while (v3->leases.len > 0) {
		int64_t id = v3->leases.all[0].id;
		int r = v3_revoke(&v3->access, id, err);

		if (r < 0)
			return r;
		v3_lose(v3, id, keys);
	}
	return 0;
}
