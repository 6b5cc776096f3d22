/* SPDX-License-Identifier: MIT */
/*
 * snapshot.h - write the model and the endpoints as bytes, and load them in the next worker.  No
 * I/O.
 *
 * A snapshot has:
 *
 *	- the processes that have announced sockets, with their settings;
 *	- these sockets, each with the address that the agent chose for it;
 *	- the endpoints that are in etcd, or on their way in or out.
 *
 * It does not have what belongs to one worker: connections, pidfds, tags, and holders found in
 * /proc.  The bytes have the machine's layout, and only the same program can load them.
 */
#ifndef ETCDREG_AGENT_SERVICES_SNAPSHOT_H
#define ETCDREG_AGENT_SERVICES_SNAPSHOT_H

#include <stdbool.h>

#include "endpoints.h"
#include "lib/base/buf.h"
#include "model.h"

/* Appends a snapshot to `buf`, which fails if memory or its room is exhausted. */
void snapshot_save(struct buf *buf, const struct model *model, const struct endpoints *endpoints);

/*
 * Fills the model and the endpoints, which must be empty.  Processes get the state, the id and the
 * pid that they had, but no pidfd.  Endpoints are new: endpoints_update() joins those that are
 * claimed and leaves the others.  Returns false if memory is exhausted or the bytes are damaged,
 * and keeps what it has loaded until then.
 */
bool snapshot_load(const void *bytes, size_t len, struct model *model, struct endpoints *endpoints);

#endif
