/* SPDX-License-Identifier: MIT */
/* Copies structs of programs that were built for another version. */
#define _GNU_SOURCE
#include "sized.h"

#include <string.h>

#include "lib/base/err.h"
#include "lib/base/zero.h"

int sized_copy(const struct sized *sized, const void *from, void *ret, struct etcdreg_err *err)
{
	size_t size, known;

	memcpy(&size, from, sizeof(size));
	if (size < sized->first_size || size > SIZED_MAX)
		return err_set(err, ETCDREG_E_INVALID,
			       "struct %s has size %zu; initialise it with %s", sized->name, size,
			       sized->init);
	known = size < sized->size ? size : sized->size;
	if (!is_zero((const char *)from + known, size - known))
		return err_set(err, ETCDREG_E_INVALID,
			       "struct %s sets a member that library version " ETCDREG_VERSION
			       " does not have; use a newer library",
			       sized->name);
	memset(ret, 0, sized->size);
	memcpy(ret, from, known);
	return 0;
}
