/* SPDX-License-Identifier: MIT */
/* The hash table with many elements, and with several elements of one key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/base/hashmap.h"

enum { MANY = 1000 };

static void finds_what_is_in_it(void **state)
{
	static struct hash_node nodes[MANY];
	struct hashmap map;

	(void)state;
	assert_int_equal(hashmap_init(&map), 0);
	for (uint64_t i = 0; i < MANY; i++)
		hashmap_add(&map, &nodes[i], i * 64);
	assert_int_equal(map.len, MANY);
	for (uint64_t i = 0; i < MANY; i += 2)
		hashmap_remove(&map, &nodes[i]);
	for (uint64_t i = 0; i < MANY; i++)
		assert_ptr_equal(hashmap_first(&map, i * 64), i % 2 ? &nodes[i] : NULL);
	assert_int_equal(map.len, MANY / 2);
	assert_null(hashmap_first(&map, 1));
	hashmap_release(&map);
}

static void one_key_may_be_there_often(void **state)
{
	struct hash_node nodes[3], other;
	struct hashmap map;
	size_t len = 0;

	(void)state;
	assert_int_equal(hashmap_init(&map), 0);
	for (size_t i = 0; i < 3; i++)
		hashmap_add(&map, &nodes[i], 7);
	hashmap_add(&map, &other, 8);
	for (struct hash_node *node = hashmap_first(&map, 7); node; node = hashmap_next(node))
		len++;
	assert_int_equal(len, 3);
	hashmap_remove(&map, &nodes[1]);
	assert_ptr_not_equal(hashmap_first(&map, 7), &nodes[1]);
	assert_ptr_not_equal(hashmap_next(hashmap_first(&map, 7)), &nodes[1]);
	hashmap_release(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_is_in_it),
		cmocka_unit_test(one_key_may_be_there_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
