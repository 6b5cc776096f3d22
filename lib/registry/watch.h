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

#include "lib/etcd-registry.h"
#include "session_source.h"

/*
 * Creates a watch as etcdreg_watch() does.  Copies `name`.  Borrows what `source` points to, until
 * etcdreg_watch_close().
 */
int watch_new(const struct session_source *source, const char *name, struct etcdreg_watch **ret,
	      struct etcdreg_err *err);

#endif
