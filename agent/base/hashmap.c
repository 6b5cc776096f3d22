/* SPDX-License-Identifier: MIT */
/* A chained hash table of 64-bit keys. */
#include "hashmap.h"

#include <stdlib.h>

#include "lib/etcd-registry.h"

enum { BUCKETS_MIN = 64 };

/* Inodes and pids are consecutive numbers: the multiplication spreads them over the high bits. */
static struct hash_node **bucket_of(const struct hashmap *map, uint64_t key)
{
	return &map->buckets[(key * 0x9e3779b97f4a7c15u >> 32) & (map->buckets_len - 1)];
}

int hashmap_init(struct hashmap *map)
{
	struct hash_node **buckets = calloc(BUCKETS_MIN, sizeof(*buckets));

	if (!buckets)
		return ETCDREG_E_NOMEM;
	*map = (struct hashmap){.buckets = buckets, .buckets_len = BUCKETS_MIN};
	return 0;
}

void hashmap_release(struct hashmap *map)
{
	free(map->buckets);
	*map = (struct hashmap){0};
}

static void link_node(struct hashmap *map, struct hash_node *node)
{
	struct hash_node **bucket = bucket_of(map, node->key);

	node->next = *bucket;
	*bucket = node;
}

static void grow(struct hashmap *map)
{
	struct hashmap bigger = {.buckets_len = map->buckets_len * 2, .len = map->len};

	bigger.buckets = calloc(bigger.buckets_len, sizeof(*bigger.buckets));
	if (!bigger.buckets)
		return;
	for (size_t i = 0; i < map->buckets_len; i++) {
		for (struct hash_node *node = map->buckets[i], *next; node; node = next) {
			next = node->next;
			link_node(&bigger, node);
		}
	}
	free(map->buckets);
	*map = bigger;
}

void hashmap_add(struct hashmap *map, struct hash_node *node, uint64_t key)
{
	if (map->len >= map->buckets_len)
		grow(map);
	node->key = key;
	link_node(map, node);
	map->len++;
}

void hashmap_remove(struct hashmap *map, struct hash_node *node)
{
	struct hash_node **at = bucket_of(map, node->key);

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	map->len--;
}

struct hash_node *hashmap_first(const struct hashmap *map, uint64_t key)
{
	struct hash_node *node = *bucket_of(map, key);

	return !node || node->key == key ? node : hashmap_next(&(struct hash_node){node, key});
}

struct hash_node *hashmap_next(const struct hash_node *node)
{
	struct hash_node *next = node->next;

	while (next && next->key != node->key)
		next = next->next;
	return next;
}
