/* SPDX-License-Identifier: MIT */
/*
 * descriptors.h - how many descriptors the agent may have.  Its limit is inherited from the host
 * that started it, and a host may have been given very few.
 */
#ifndef ETCDREG_AGENT_BASE_DESCRIPTORS_H
#define ETCDREG_AGENT_BASE_DESCRIPTORS_H

#include "lib/etcd-registry.h"

/*
 * Raises the limit as far as it goes: to the hard limit, and with CAP_SYS_RESOURCE to what the most
 * clients take.  Fails with ETCDREG_E_SYSTEM where that is too few to serve anybody.
 */
int descriptors_raise(struct etcdreg_err *err);

#endif
