/* SPDX-License-Identifier: MIT */
/*
 * claims.h - which sockets of a process an item of its names claims (names.h).  Pure.
 */
#ifndef ETCDREG_AGENT_SERVICES_CLAIMS_H
#define ETCDREG_AGENT_SERVICES_CLAIMS_H

#include <stdbool.h>

#include "model.h"

/* Can the socket be claimed at all?  Its process announced it, and it serves. */
bool claims_allowed(const struct holding *holding);

/*
 * Does item number `item` of the holding's process claim the socket?  For a bare name this is said
 * of all that it may claim while it has none, and of the sockets on its port once it has a lead.
 */
bool claims_item(const struct holding *holding, size_t item);

/* The oldest socket that the item may claim and that has an address to advertise, or NULL. */
struct holding *claims_lead(const struct process *process, const struct name_item *item);

#endif
