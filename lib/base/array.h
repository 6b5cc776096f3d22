/* SPDX-License-Identifier: MIT */
/* array.h - the length of an array, and arrays that grow. */
#ifndef ETCDREG_LIB_BASE_ARRAY_H
#define ETCDREG_LIB_BASE_ARRAY_H

#include <stddef.h>
#include <stdlib.h>

/* Returns the number of elements of an array.  For a pointer the result is wrong. */
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Makes room for one more element at the end of an array that malloc() made.
 *
 *	all   a pointer to the elements; NULL while there are none
 *	cap   how many elements fit, a size_t
 *	len   how many elements there are, a size_t
 *
 * All three are variables or members.  Writes `all` and `cap`, never `len`.  The caller frees
 * `all`.  Returns false if there is no memory; nothing has changed then.
 *
 *	if (!ARRAY_RESERVE(list->all, list->cap, list->len))
 *		return err_nomem(err);
 *	list->all[list->len++] = element;
 *
 * The elements may move: a pointer to one is valid until the next call only.
 */
#define ARRAY_RESERVE(all, cap, len)                                     \
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
