/* SPDX-License-Identifier: MIT */
/*
 * resolver.h - find the address of the etcd host without waiting for name servers.
 *
 * The route to etcd decides the address that a service advertises (lib/net/address.h).  The name of
 * the etcd host can take many seconds to resolve, so a thread does that.  It runs once, and again
 * if it failed and the caller asks for it.
 */
#ifndef ETCDREG_AGENT_WORKER_RESOLVER_H
#define ETCDREG_AGENT_WORKER_RESOLVER_H

#include <stdbool.h>

#include "lib/config/connstr.h"
#include "lib/etcd-registry.h"

struct resolver {
	int fd;       /* readable when the thread has answered; -1: no thread runs */
	bool running; /* the caller has not taken the thread's answer yet */
	char *hosts;  /* NUL-terminated texts, then an empty one */
	size_t hosts_size;
	char *address; /* NULL: not known */
};

/*
 * Copies the hosts.  `address` becomes that of the first host that has one.  Starts the thread at
 * once, unless there is no host or the first one is an address.  Fails with ETCDREG_E_NOMEM or
 * _SYSTEM.
 */
int resolver_init(struct resolver *resolver, const struct connstr_host *hosts, size_t hosts_len);

/* Does not wait for a running thread, which owns all that it uses. */
void resolver_release(struct resolver *resolver);

/* Starts the thread again, unless the address is known or the thread still runs. */
void resolver_retry(struct resolver *resolver);

/* Takes the thread's answer without waiting, and sets `address` if the answer has one. */
void resolver_take(struct resolver *resolver);

#endif
