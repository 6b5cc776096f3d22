/* SPDX-License-Identifier: MIT */
/* zero.h - memory that holds nothing but zeros. */
#ifndef ETCDREG_LIB_BASE_ZERO_H
#define ETCDREG_LIB_BASE_ZERO_H

#include <stdbool.h>
#include <stddef.h>

/* Returns whether all `len` bytes are 0; true for no byte at all. */
static inline bool is_zero(const void *bytes, size_t len)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < len; i++) {
		if (at[i] != 0)
			return false;
	}
	return true;
}

#endif
