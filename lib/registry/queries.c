/* SPDX-License-Identifier: MIT */
/* Lookup and list, for any number of callers at the same time. */
#define _GNU_SOURCE
#include "queries.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "entry.h"
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/random.h"
#include "service.h"

#define IDLE_MAX 4
#define MEMBERS_MAX_MS 1000

struct queries {
	const struct session_source *source;
	pthread_mutex_t lock; /* protects `idle` and idle_len; nobody holds it during I/O */
	struct session *idle[IDLE_MAX];
	size_t idle_len;
};

struct queries *queries_new(const struct session_source *source)
{
	struct queries *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	q->source = source;
	pthread_mutex_init(&q->lock, NULL);
	return q;
}

void queries_free(struct queries *q)
{
	if (!q)
		return;
	while (q->idle_len > 0)
		session_free(q->idle[--q->idle_len]);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

static int borrow_session(struct queries *q, struct session **ret, struct etcdreg_err *err)
{
	struct session *session = NULL;

	pthread_mutex_lock(&q->lock);
	if (q->idle_len > 0)
		session = q->idle[--q->idle_len];
	pthread_mutex_unlock(&q->lock);
	if (!session)
		return session_source_open(q->source, ret, err);
	*ret = session;
	return 0;
}

static void return_session(struct queries *q, struct session *session)
{
	pthread_mutex_lock(&q->lock);
	if (q->idle_len < IDLE_MAX)
		q->idle[q->idle_len++] = STEAL(session);
	pthread_mutex_unlock(&q->lock);
	session_free(session);
}

/* The documents found so far. */
struct found {
	const char *folder;
	const char *name;               /* NULL: any */
	struct etcdreg_entry **entries; /* with a NULL after the last */
	size_t len;
	size_t cap;
};

static void found_release(struct found *found)
{
	etcdreg_list_free(found->entries);
}

/* Makes room for one more entry and the NULL. */
static bool make_room(struct found *found)
{
	if (!ARRAY_RESERVE(found->entries, found->cap, found->len + 1))
		return false;
	found->entries[found->len] = NULL;
	return true;
}

/* Takes what *entry owns, on failure too. */
static int add_entry(struct found *found, struct etcdreg_entry *entry, struct etcdreg_err *err)
{
	struct etcdreg_entry *added = make_room(found) ? malloc(sizeof(*added)) : NULL;

	if (!added) {
		entry_release(entry);
		return err_nomem(err);
	}
	*added = *entry;
	found->entries[found->len++] = added;
	found->entries[found->len] = NULL;
	return 0;
}

static int take_document(const char *path, const char *text, void *arg, struct etcdreg_err *err)
{
	struct found *found = arg;
	struct etcdreg_entry entry;

	if (!entry_is_of(found->folder, found->name, path))
		return 0;
	switch (entry_read(text, found->name, &entry)) {
	case ENTRY_NOMEM:
		return err_nomem(err);
	case ENTRY_NONE:
		return 0;
	case ENTRY_READ:
		break;
	}
	return add_entry(found, &entry, err);
}

static int compare_entries(const void *a, const void *b)
{
	const struct etcdreg_entry *const *x = a, *const *y = b;
	int order = strcmp((*x)->name, (*y)->name);

	return order ? order : strcmp((*x)->url, (*y)->url);
}

static int list_folder(struct queries *q, struct found *found, struct etcdreg_err *err)
{
	const struct store_query query = {
		.folder = found->folder,
		.each = take_document,
		.arg = found,
	};
	struct session *session;
	struct store *store;
	int r = borrow_session(q, &session, err);

	if (r < 0)
		return r;
	cluster_set_deadline(session_cluster(session), now_ms() + q->source->config->timeout_ms);
	r = session_store(session, &store, NULL, err);
	if (r == 0)
		r = store->ops->list(store, &query, err);
	if (r == 0)
		session_refresh_members(session, MEMBERS_MAX_MS);
	return_session(q, session);
	return r;
}

static int list_names(struct queries *q, const char *name, struct found *found,
		      struct etcdreg_err *err)
{
	CLEANUP(free) char *folder = service_folder(q->source->connstr->namespace, name);
	int r;

	if (!folder || !make_room(found))
		return err_nomem(err);
	found->folder = folder;
	found->name = name;
	r = list_folder(q, found, err);
	found->folder = NULL;
	if (r == 0 && found->len > 1)
		qsort(found->entries, found->len, sizeof(*found->entries), compare_entries);
	return r;
}

/* A failed attempt writes to `why`, so *err changes only if the whole call fails. */
int queries_list(struct queries *q, const char *name, struct etcdreg_entry ***ret_entries,
		 size_t *ret_len, struct etcdreg_err *err)
{
	CLEANUP(found) struct found found = {0};
	struct etcdreg_err why;
	int r = name ? service_check_name(name, &why) : 0;

	if (r == 0)
		r = list_names(q, name, &found, &why);
	if (r < 0)
		return err_set(err, r, "%s", why.msg);
	if (ret_len)
		*ret_len = found.len;
	*ret_entries = STEAL(found.entries);
	return 0;
}

/* Takes a random entry out of the list. */
static struct etcdreg_entry *pick(struct etcdreg_entry **entries, size_t len)
{
	size_t at = random_below(len);
	struct etcdreg_entry *picked = entries[at];

	entries[at] = entries[len - 1];
	entries[len - 1] = NULL;
	return picked;
}

int queries_lookup(struct queries *q, const char *name, struct etcdreg_entry **ret_entry,
		   struct etcdreg_err *err)
{
	struct etcdreg_entry **entries = NULL;
	size_t len = 0;
	int r = service_check_name(name, err);

	if (r == 0)
		r = queries_list(q, name, &entries, &len, err);
	if (r < 0)
		return r;
	if (len > 0)
		*ret_entry = pick(entries, len);
	etcdreg_list_free(entries);
	if (len == 0)
		return err_set(err, ETCDREG_E_NOTFOUND, "no service '%s' is registered", name);
	return 0;
}
