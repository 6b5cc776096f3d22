/* SPDX-License-Identifier: MIT */
/*
 * sized.h - copy structs that a program fills and that later versions extend.
 *
 * Each of these structs begins with `size_t size`.  A program that was built for an older version
 * passes a smaller struct; the members that it does not have count as 0.  A program that was built
 * for a newer version passes a larger one, which is accepted if the members beyond this version are
 * 0.
 *
 * A new member goes to the end of its struct.  It must not lie where an older version had padding.
 */
#ifndef ETCDREG_LIB_REGISTRY_SIZED_H
#define ETCDREG_LIB_REGISTRY_SIZED_H

#include <stddef.h>

#include "lib/etcd-registry.h"

/* The size of a struct that ends with this member and has no padding after it. */
#define SIZED_END(type, member) (offsetof(type, member) + sizeof(((type *)NULL)->member))

struct sized {
	const char *name;  /* of the struct, for messages */
	const char *init;  /* the macro that sets the size, for messages */
	size_t size;       /* of the struct in this version, at most SIZED_MAX */
	size_t first_size; /* of the struct in 0.2.0, the first version with sizes */
};

/* Bytes of the largest struct.  A larger size is refused, and the struct is not read. */
#define SIZED_MAX 4096

/*
 * Copies the struct at `from` to `ret`, which has sized->size bytes.  Members that `from` does not
 * have become 0.  The copy keeps the size of `from`, at most SIZED_MAX, which may be larger than
 * sized->size.  The copy borrows what `from` points to.  Fails with ETCDREG_E_INVALID.
 */
int sized_copy(const struct sized *sized, const void *from, void *ret, struct etcdreg_err *err);

#endif
