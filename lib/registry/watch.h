/* SPDX-License-Identifier: MIT */
/*
 * watch.h - etcdreg_watch(): the changes of the services, told as they come.
 *
 * A watch lists what is there, then follows the store's changes from the revision of that list on.
 * A stream that ends is opened again from the latest change that was told; only where etcd no
 * longer has what came after it, the list is made again and its difference told.  Every CHECK_MS,
 * and before a stream that broke off is opened again, the cluster is asked whether it still has
 * what was told: so a node that is silent is left, and an etcd that lost its data is noticed.
 */
#ifndef ETCDREG_LIB_REGISTRY_WATCH_H
#define ETCDREG_LIB_REGISTRY_WATCH_H

#include "lib/config/config.h"
#include "lib/config/connstr.h"
#include "lib/config/credentials.h"
#include "lib/etcd-registry.h"
#include "lib/net/members.h"

/* As etcdreg_watch().  Borrows all but the name until etcdreg_watch_close(). */
int watch_new(const struct connstr *cs, const struct config *cfg,
	      const struct credentials *credentials, struct members *members, const char *name,
	      struct etcdreg_watch **ret, struct etcdreg_err *err);

#endif
