/* SPDX-License-Identifier: MIT */
/* The v3 API: one lease keeps all keys. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "store.h"
#include "util.h"
#include "v3_follow.h"
#include "v3_leases.h"
#include "v3_list.h"
#include "v3_requests.h"
#include "v3_txn.h"
#include "v3_watch.h"

#define LEASE_KEYS_MAX 1000
#define TAKE_OVER_MS   250 /* what taking a key over may take */
#define BATCH_LEN_MAX  ((size_t)256 << 10) /* bytes of paths and documents; etcd takes 1.5 MB */

struct store_v3 {
	struct store base;
	struct v3_session session;
	struct v3_watch *watch;
	struct v3_leases leases;
	size_t batch; /* keys that the next transaction may have; fewer after a refusal */
};

static struct store_v3 *v3_of(struct store *st)
{
	return (struct store_v3 *)(void *)st;
}

static const struct store_v3 *v3_of_const(const struct store *st)
{
	return (const struct store_v3 *)(const void *)st;
}

static uint64_t ttl_ms(const struct store_v3 *v3)
{
	return (uint64_t)v3->base.ttl_s * 1000;
}

static int grant(struct store_v3 *v3, struct v3_kept **ret, struct etcdreg_err *err)
{
	uint64_t started = now_ms();
	int64_t id;
	int r = v3_grant(&v3->session, v3->base.ttl_s, &id, err);

	if (r < 0)
		return r;
	*ret = v3_leases_add(&v3->leases, id, started);
	return *ret ? 0 : err_nomem(err);
}

/* A lease that no key keeps in use is not renewed: it ends by itself. */
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
		    now < lease->refreshed_ms + ttl_ms(v3)) {
			*ret = lease;
			return 0;
		}
	}
	return grant(v3, ret, err);
}

/* It has been renewed within an interval of its owner's, who may have another TTL. */
static bool is_alive(const struct store_v3 *v3, const struct v3_lease *lease)
{
	int64_t granted_s = lease->granted_s > 0 ? lease->granted_s : v3->base.ttl_s;

	return lease->left_s > 0 && lease->left_s >= granted_s / 2;
}

/* Before the lease can expire there is another look at it, so that the key can be taken over. */
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

/* Our document is there, but not under the lease that it was to get. */
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
		r = v3_timetolive(&v3->session, found->lease, NULL, &lease, err);
	if (r < 0)
		return r;
	if (is_alive(v3, &lease)) {
		hold_foreign(v3, key, found, &lease);
		return 0;
	}
	r = v3_take(&v3->session, key, &revision, err);
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
	r = v3_put(&v3->session, key, &result, err);
	if (r < 0)
		return r;
	key->lost = !result.existed;
	if (result.existed && result.lease != key->lease)
		return adopt(v3, key, &result, err);
	hold(key, result.revision);
	return 0;
}

static void lose_lease(struct store_v3 *v3, int64_t id, struct store_key *keys)
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

/* *ret_lost: etcd no longer has it. */
static int renew(struct store_v3 *v3, struct v3_kept *lease, bool *ret_lost,
		 struct etcdreg_err *err)
{
	uint64_t started = now_ms();
	int64_t ttl_s = 0;
	int r = v3_keepalive(&v3->session, lease->id, &ttl_s, err);

	if (r < 0)
		return r;
	*ret_lost = ttl_s <= 0;
	lease->refreshed_ms = started;
	return 0;
}

