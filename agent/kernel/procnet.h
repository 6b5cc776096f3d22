/* SPDX-License-Identifier: MIT */
/*
 * procnet.h - the lists of sockets in /proc/net, for sockdiag.c if netlink is refused.
 *
 * These files have neither cookies nor MPTCP sockets.
 */
#ifndef ETCDREG_AGENT_KERNEL_PROCNET_H
#define ETCDREG_AGENT_KERNEL_PROCNET_H

#include <stdint.h>
#include <stdio.h>

#include "sockdiag.h"

/*
 * Reads an open /proc/net/{tcp,tcp6,udp,udp6} to its end, and adds the sockets in state `state` to
 * `list`.  `family` is the family of the file.  Leaves `protocol` and `cookie` 0.  Skips a line
 * that it does not understand.  Fails with ETCDREG_E_NOMEM.
 */
int procnet_read(FILE *file, uint16_t family, unsigned state, struct sockdiag_list *list);

#endif
