/* SPDX-License-Identifier: MIT */
/* Reports the changes of services as they come. */
#define _GNU_SOURCE
#include "watch.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/backoff.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "service.h"
#include "watch_state.h"

#define CHECK_MS 5000
#define OPENING_MS 3000
#define MEMBERS_MAX_MS 1000
#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 4000 /* 5 s with jitter */

struct etcdreg_watch {
	struct session *session;
	char *folder;
	char *name; /* NULL: any */
	struct watch_state state;
	struct store_follow follow;
	bool listed;                /* the state is that of the revision follow.after */
	bool denied;                /* a stream was denied since one stood */
	uint64_t opened_ms;         /* when the stream was opened */
	uint64_t check_ms;          /* when to check the cluster next */
	unsigned backoff_ms;        /* after the latest failure; 0: none since a stream stood */
	uint64_t retry_ms;          /* no attempt before that time */
	struct etcdreg_err failure; /* of the latest attempt; code 0: none */
	atomic_bool stopped;
};

int watch_new(const struct session_source *source, const char *name, struct etcdreg_watch **ret,
	      struct etcdreg_err *err)
{
	int r = name ? service_check_name(name, err) : 0;
	struct etcdreg_watch *w;

	if (r < 0)
		return r;
	w = calloc(1, sizeof(*w));
	if (!w)
		return err_nomem(err);
	w->folder = service_folder(source->connstr->namespace, name);
	w->name = name ? strdup(name) : NULL;
	watch_state_init(&w->state, w->folder, w->name);
	if (!w->folder || (name && !w->name))
		r = err_nomem(err);
	else
		r = session_source_open(source, &w->session, err);
	if (r < 0) {
		etcdreg_watch_close(w);
		return r;
	}
	*ret = w;
	return 0;
}

static void close_stream(struct etcdreg_watch *w)
{
	cluster_stream_close(w->follow.stream);
	w->follow.stream = NULL;
}

void etcdreg_watch_close(struct etcdreg_watch *w)
{
	if (!w)
		return;
	close_stream(w);
	session_free(w->session);
	watch_state_release(&w->state);
	free(w->folder);
	free(w->name);
	free(w);
}

void etcdreg_watch_stop(struct etcdreg_watch *w)
{
	atomic_store(&w->stopped, true);
	cluster_interrupt(session_cluster(w->session));
}

static void back_off(struct etcdreg_watch *w)
{
	w->backoff_ms = longer_ms(w->backoff_ms, BACKOFF_MIN_MS, BACKOFF_MAX_MS);
	w->retry_ms = now_ms() + jittered_ms(w->backoff_ms);
}

static int put_document(const char *path, const char *text, void *arg, struct etcdreg_err *err)
{
	return watch_state_put(arg, path, text, err);
}

static int take_change(const struct store_change *change, void *arg, struct etcdreg_err *err)
{
	if (change->document)
		return watch_state_put(arg, change->path, change->document, err);
	return watch_state_remove(arg, change->path, change->is_folder, err);
}

static int list(struct etcdreg_watch *w, struct store *store, struct etcdreg_err *err)
{
	const struct store_query query = {
		.folder = w->folder,
		.each = put_document,
		.arg = &w->state,
		.ret_revision = &w->follow.after,
	};
	int r;

	watch_state_begin_list(&w->state);
	r = store->ops->list(store, &query, err);
	if (r == 0)
		r = watch_state_end_list(&w->state, err);
	w->listed = r == 0;
	return r;
}

/* Checks that the cluster answers and still has the state that was reported. */
static int check(struct etcdreg_watch *w, struct store *store, struct etcdreg_err *err)
{
	int r = store->ops->check(store, w->folder, &w->follow, err);

	if (r == ETCDREG_E_NOTFOUND) {
		close_stream(w);
		w->listed = false;
		r = 0;
	}
	if (r == 0)
		w->check_ms = now_ms() + CHECK_MS;
	return r;
}

static int open_stream(struct etcdreg_watch *w, struct store *store, struct etcdreg_err *err)
{
	w->opened_ms = now_ms();
	return store->ops->follow(store, w->folder, &w->follow, err);
}

/* The revisions of one API mean nothing in another one. */
static int current_store(struct etcdreg_watch *w, struct store **ret, struct etcdreg_err *err)
{
	bool is_new = false;
	int r = session_store(w->session, ret, &is_new, err);

	if (r == 0 && is_new) {
		close_stream(w);
		w->listed = false;
	}
	return r;
}

static void give_up_stream(struct etcdreg_watch *w)
{
	close_stream(w);
	w->follow.broken = true;
	w->check_ms = 0;
	back_off(w);
}