/* Before the leases of the handle before are used: are they still there? */
static int check_found(struct store_v3 *v3, struct etcdreg_err *err)
{
	for (size_t i = v3->leases.len; i-- > 0;) {
		struct v3_kept *lease = &v3->leases.all[i];
		bool lost = false;
		int r = lease->found ? renew(v3, lease, &lost, err) : 0;

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

static void grow_batch(struct store_v3 *v3)
{
	if (v3->batch < STORE_BATCH_MAX)
		v3->batch *= 2;
}

/* What is refused of several says nothing about one; that no node answers does. */
static int refuse_batch(struct store_v3 *v3, int r)
{
	if (r == ETCDREG_E_UNREACH || r == ETCDREG_E_TIMEOUT || r == ETCDREG_E_NOMEM)
		return r;
	v3->batch = 1;
	return 0;
}

static int put(struct store *st, struct store_key *key, struct etcdreg_err *err)
{
	struct store_v3 *v3 = v3_of(st);
	struct v3_kept *lease;
	int r = lease_for_put(v3, &lease, err);

	if (r == 0)
		r = put_one(v3, key, lease, err);
	if (r == 0)
		grow_batch(v3);
	return r;
}

/* How many of the keys, from the first on, one transaction may have; 0: two are too many. */
static size_t batch_of(const struct store_v3 *v3, struct store_key *const *keys, size_t len)
{
	size_t bytes = 0, fit = 0;

	if (len > v3->batch)
		len = v3->batch;
	for (; fit < len; fit++) {
		bytes += strlen(keys[fit]->path) + strlen(keys[fit]->document);
		if (bytes > BATCH_LEN_MAX)
			break;
	}
	return fit < 2 ? 0 : fit;
}

/* Some were there already: with our document under a lease of ours, or for put() to look into. */
static size_t hold_found(struct store_v3 *v3, struct store_key *const *keys, size_t len,
			 const struct v3_put *found)
{
	size_t held = 0;

	for (size_t i = 0; i < len; i++) {
		struct v3_kept *own =
			found[i].existed ? v3_leases_find(&v3->leases, found[i].lease) : NULL;

		if (!own)
			continue;
		v3_leases_attach(&v3->leases, keys[i], own);
		hold(keys[i], found[i].revision);
		held++;
	}
	if (held < len)
		v3->batch = 1;
	return held;
}

static int put_batch(struct store_v3 *v3, struct store_key *const *keys, size_t len,
		     struct v3_kept *lease, size_t *ret_len, struct etcdreg_err *err)
{
	struct v3_put found[STORE_BATCH_MAX];
	bool done = false;
	int r;

	for (size_t i = 0; i < len; i++)
		v3_leases_attach(&v3->leases, keys[i], lease);
	r = v3_put_new(&v3->session, keys, len, &done, found, err);
	if (r < 0)
		return r;
	if (!done) {
		*ret_len = hold_found(v3, keys, len, found);
		return 0;
	}
	for (size_t i = 0; i < len; i++) {
		keys[i]->lost = true;
		hold(keys[i], found[0].revision);
	}
	*ret_len = len;
	return 0;
}

static int put_many(struct store *st, struct store_key *const *keys, size_t len, size_t *ret_len,
		    struct etcdreg_err *err)
{
	struct store_v3 *v3 = v3_of(st);
	struct v3_kept *lease;
	int r;

	*ret_len = 0;
	if (batch_of(v3, keys, len) == 0)
		return 0;
	r = lease_for_put(v3, &lease, err);
	if (r == 0 && len > LEASE_KEYS_MAX - lease->keys)
		len = LEASE_KEYS_MAX - lease->keys;
	if (r == 0)
		len = batch_of(v3, keys, len);
	if (r == 0 && len > 0)
		r = put_batch(v3, keys, len, lease, ret_len, err);
	return r < 0 ? refuse_batch(v3, r) : 0;
}

static int remove_unowned(struct store_v3 *v3, struct store_key *key, struct etcdreg_err *err)
{
	bool restored = v3->base.leases && v3->base.leases->restored;
	int r = 0;

	if (!restored || v3->leases.len == 0)
		return now_ms() < key->expires_ms ? v3_delete(&v3->session, key, err) : 0;
	for (size_t i = 0; i < v3->leases.len && r == 0; i++) {
		v3_leases_attach(&v3->leases, key, &v3->leases.all[i]);
		r = v3_delete_leased(&v3->session, key, err);
	}
	v3_leases_detach(&v3->leases, key);
	return r;
}

static int remove_key(struct store *st, struct store_key *key, struct etcdreg_err *err)
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
	/* Past its time, ask first: with the lease its keys are gone, and no delete is needed. */
	if (now_ms() >= lease->refreshed_ms + ttl_ms(v3))
		r = renew(v3, lease, &lost, err);
	if (r == 0 && !lost)
		r = v3_delete_leased(&v3->session, key, err);
	if (r == 0 && lost)
		lease->suspect = true;
	if (r < 0)
		return r;
	v3_leases_detach(&v3->leases, key);
	grow_batch(v3);
	return 0;
}

/* A delete is all that it takes: the key may be there, and its lease has not run out. */
static bool is_simply_deleted(const struct store_v3 *v3, const struct store_key *key, uint64_t now)
{
	const struct v3_kept *lease =
		key->unowned || key->foreign ? NULL : v3_leases_find(&v3->leases, key->lease);

	return lease && now < lease->refreshed_ms + ttl_ms(v3);
}

static int remove_many(struct store *st, struct store_key *const *keys, size_t len, size_t *ret_len,
		       struct etcdreg_err *err)
{
	struct store_v3 *v3 = v3_of(st);
	uint64_t now = now_ms();
	size_t simple = 0;
	bool done;
	int r;

	while (simple < len && is_simply_deleted(v3, keys[simple], now))
		simple++;
	*ret_len = 0;
	len = batch_of(v3, keys, simple);
	if (len == 0)
		return 0;
	for (size_t i = 0; i < len; i++)
		keys[i]->held = false;
	r = v3_delete_all(&v3->session, keys, len, &done, err);
	if (r < 0 || !done)
		return refuse_batch(v3, r);
	for (size_t i = 0; i < len; i++)
		v3_leases_detach(&v3->leases, keys[i]);
	*ret_len = len;
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
	const struct store_v3 *v3 = v3_of_const(st);
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

/* They are looked at by putting them again, which writes only what must be written. */
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
	r = v3_timetolive(&v3->session, lease->id, keys, &left, err);
	/* Who may not read all keys of the lease goes without; the lease is fine. */
	if (r == ETCDREG_E_DENIED)
		r = 0;
	if (r == 0)
		lease->compare_ms = UINT64_MAX;
	return r;
}

/* What happened before the watch stood has not been told. */
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
	r = renew(v3, first, &lost, err);
	if (r < 0)
		return r;
	if (!lost)
		return compare_keys(v3, first, keys, err);
	lose_lease(v3, first->id, keys);
	return 0;
}

