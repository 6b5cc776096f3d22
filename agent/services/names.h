/* SPDX-License-Identifier: MIT */
/*
 * names.h - parse ETCD_REGISTRY_NAME: the names that a process wants for its ports.  No I/O.
 *
 *	names = item *( "," item )
 *	item  = name [ ":" port [ "/tcp" / "/udp" ] ]        blanks around an item are ignored
 *	name  = 1-255 bytes, none of them a control character, ":", "," or "/"
 *	port  = 1-65535
 *
 * An item with a port claims every socket of the process on that port and transport.  The default
 * transport is TCP, which includes MPTCP.  One name may have several ports and one port several
 * names: each pair is a service of its own.
 *
 * A bare name claims one TCP port: that of the oldest socket of the process that still listens and
 * has an address to advertise.  Ports that other items name do not count.  When that socket is
 * gone, the next takes over.
 *
 * The parser refuses what it could only guess: two bare names, the same item twice, an empty item.
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
 * Parses the text.  Release *ret with names_release().  Fails with ETCDREG_E_CONFIG and a line that
 * quotes the wrong item, or with ETCDREG_E_NOMEM.
 */
int names_parse(const char *text, struct names *ret, struct etcdreg_err *err);

void names_release(struct names *names);

/*
 * Returns whether the item claims a socket of that port and protocol (IPPROTO_*).  A bare item
 * never does.
 */
bool names_item_matches(const struct name_item *item, uint16_t port, uint16_t protocol);

/* Returns whether any item with a port claims such a socket. */
bool names_claim(const struct names *names, uint16_t port, uint16_t protocol);

#endif
