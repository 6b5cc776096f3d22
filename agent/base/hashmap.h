/* SPDX-License-Identifier: MIT */
/*
 * hashmap.h - find an element by a 64-bit number, with the chain's node inside the element.
 *
 * Several elements may have one key: who looks up goes through all of them and compares what the
 * key was made of; lib/base/hash.h makes a key of text.  The table doubles when it is full; if
 * there is no memory for that, the chains just get longer.
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

/* Frees the table, not the elements.  A zeroed map is fine. */
void hashmap_release(struct hashmap *map);

void hashmap_add(struct hashmap *map, struct hash_node *node, uint64_t key);

/* `node` must be in the map. */
void hashmap_remove(struct hashmap *map, struct hash_node *node);

/* The first element of that key and the one after it, or NULL. */
struct hash_node *hashmap_first(const struct hashmap *map, uint64_t key);
struct hash_node *hashmap_next(const struct hash_node *node);

#endif
