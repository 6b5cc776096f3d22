/* SPDX-License-Identifier: MIT */
/*
 * registry.h - open a handle with settings that the caller has loaded.
 *
 * The agent uses it, since it loads its settings itself and its handle can borrow them.
 * etcd-registry.h describes the other functions of a handle.
 */
#ifndef ETCDREG_LIB_REGISTRY_REGISTRY_H
#define ETCDREG_LIB_REGISTRY_REGISTRY_H

#include "lib/config/config.h"
#include "lib/config/connstr.h"
#include "lib/etcd-registry.h"
#include "lib/store/leases.h"

/*
 * The handle borrows what these pointers point to.  The caller must not change or free it before
 * etcdreg_close() has returned.  Only the handle's thread writes to `leases`.
 */
struct registry_options {
	const struct config *config;   /* complete; the handle does not read the environment */
	const struct connstr *connstr; /* config->url, parsed; `config` has its query */
	struct leases *leases;         /* NULL: a later handle does not continue them */
	etcdreg_event_fn *on_event;    /* NULL: none; as in struct etcdreg_options */
	void *event_arg;
};

/*
 * Opens a handle as etcdreg_open() does.  Of the settings it only loads the credentials, for which
 * it reads the password file.  Does not keep `options` itself.
 *
 * With `leases`, the handle keeps the ids of its leases in that table (leases.h).  If the table has
 * leases of an earlier handle, this handle continues under them.  It owns a key under such a lease
 * that has the wanted document, and does not write it again.  Its first put asks etcd whether the
 * leases are alive.  If leases->restored is set, a service that leaves is deleted even if this
 * handle never put it, since the earlier handle may have.
 *
 * Fails with ETCDREG_E_CONFIG (a file that a setting names), _SYSTEM or _NOMEM.
 */
int registry_open(const struct registry_options *options, struct etcdreg **ret_reg,
		  struct etcdreg_err *err);

#endif