static int remove_all(struct store *st, struct store_key *keys, struct etcdreg_err *err)
{
	struct store_v3 *v3 = v3_of(st);

	while (v3->leases.len > 0) {
		int64_t id = v3->leases.all[0].id;
		int r = v3_revoke(&v3->session, id, err);

		if (r < 0)
			return r;
		lose_lease(v3, id, keys);
	}
	return 0;
}

static int list(struct store *st, const char *folder, store_each_fn *each, void *arg,
		int64_t *ret_revision, struct etcdreg_err *err)
{
	return v3_list(&v3_of(st)->session, folder, each, arg, ret_revision, err);
}

static int check(struct store *st, const char *folder, struct store_follow *follow,
		 struct etcdreg_err *err)
{
	return v3_check_follow(&v3_of(st)->session, folder, follow, err);
}

static int follow_folder(struct store *st, const char *folder, struct store_follow *follow,
			 struct etcdreg_err *err)
{
	return v3_follow(&v3_of(st)->session, folder, follow, err);
}

static int read_follow(struct store *st, struct store_follow *follow, store_change_fn *each,
		       void *arg, struct etcdreg_err *err)
{
	return v3_read_follow(&v3_of(st)->session, follow, each, arg, err);
}

static int members(struct store *st, struct member_list *list, struct etcdreg_err *err)
{
	return v3_members(&v3_of(st)->session, list, err);
}

static void v3_free(struct store *st)
{
	struct store_v3 *v3 = v3_of(st);

	v3_watch_free(v3->watch);
	v3_session_release(&v3->session);
	v3_leases_release(&v3->leases);
	free(v3);
}

static const struct store_ops v3_ops = {
	.put = put,
	.remove = remove_key,
	.put_many = put_many,
	.remove_many = remove_many,
	.forget = forget,
	.due_ms = due_ms,
	.heartbeat = heartbeat,
	.notice = notice,
	.watch = watch,
	.remove_all = remove_all,
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
	v3->session.store = &v3->base;
	v3->session.prefix = prefix;
	v3->batch = STORE_BATCH_MAX;
	v3->watch = v3_watch_new(&v3->session);
	if (!v3->watch) {
		free(v3);
		return NULL;
	}
	v3_leases_init(&v3->leases, common->leases);
	return &v3->base;
}
