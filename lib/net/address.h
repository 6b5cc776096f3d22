/* SPDX-License-Identifier: MIT */
/*
 * address.h - which address of this machine a service is advertised under.
 *
 *	1. the setting (ETCD_REGISTRY_HOST): an address or a host name, as it is; an
 *	   interface's name, its address; a CIDR ("10.0.0.0/8"), the local address inside it
 *	2. the address that the socket is bound to
 *	3. the local address of the route to etcd, where that is another machine
 *	4. the first private address (10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7), else
 *	   the first global one
 *
 * 3 and 4 choose an address of the socket's family; a socket of both prefers IPv4.  A link-local
 * IPv6 address is never chosen: it means nothing without its interface.  A socket bound to
 * loopback is advertised only with a setting.
 *
 * Where etcd_host is a name it is resolved, so the call may block as long as the resolver does.
 */
#ifndef ETCDREG_LIB_NET_ADDRESS_H
#define ETCDREG_LIB_NET_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/etcd-registry.h"

#define ADDRESS_MAX 256

struct address_hint {
	unsigned family;       /* AF_INET or AF_INET6 */
	uint8_t bytes[16];     /* of the socket, the first 4 for AF_INET; all zero: any */
	bool v6only;           /* of an AF_INET6 socket: no IPv4 */
	const char *etcd_host; /* NULL: step 3 is left out */
	unsigned etcd_port;
};

/*
 * Writes the address without brackets.  `setting` is "" where there is none. Fails with
 * ETCDREG_E_NOTFOUND: bound to loopback without a setting, or no such address; ETCDREG_E_CONFIG:
 * a setting that is none of the four; ETCDREG_E_SYSTEM: the interfaces cannot be listed.
 */
int address_advertise(const char *setting, const struct address_hint *hint,
		      char ret[static ADDRESS_MAX], struct etcdreg_err *err);

/*
 * Whether `host` means whatever machine uses it: a loopback address or the unspecified one, in any
 * spelling that the resolver takes, or localhost.
 */
bool address_is_loopback(const char *host);

/*
 * As the npm package chooses for a service without a hostname: steps 3 and 4 for IPv4, else
 * "127.0.0.1".
 */
void address_default(const char *etcd_host, unsigned etcd_port, char ret[static ADDRESS_MAX]);

#endif
