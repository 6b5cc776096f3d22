/* SPDX-License-Identifier: MIT */
/*
 * service.h - a service with its document and the key under which etcd stores it.
 *
 *	host      hostname:port with brackets around IPv6; the hostname alone if there is no port
 *	url       protocol://host
 *	path      services/[namespace/]<name>/<sha1 of "name-url" in hex>
 *	document  {"port":8080,<members of meta>,"name":"..","hostname":"..","host":"..","url":".."}
 *
 * In the path, '-' replaces each character of the name outside [A-Za-z0-9-].  A character beyond
 * U+FFFF becomes two '-', since the npm package counts UTF-16 units.  A member of meta with one of
 * the five names above is dropped.
 *
 * All of it is byte for byte what the npm package etcd-registry writes, so both use the same key.
 */
#ifndef ETCDREG_LIB_REGISTRY_SERVICE_H
#define ETCDREG_LIB_REGISTRY_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/etcd-registry.h"
#include "sized.h"

#define SERVICE_NAME_MAX 255
#define SERVICE_META_MAX 4096

struct service {
	size_t size; /* of the public struct that it was made from, at most SIZED_MAX */
	char *name;
	char *hostname; /* IPv6 without brackets */
	unsigned port;
	char *protocol;
	char *meta; /* as the caller gave it; NULL: none */
	uint64_t tag;
	char *host;
	char *url;
	char *path;
	char *document;
};

/*
 * Makes a service from a checked copy of `from`.  If from->hostname is NULL, it uses `hostname`.
 * Release *ret with service_release().  Fails with ETCDREG_E_INVALID, _SYSTEM or _NOMEM.
 */
int service_init(struct service *ret, const struct etcdreg_service *from, const char *hostname,
		 const char *namespace, struct etcdreg_err *err);
void service_release(struct service *s);

/*
 * The public struct of a service, for events.  A program that was built for a newer version copies
 * more bytes than `service` has; the zeros are its members beyond ours.
 */
struct service_view {
	struct etcdreg_service service;
	char zeros[SIZED_MAX - sizeof(struct etcdreg_service)];
};

/* Returns the view of a service.  Its texts belong to `s`. */
struct service_view service_view(const struct service *s);

/*
 * Checks that the name is 1-255 bytes of UTF-8 without control characters; NULL is not.  Fails with
 * ETCDREG_E_INVALID.
 */
int service_check_name(const char *name, struct etcdreg_err *err);

/*
 * Returns the folder of a name, "services/[namespace/]<name>/" with the name as in a path.  If
 * `name` is NULL, returns the folder of the namespace, "services/[namespace/]".  The caller frees
 * it.  NULL: out of memory.
 */
char *service_folder(const char *namespace, const char *name);

#endif
