/* SPDX-License-Identifier: MIT */
/*
 * claims.h - decide which sockets of a process an item of its names claims (names.h).  No I/O.
 */
#ifndef ETCDREG_AGENT_SERVICES_CLAIMS_H
#define ETCDREG_AGENT_SERVICES_CLAIMS_H

#include <stdbool.h>

#include "model.h"

/* Returns whether items may claim the socket: its process announced it, and it serves. */
bool claims_allowed(const struct holding *holding);

/*
 * Returns whether item number `item` of the holding's process claims the socket.  A bare name with
 * a lead claims the sockets on the lead's port.  Without a lead it claims all that it may claim.
 */
bool claims_item(const struct holding *holding, size_t item);

/* Returns the oldest socket that the item may claim and that has an address, or NULL. */
struct holding *claims_lead(const struct process *process, const struct name_item *item);

#endif
