/* SPDX-License-Identifier: MIT */
/* array.h - the length of an array, and arrays that grow. */
#ifndef ETCDREG_LIB_BASE_ARRAY_H
#define ETCDREG_LIB_BASE_ARRAY_H

#include <stddef.h>
#include <stdlib.h>

/* The number of elements of an array.  A pointer is no array: its result would be wrong. */
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Makes room for one more element at the end of an array that malloc() made.  `all` points to the
 * elements (NULL while there are none), `cap` is how many fit and `len` how many there are; all
 * three are variables or members, and both numbers are a size_t.  Writes `all` and `cap`, never
 * `len`.  The caller frees `all`.  false: no memory, and nothing has changed.
 *
 *	if (!HAS_ROOM(list->all, list->cap, list->len))
 *		return err_nomem(err);
 *	list->all[list->len++] = element;
 *
 * Memory moves, so pointers to elements are valid until the next call only.
 */
#define HAS_ROOM(all, cap, len)                                          \
	((len) < (cap) || (__extension__({                               \
		 size_t cap_ = (cap) > 0 ? 2 * (cap) : 16;               \
		 void *all_ = reallocarray((all), cap_, sizeof(*(all))); \
		 if (all_) {                                             \
			 (all) = all_;                                   \
			 (cap) = cap_;                                   \
		 }                                                       \
		 all_ != NULL;                                           \
	 })))

#endif
