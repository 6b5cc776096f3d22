/* SPDX-License-Identifier: MIT */
/*
 * address.h - choose the address under which a service is advertised.
 *
 *	1. the setting (ETCD_REGISTRY_HOST): an address or a host name as it is; of an interface
 *	   its address; of a CIDR ("10.0.0.0/8") the local address in it
 *	2. the address that the socket is bound to
 *	3. the local address of the route to etcd, if etcd is on another machine
 *	4. the first private address (10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7), else
 *	   the first global one
 *
 * Steps 3 and 4 choose an address of the socket's family; a socket of both families prefers IPv4.
 * No step chooses a link-local IPv6 address, which means nothing without its interface.  A socket
 * bound to loopback is advertised only with a setting.
 *
 * If etcd_host is a name, the call resolves it, and may block as long as the resolver does.
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
	bool v6only;           /* the AF_INET6 socket takes no IPv4 */
	const char *etcd_host; /* NULL: no step 3 */
	unsigned etcd_port;
};

/*
 * Writes the address without brackets.  `setting` is "" if there is none.  Fails with
 *
 *	ETCDREG_E_NOTFOUND   the socket is bound to loopback and has no setting, or no address fits
 *	ETCDREG_E_CONFIG     the setting is no address, host name, interface or CIDR
 *	ETCDREG_E_SYSTEM     the call cannot list the interfaces
 */
int address_advertise(const char *setting, const struct address_hint *hint,
		      char ret[static ADDRESS_MAX], struct etcdreg_err *err);

/*
 * Returns whether `host` means the machine that uses it: loopback or the unspecified address, in
 * any spelling that the resolver accepts, or "localhost".
 */
bool address_is_loopback(const char *host);

/*
 * Chooses as the npm package does for a service without a hostname: steps 3 and 4 for IPv4, else
 * "127.0.0.1".
 */
void address_default(const char *etcd_host, unsigned etcd_port, char ret[static ADDRESS_MAX]);

#endif
