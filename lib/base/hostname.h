/* SPDX-License-Identifier: MIT */
/*
 * hostname.h - how the host of a URL is written: an IPv4 address, an IPv6 address, or a name.
 *
 * An IPv6 address has brackets in a URL, where a port may follow, and nowhere else: a `hostname` in
 * this program has none.  Nothing here asks a resolver.  The texts of a length need not be
 * NUL-terminated, and hold no NUL.
 */
#ifndef ETCDREG_LIB_BASE_HOSTNAME_H
#define ETCDREG_LIB_BASE_HOSTNAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

#define HOSTNAME_BYTES 16 /* of an IPv6 address; an IPv4 address has 4 */

/*
 * Returns AF_INET or AF_INET6 for an address in its usual form (four decimal numbers; without
 * brackets, without an interface), and 0 for anything else.  Writes the address to `ret` in network
 * order, unless `ret` is NULL.
 */
int hostname_family(const char *s, size_t len, uint8_t ret[HOSTNAME_BYTES]);

/*
 * Tells whether the text may be a name: 1 to 253 letters, digits, dots, hyphens and underscores.
 * An IPv4 address is one too, an IPv6 address is not.
 */
bool hostname_is_name(const char *s, size_t len);

/* The parts of "HOST", "HOST:PORT", "[HOST]" or "[HOST]:PORT"; they point into that text. */
struct hostname_parts {
	const char *host; /* without brackets, never empty */
	size_t host_len;
	const char *rest; /* what follows the host: nothing, or a colon and the port */
	size_t rest_len;
	bool in_brackets;
};

/*
 * Splits the text at the bracket that closes, else at the first colon.  It judges neither part: the
 * host may be no host, and after a bracket the rest may begin with anything.  false: the host is
 * empty, or its bracket does not close.
 */
bool hostname_split(const char *text, size_t len, struct hostname_parts *ret);

/* Adds "HOST:PORT", or "HOST" if the port is 0, with the brackets of an IPv6 address. */
void hostname_add(struct buf *b, const char *hostname, unsigned port);

#endif
