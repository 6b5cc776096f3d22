/* SPDX-License-Identifier: MIT */
/*
 * hostname.h - the host of a URL: an IPv4 address, an IPv6 address, or a name.
 *
 * An IPv6 address has brackets only in a URL, where a port may follow.  A `hostname` in this
 * program has none.  No function here asks a resolver.  A text that comes with a length need not
 * be NUL-terminated, and holds no NUL.
 */
#ifndef ETCDREG_LIB_BASE_HOSTNAME_H
#define ETCDREG_LIB_BASE_HOSTNAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

#define HOSTNAME_BYTES 16 /* of an IPv6 address; an IPv4 address has 4 */

/*
 * Returns AF_INET or AF_INET6 for an address in its usual form, and 0 for anything else.  An IPv4
 * address is four decimal numbers; an IPv6 address has neither brackets nor an interface.  Writes
 * the address to `ret` in network order, unless `ret` is NULL.
 */
int hostname_family(const char *s, size_t len, uint8_t ret[HOSTNAME_BYTES]);

/*
 * Returns whether the text may be a name: 1 to 253 letters, digits, dots, hyphens and underscores.
 * An IPv4 address passes too, an IPv6 address does not.
 */
bool hostname_is_name(const char *s, size_t len);

/* The parts of "HOST", "HOST:PORT", "[HOST]" or "[HOST]:PORT"; they point into that text. */
struct hostname_parts {
	const char *host; /* without brackets, never empty */
	size_t host_len;
	const char *rest; /* after the host: nothing, or a colon and the port */
	size_t rest_len;
	bool in_brackets;
};

/*
 * Splits the text after the closing bracket, else at the first colon.  Checks neither part: the
 * host may be invalid, and after a bracket the rest may begin with any character.  Returns false
 * if the host is empty or its bracket does not close.
 */
bool hostname_split(const char *text, size_t len, struct hostname_parts *ret);

/* Adds "HOST:PORT", or "HOST" if the port is 0.  Puts an IPv6 address in brackets. */
void hostname_add(struct buf *b, const char *hostname, unsigned port);

#endif
