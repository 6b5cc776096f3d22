/* SPDX-License-Identifier: MIT */
/*
 * snapshot.h - the model and the endpoints as bytes, for a worker that comes after this one.  Pure.
 *
 * Kept are the processes that announced themselves, with their settings; the sockets that they
 * announced, with the address that was chosen for each; and the endpoints that are in etcd or on
 * their way in or out.  Not kept is what belongs to one worker: connections, pidfds, tags, and who
 * was found in /proc.  The bytes are native and mean something to the same program only.
 */
#ifndef ETCDREG_AGENT_SERVICES_SNAPSHOT_H
#define ETCDREG_AGENT_SERVICES_SNAPSHOT_H

#include <stdbool.h>

#include "endpoints.h"
#include "lib/base/buf.h"
#include "model.h"

/* Appends to `buf`, which fails where memory or its room is out. */
void snapshot_save(struct buf *buf, const struct model *model, const struct endpoints *endpoints);

/*
 * Fills the model and the endpoints, which must be empty.  Processes have the state, the id and the
 * pid that they had, and no pidfd; endpoints are new, so that endpoints_update() joins those that
 * are claimed and makes the others leave.  false: memory is out or the bytes are damaged; what came
 * before is there.
 */
bool snapshot_load(const void *bytes, size_t len, struct model *model, struct endpoints *endpoints);

#endif
