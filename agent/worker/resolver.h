/* SPDX-License-Identifier: MIT */
/*
 * resolver.h - the address of an etcd host that may have been given by name, without waiting for
 * name servers.  The route to etcd decides which address a service is advertised under
 * (lib/net/address.h), and a resolver can take many seconds: a thread of its own does it, once, and
 * again when it failed and is asked to.
 */
#ifndef ETCDREG_AGENT_WORKER_RESOLVER_H
#define ETCDREG_AGENT_WORKER_RESOLVER_H

#include <stdbool.h>

#include "lib/config/connstr.h"
#include "lib/etcd-registry.h"

struct resolver {
	int fd;       /* readable when there is an answer to take; -1: no thread runs */
	bool running; /* the thread's answer has not been taken yet */
	char *hosts;  /* NUL-terminated texts, and an empty one at the end */
	size_t hosts_size;
	char *address; /* NULL: not known */
};

/*
 * Of several hosts the first that has an address is taken, of none there is none.  The thread
 * starts at once, unless the first is an address.  Fails with ETCDREG_E_NOMEM or _SYSTEM.
 */
int resolver_init(struct resolver *resolver, const struct connstr_host *hosts, size_t hosts_len);

/* Does not wait for a thread that is under way: what it uses is its own. */
void resolver_release(struct resolver *resolver);

/* Try again, unless the address is known or the thread is under way. */
void resolver_retry(struct resolver *resolver);

/* Takes the thread's answer; whether there is an address shows in `address`. */
void resolver_take(struct resolver *resolver);

#endif
