/* SPDX-License-Identifier: MIT */
/*
 * watch.h - report the changes of services, for etcdreg_watch().
 *
 * A watch lists the services, then follows the store's changes after the revision of that list.  If
 * its stream ends, it opens another one after the latest change that it reported.  Only if etcd no
 * longer has the changes after that one, the watch lists again and reports the differences.
 *
 * Every 5 s, and before it replaces a broken stream, the watch asks the cluster whether it still
 * has the state that was reported.  So it leaves a node that is silent, and notices an etcd that
 * lost its data.
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