/*
 * Returns whether the caller must hear of the error.  A stream that has ended is opened again.  A
 * first denial may come from an expired token; the next check logs in again.
 */
static bool is_failure(struct etcdreg_watch *w, int code)
{
	bool was_denied = w->denied;

	w->denied |= code == ETCDREG_E_DENIED;
	if (code == ETCDREG_E_DENIED)
		return was_denied;
	return code != ETCDREG_E_UNREACH && code != ETCDREG_E_NOTFOUND;
}

/* Continues at once if the stream has reported a change; otherwise there is a pause first. */
static int end_stream(struct etcdreg_watch *w, int code, bool has_told)
{
	if (code == ETCDREG_E_NOTFOUND || code == ETCDREG_E_NOMEM)
		w->listed = false;
	if (has_told) {
		close_stream(w);
	} else {
		if (!w->follow.stands || code != ETCDREG_E_UNREACH)
			cluster_stream_failed(w->follow.stream);
		give_up_stream(w);
	}
	return is_failure(w, code) ? code : 0;
}

static int read_stream(struct etcdreg_watch *w, struct store *store, struct etcdreg_err *err)
{
	int64_t before = w->follow.after;
	int r = store->ops->read_follow(store, &w->follow, take_change, &w->state, err);
	bool has_told = w->follow.after != before;

	if (r == 0 && !w->follow.stands && now_ms() >= w->opened_ms + OPENING_MS)
		r = err_set(err, ETCDREG_E_UNREACH, "etcd did not confirm the watch within %d ms",
			    OPENING_MS);
	if (r < 0)
		return end_stream(w, r, has_told);
	if (w->follow.stands) {
		w->backoff_ms = 0;
		w->denied = false;
		session_refresh_members(w->session, MEMBERS_MAX_MS);
	}
	return 0;
}

/* Does one step.  Does not wait for changes. */
static int step(struct etcdreg_watch *w, struct etcdreg_err *err)
{
	struct store *store;
	int r = current_store(w, &store, err);

	if (r == 0 && now_ms() >= w->check_ms)
		r = check(w, store, err);
	if (r == 0 && !w->listed)
		r = list(w, store, err);
	if (r == 0 && !w->follow.stream)
		r = open_stream(w, store, err);
	if (r == 0)
		return read_stream(w, store, err);
	give_up_stream(w);
	return r;
}

static int try_step(struct etcdreg_watch *w)
{
	w->failure.code = 0;
	return step(w, &w->failure);
}

static int fail_again(const struct etcdreg_watch *w, struct etcdreg_err *err)
{
	return err_set(err, w->failure.code, "%s", w->failure.msg);
}

static uint64_t next_ms(const struct etcdreg_watch *w)
{
	uint64_t next = w->check_ms;

	if (!w->follow.stream)
		return w->retry_ms;
	if (!w->follow.stands && w->opened_ms + OPENING_MS < next)
		next = w->opened_ms + OPENING_MS;
	return next;
}

/* Lets the stream receive even if the time has passed, since a caller may always pass 0. */
static void rest_until(struct etcdreg_watch *w, uint64_t next)
{
	uint64_t now = now_ms();

	cluster_wait(session_cluster(w->session), next > now ? next - now : 0);
}

static int wait_for_change(struct etcdreg_watch *w, uint64_t deadline,
			   const struct etcdreg_change **ret, struct etcdreg_err *err)
{
	for (bool is_over = false;; is_over = now_ms() >= deadline) {
		const struct etcdreg_change *change = watch_state_take(&w->state);
		uint64_t next;
		int r;

		if (atomic_load(&w->stopped))
			return err_set(err, ETCDREG_E_STOPPED, "the program stopped the watch");
		if (change) {
			*ret = change;
			return 0;
		}
		r = now_ms() >= w->retry_ms ? try_step(w) : 0;
		if (r < 0 && !atomic_load(&w->stopped))
			return fail_again(w, err);
		if (w->state.first)
			continue;
		if (is_over && w->failure.code != 0)
			return fail_again(w, err);
		if (is_over)
			return err_set(err, ETCDREG_E_TIMEOUT, "no change within the time limit");
		next = next_ms(w);
		rest_until(w, next < deadline ? next : deadline);
	}
}

int etcdreg_watch_next(struct etcdreg_watch *w, unsigned timeout_ms,
		       const struct etcdreg_change **ret_change, struct etcdreg_err *err)
{
	uint64_t deadline = timeout_ms == UINT_MAX ? UINT64_MAX : now_ms() + timeout_ms;
	struct etcdreg_err why;
	int r = wait_for_change(w, deadline, ret_change, &why);

	return r < 0 ? err_set(err, r, "%s", why.msg) : 0;
}
