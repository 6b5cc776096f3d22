/* SPDX-License-Identifier: MIT */
/*
 * resolver.h - the address of an etcd host that was given by name, without waiting for the name
 * servers.  The route to etcd decides which address a service is advertised under (lib/address.h),
 * and a resolver can take many seconds: a thread of its own does it, once, and again when it failed
 * and is asked to.
 */
#ifndef ETCDREG_AGENT_RESOLVER_H
#define ETCDREG_AGENT_RESOLVER_H

#include <stdbool.h>

#include "etcd-registry.h"

struct resolver {
	int fd;         /* readable when there is an answer to take; -1: no thread runs */
	bool running;   /* the thread's answer has not been taken yet */
	char *host;     /* as it was given */
	char *address;  /* NULL: not known */
};

/* Starts at once where `host` is a name.  Fails with ETCDREG_E_NOMEM or _SYSTEM. */
int resolver_init(struct resolver *resolver, const char *host);

/* Does not wait for a thread that is under way: what it uses is its own. */
void resolver_release(struct resolver *resolver);

/* Try again, unless the address is known or the thread is under way. */
void resolver_retry(struct resolver *resolver);

/* Takes the thread's answer; whether there is an address shows in `address`. */
void resolver_take(struct resolver *resolver);

#endif
