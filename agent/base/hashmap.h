/* SPDX-License-Identifier: MIT */
/*
 * hashmap.h - a hash table with 64-bit keys, whose nodes are inside the elements.
 *
 * Several elements may have the same key.  So the caller goes through all of them, and compares the
 * value that the key was made from.  lib/base/hash.h makes a key from text.  The table doubles when
 * it is full.  If there is no memory for that, the chains get longer.
 */
#ifndef ETCDREG_AGENT_BASE_HASHMAP_H
#define ETCDREG_AGENT_BASE_HASHMAP_H

#include <stdint.h>

#include "list.h"

struct hash_node {
	struct hash_node *next;
	uint64_t key;
};

struct hashmap {
	struct hash_node **buckets;
	size_t buckets_len, len;
};

#define HASH_ENTRY(node, type, member) LIST_ENTRY(node, type, member)

/* Fails with ETCDREG_E_NOMEM. */
int hashmap_init(struct hashmap *map);

/* Frees the table, not the elements.  Accepts a zeroed map. */
void hashmap_release(struct hashmap *map);

/* Adds `node` under `key`.  Never fails. */
void hashmap_add(struct hashmap *map, struct hash_node *node, uint64_t key);

/* Removes `node`, which must be in the map. */
void hashmap_remove(struct hashmap *map, struct hash_node *node);

/* Return the first node with `key`, and the one after `node` with the same key; NULL: none. */
struct hash_node *hashmap_first(const struct hashmap *map, uint64_t key);
struct hash_node *hashmap_next(const struct hash_node *node);

#endif
