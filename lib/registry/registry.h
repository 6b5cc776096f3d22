/* SPDX-License-Identifier: MIT */
/*
 * registry.h - open a handle from settings that are already loaded.  The agent uses it: it parses
 * its settings once, and its handle borrows them.  All else about a handle: etcd-registry.h.
 */
#ifndef ETCDREG_LIB_REGISTRY_REGISTRY_H
#define ETCDREG_LIB_REGISTRY_REGISTRY_H

#include "lib/config/config.h"
#include "lib/config/connstr.h"
#include "lib/etcd-registry.h"
#include "lib/store/leases.h"

/*
 * The handle borrows all that these pointers point to: none of it may change or be freed before
 * etcdreg_close() has returned.  The one exception is `leases`, which the handle's thread writes.
 */
struct registry_options {
	const struct config *config;   /* complete: nobody reads the environment after this */
	const struct connstr *connstr; /* config->url, parsed; its query is in `config` already */
	struct leases *leases;         /* NULL: nobody keeps them */
	etcdreg_event_fn *on_event;    /* NULL: none; as in struct etcdreg_options */
	void *event_arg;
};

/*
 * Opens a handle as etcdreg_open() does, without parsing anything but the credentials: it reads
 * the password file.  `options` itself is not kept.
 *
 * With `leases` the handle goes on after a handle that was killed.  It writes its leases down there
 * and continues under those that it finds.  A key under one of them with the wanted document is its
 * own, and is not written again.  The first put asks whether the leases are still alive.  With
 * leases->restored, a service that leaves is deleted even if this handle never put it, since the
 * handle before may have.
 *
 * Fails with ETCDREG_E_CONFIG (a file that a setting names), _SYSTEM or _NOMEM.
 */
int registry_open(const struct registry_options *options, struct etcdreg **ret_reg,
		  struct etcdreg_err *err);

#endif
