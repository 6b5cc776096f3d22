/* SPDX-License-Identifier: MIT */
/* Covers keys with a few narrow ranges. */
#define _GNU_SOURCE
#include "v3_ranges.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_lengths(const void *a, const void *b)
{
	const size_t *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

static size_t common_len(const char *a, const char *b)
{
	size_t len = 0;

	while (a[len] != '\0' && a[len] == b[len])
		len++;
	return len;
}

static const char **sorted_paths(const struct store_key *keys, size_t *ret_len)
{
	const char **paths;
	size_t len = 0;

	for (const struct store_key *key = keys; key; key = key->next)
		len += key->index != 0;
	paths = calloc(len + 1, sizeof(*paths));
	if (!paths)
		return NULL;
	len = 0;
	for (const struct store_key *key = keys; key; key = key->next) {
		if (key->index != 0)
			paths[len++] = key->path;
	}
	qsort(paths, len, sizeof(*paths), compare_paths);
	*ret_len = len;
	return paths;
}

/*
 * How much neighbours must have in common to share a range.  Fewer than V3_RANGES_MAX pairs of
 * them have less than the V3_RANGES_MAX-th smallest, so there are that many ranges at most.
 */
static bool find_shared_len(const char *const *paths, size_t len, size_t *ret)
{
	CLEANUP(free) size_t *common = NULL;

	*ret = SIZE_MAX;
	if (len <= V3_RANGES_MAX)
		return true;
	common = calloc(len - 1, sizeof(*common));
	if (!common)
		return false;
	for (size_t i = 0; i + 1 < len; i++)
		common[i] = common_len(paths[i], paths[i + 1]);
	qsort(common, len - 1, sizeof(*common), compare_lengths);
	*ret = common[V3_RANGES_MAX - 1];
	return true;
}

static bool add_range(struct v3_ranges *ranges, const char *path, bool is_prefix, size_t len)
{
	char *copy = strndup(path, is_prefix ? len : SIZE_MAX);

	if (copy)
		ranges->at[ranges->len++] = (struct v3_range){copy, is_prefix};
	return copy;
}

static bool add_ranges(struct v3_ranges *ranges, const char *const *paths, size_t len,
		       size_t shared_len)
{
	size_t first = 0;

	for (size_t i = 1; i <= len; i++) {
		if (i < len && common_len(paths[i - 1], paths[i]) >= shared_len)
			continue;
		if (!add_range(ranges, paths[first], i - first > 1, shared_len))
			return false;
		first = i;
	}
	return true;
}

bool v3_ranges_init(struct v3_ranges *ranges, const struct store_key *keys)
{
	size_t len, shared_len;
	CLEANUP(free) const char **paths = sorted_paths(keys, &len);

	*ranges = (struct v3_ranges){0};
	if (paths && find_shared_len(paths, len, &shared_len) &&
	    add_ranges(ranges, paths, len, shared_len))
		return true;
	v3_ranges_release(ranges);
	return false;
}

void v3_ranges_release(struct v3_ranges *ranges)
{
	while (ranges->len > 0)
		free(ranges->at[--ranges->len].path);
}

bool v3_range_covers(const struct v3_range *range, const char *path)
{
	if (!range->is_prefix)
		return strcmp(range->path, path) == 0;
	return strncmp(range->path, path, strlen(range->path)) == 0;
}

bool v3_range_equals(const struct v3_range *a, const struct v3_range *b)
{
	return a->is_prefix == b->is_prefix && strcmp(a->path, b->path) == 0;
}
