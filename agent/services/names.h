/* SPDX-License-Identifier: MIT */
/*
 * names.h - ETCD_REGISTRY_NAME: which names a process wants for which of its ports.  Pure: text in,
 * table out.
 *
 *	names = item *( "," item )
 *	item  = name [ ":" port [ "/tcp" / "/udp" ] ]        blanks around an item are ignored
 *	name  = 1-255 bytes, none of them a control character, ":", "," or "/"
 *	port  = 1-65535
 *
 * An item with a port claims every socket of the process on that port and transport (TCP and MPTCP
 * are one; without a transport it is TCP).  One name may have several ports and one port several
 * names: each pair is a service of its own.
 *
 * A bare name claims one TCP port: that of the process's oldest socket that still listens, has an
 * address to advertise, and whose port no other item names.  When it is gone, the next takes over.
 *
 * Refused, since it could only be guessed what was meant: two bare names, one item twice, an empty
 * item.
 */
#ifndef ETCDREG_AGENT_SERVICES_NAMES_H
#define ETCDREG_AGENT_SERVICES_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/etcd-registry.h"

struct name_item {
	char *name;
	uint16_t port;     /* 0: bare */
	uint16_t protocol; /* IPPROTO_TCP or IPPROTO_UDP */
};

struct names {
	struct name_item *items;
	size_t len;
};

/*
 * Release *ret with names_release().
 * Fails with ETCDREG_E_CONFIG and a line that quotes the offending item, or ETCDREG_E_NOMEM.
 */
int names_parse(const char *text, struct names *ret, struct etcdreg_err *err);

void names_release(struct names *names);

/*
 * Does the item with a port claim a socket of that port and protocol (IPPROTO_*)?  A bare item
 * never does.
 */
bool names_item_matches(const struct name_item *item, uint16_t port, uint16_t protocol);

/* Does any item with a port? */
bool names_claim(const struct names *names, uint16_t port, uint16_t protocol);

/* The bare item, or NULL. */
const struct name_item *names_bare(const struct names *names);

#endif
