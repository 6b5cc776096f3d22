/* SPDX-License-Identifier: MIT */
/* A sorted array of paths. */
#define _GNU_SOURCE
#include "v3_paths.h"

#include <stdlib.h>
#include <string.h>

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool v3_paths_init(struct v3_paths *paths, const struct store_key *const *keys, size_t len)
{
	*paths = (struct v3_paths){.all = calloc(len + 1, sizeof(*paths->all))};
	if (!paths->all)
		return false;
	for (; paths->len < len; paths->len++) {
		char *copy = strdup(keys[paths->len]->path);

		if (!copy) {
			v3_paths_release(paths);
			return false;
		}
		paths->all[paths->len] = copy;
	}
	qsort(paths->all, paths->len, sizeof(*paths->all), compare_paths);
	return true;
}

void v3_paths_release(struct v3_paths *paths)
{
	while (paths->len > 0)
		free(paths->all[--paths->len]);
	free(paths->all);
	paths->all = NULL;
}

bool v3_paths_has(const struct v3_paths *paths, const char *path)
{
	return paths->len > 0 &&
	       bsearch(&path, paths->all, paths->len, sizeof(*paths->all), compare_paths);
}
