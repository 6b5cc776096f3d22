/* SPDX-License-Identifier: MIT */
/*
 * sized.h - structs that a program fills and that later versions extend; each begins with
 * `size_t size`.
 *
 * A program that was built for an older version has a smaller struct: the members that it lacks
 * are 0.  One that was built for a newer version has a larger struct, which is accepted if the
 * members that this version does not know are 0.
 *
 * A new member is the last one, and must not lie where an older version had padding.
 */
#ifndef ETCDREG_LIB_REGISTRY_SIZED_H
#define ETCDREG_LIB_REGISTRY_SIZED_H

#include <stddef.h>

#include "lib/etcd-registry.h"

/* The size of a struct whose last member is that one, and that has no padding behind it. */
#define SIZED_END(type, member) (offsetof(type, member) + sizeof(((type *)NULL)->member))

struct sized {
	const char *name;  /* of the struct, for messages */
	const char *init;  /* the macro that sets the size, for messages */
	size_t size;       /* of the struct in this version, at most SIZED_MAX */
	size_t first_size; /* of the struct in 0.2.0, the first version that had a size */
};

/* Bytes of any of them; a size beyond is not taken for one, and nothing is read. */
#define SIZED_MAX 4096

/*
 * Copies the struct at `from` to `ret`, which has sized->size bytes.  Members that `from` lacks are
 * 0.  The size of the copy is the smaller one: it counts the members that both sides know.  Borrows
 * what `from` points to.  Fails with ETCDREG_E_INVALID.
 */
int sized_copy(const struct sized *sized, const void *from, void *ret, struct etcdreg_err *err);

#endif
