/* SPDX-License-Identifier: MIT */
/*
 * registry.h - what the agent needs of a handle beyond etcd-registry.h.
 */
#ifndef ETCDREG_LIB_REGISTRY_REGISTRY_H
#define ETCDREG_LIB_REGISTRY_REGISTRY_H

#include "lib/etcd-registry.h"
#include "lib/store/leases.h"

/*
 * etcdreg_open() for who may be killed and succeeded: the handle writes its leases down in `leases`
 * (borrowed until etcdreg_close(); may be NULL) and goes on under those that it finds there.  A key
 * that is there under one of them with the wanted document is its own, and not written again.  The
 * first put asks whether they are still alive.  With leases->restored, what leaves without ever
 * having been put by this handle is deleted too, since the one before may have put it.
 */
int registry_open(const struct etcdreg_options *options, struct leases *leases,
		  struct etcdreg **ret_reg, struct etcdreg_err *err);

#endif
