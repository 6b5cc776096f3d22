/* SPDX-License-Identifier: MIT */
/*
 * service.h - a service as the registry holds it: its document, and the key that it is stored
 * under.
 *
 *	host      hostname:port (IPv6 in brackets), or the hostname alone without a port
 *	url       protocol://host
 *	path      services/[namespace/]<name, each character outside [A-Za-z0-9-] a '-'>/
 *	          <sha1 hex of "name-url">
 *	document  {"port":8080,<meta's members>,"name":"..","hostname":"..","host":"..","url":".."}
 *
 * All of it byte for byte as the npm package etcd-registry writes it, so that both sides mean one
 * key.  Its characters are UTF-16 units: one beyond U+FFFF becomes two '-'.  A member of meta
 * that is called like one of the five is dropped.
 */
#ifndef ETCDREG_LIB_REGISTRY_SERVICE_H
#define ETCDREG_LIB_REGISTRY_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/etcd-registry.h"

#define SERVICE_NAME_MAX 255
#define SERVICE_META_MAX 4096

struct service {
	size_t size; /* of the public struct, in the program that gave it */
	char *name;
	char *hostname; /* IPv6 without brackets */
	unsigned port;
	char *protocol;
	char *meta; /* as it was given; NULL: none */
	uint64_t tag;
	char *host;
	char *url;
	char *path;
	char *document;
};

/*
 * A checked copy of `from`; `hostname` stands in where it has none. Fails with ETCDREG_E_INVALID
 * or _NOMEM.  Release with service_release().
 */
int service_init(struct service *ret, const struct etcdreg_service *from, const char *hostname,
		 const char *namespace, struct etcdreg_err *err);
void service_release(struct service *s);

/* The same as the public struct, for events: borrows everything. */
struct etcdreg_service service_view(const struct service *s);

/* 1-255 bytes of UTF-8 without control characters, or ETCDREG_E_INVALID. */
int service_check_name(const char *name, struct etcdreg_err *err);

/*
 * "services/[namespace/][<normalised name>/]", the folder of one name or (NULL) of the namespace;
 * NULL: no memory.
 */
char *service_folder(const char *namespace, const char *name);

#endif
