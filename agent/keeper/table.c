/* SPDX-License-Identifier: MIT */
/* Memory that outlives a worker. */
#define _GNU_SOURCE
#include "table.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

struct area {
	size_t len;
	char bytes[TABLE_MAX];
};

struct table {
	struct leases leases;
	_Atomic unsigned valid; /* the index of the area that is valid */
	struct area areas[2];
};

struct table *table_new(void)
{
	void *memory = mmap(NULL, sizeof(struct table), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void table_free(struct table *table)
{
	if (table)
		(void)munmap(table, sizeof(*table));
}

struct leases *table_leases(struct table *table)
{
	return &table->leases;
}

bool table_write(struct table *table, const void *bytes, size_t len)
{
	unsigned other = 1 - atomic_load(&table->valid);
	struct area *area = &table->areas[other];
	bool fits = len <= TABLE_MAX;

	area->len = fits ? len : 0;
	if (fits)
		memcpy(area->bytes, bytes, len);
	atomic_store(&table->valid, other);
	return fits;
}

const void *table_read(const struct table *table, size_t *ret_len)
{
	const struct area *area = &table->areas[atomic_load(&table->valid)];

	*ret_len = area->len <= TABLE_MAX ? area->len : 0;
	return area->bytes;
}
