/* SPDX-License-Identifier: MIT */
/* The services that a watch knows, and the changes that it has yet to report. */
#define _GNU_SOURCE
#include "watch_state.h"

#include <stdlib.h>
#include <string.h>

#include "entry.h"
#include "lib/base/array.h"
#include "lib/base/err.h"

/* Shared by the array of known services and the changes that have it as their entry. */
struct known {
	unsigned refs;
	unsigned list;
	char *path;
	struct etcdreg_entry entry;
};

struct told {
	struct told *next;
	struct known *known;
	struct etcdreg_change change;
};

static void unref(struct known *k)
{
	if (!k || --k->refs > 0)
		return;
	entry_release(&k->entry);
	free(k->path);
	free(k);
}

static void free_told(struct told *told)
{
	if (told)
		unref(told->known);
	free(told);
}

void watch_state_init(struct watch_state *s, const char *folder, const char *name)
{
	*s = (struct watch_state){.folder = folder, .name = name};
	s->last = &s->first;
}

void watch_state_release(struct watch_state *s)
{
	free_told(s->taken);
	while (s->first) {
		struct told *next = s->first->next;

		free_told(s->first);
		s->first = next;
	}
	while (s->len > 0)
		unref(s->known[--s->len]);
	free(s->known);
}

static int tell(struct watch_state *s, enum etcdreg_change_type type, struct known *k,
		struct etcdreg_err *err)
{
	struct told *told = calloc(1, sizeof(*told));

	if (!told)
		return err_nomem(err);
	k->refs++;
	told->known = k;
	told->change = (struct etcdreg_change){type, &k->entry};
	*s->last = told;
	s->last = &told->next;
	return 0;
}

/* Returns the place of the path, or the place to insert it. */
static size_t find(const struct watch_state *s, const char *path, bool *ret_found)
{
	size_t low = 0, high = s->len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(s->known[middle]->path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_found = low < s->len && strcmp(s->known[low]->path, path) == 0;
	return low;
}

static int insert(struct watch_state *s, size_t at, struct known *k, struct etcdreg_err *err)
{
	if (!ARRAY_RESERVE(s->known, s->cap, s->len))
		return err_nomem(err);
	memmove(s->known + at + 1, s->known + at, (s->len - at) * sizeof(struct known *));
	s->known[at] = k;
	s->len++;
	return 0;
}

static int remove_at(struct watch_state *s, size_t at, struct etcdreg_err *err)
{
	struct known *k = s->known[at];
	int r = tell(s, ETCDREG_REMOVED, k, err);

	if (r < 0)
		return r;
	s->len--;
	memmove(s->known + at, s->known + at + 1, (s->len - at) * sizeof(struct known *));
	unref(k);
	return 0;
}

static struct known *known_new(const struct watch_state *s, const char *path,
			       struct etcdreg_entry *entry)
{
	struct known *k = calloc(1, sizeof(*k));

	if (k)
		*k = (struct known){1, s->list, strdup(path), *entry};
	else
		entry_release(entry);
	if (k && !k->path) {
		unref(k);
		return NULL;
	}
	return k;
}

static int add(struct watch_state *s, size_t at, struct known *k, struct etcdreg_err *err)
{
	int r = insert(s, at, k, err);

	if (r < 0) {
		unref(k);
		return r;
	}
	return tell(s, s->complete ? ETCDREG_ADDED : ETCDREG_FOUND, k, err);
}

static int replace(struct watch_state *s, size_t at, struct known *k, struct etcdreg_err *err)
{
	struct known *old = s->known[at];
	bool same = strcmp(old->entry.json, k->entry.json) == 0;

	s->known[at] = k;
	unref(old);
	return same ? 0 : tell(s, ETCDREG_CHANGED, k, err);
}

int watch_state_put(struct watch_state *s, const char *path, const char *text,
		    struct etcdreg_err *err)
{
	struct etcdreg_entry entry;
	struct known *k;
	bool found;
	size_t at = find(s, path, &found);

	if (!entry_is_of(s->folder, s->name, path))
		return 0;
	switch (entry_read(text, s->name, &entry)) {
	case ENTRY_NOMEM:
		return err_nomem(err);
	case ENTRY_NONE:
		return found ? remove_at(s, at, err) : 0;
	case ENTRY_READ:
		break;
	}
	k = known_new(s, path, &entry);
	if (!k)
		return err_nomem(err);
	return found ? replace(s, at, k, err) : add(s, at, k, err);
}

static bool is_under(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && path[len] == '/';
}

int watch_state_remove(struct watch_state *s, const char *path, bool is_folder,
		       struct etcdreg_err *err)
{
	bool found;
	size_t at = find(s, path, &found);
	int r = found ? remove_at(s, at, err) : 0;

	for (size_t i = s->len; is_folder && i-- > 0 && r == 0;) {
		if (is_under(s->known[i]->path, path))
			r = remove_at(s, i, err);
	}
	return r;
}

void watch_state_begin_list(struct watch_state *s)
{
	s->list++;
}

int watch_state_end_list(struct watch_state *s, struct etcdreg_err *err)
{
	int r = 0;

	for (size_t i = s->len; i-- > 0 && r == 0;) {
		if (s->known[i]->list != s->list)
			r = remove_at(s, i, err);
	}
	if (r == 0)
		s->complete = true;
	return r;
}

const struct etcdreg_change *watch_state_take(struct watch_state *s)
{
	free_told(s->taken);
	s->taken = s->first;
	if (!s->taken)
		return NULL;
	s->first = s->taken->next;
	if (!s->first)
		s->last = &s->first;
	return &s->taken->change;
}
