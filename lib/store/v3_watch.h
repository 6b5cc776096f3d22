/* SPDX-License-Identifier: MIT */
/*
 * v3_watch.h - the watch on the keys of a handle: reports deleted and overwritten keys.
 *
 * It reports them within milliseconds.  While it covers all keys, heartbeats need not compare them.
 *
 * The watch is a few streams, each on some of the keys (v3_paths.h).  It opens them, reads them,
 * and opens them again after they end.  No function waits for etcd, except for a login.  The owner
 * calls v3_watch_read() whenever cluster_wait() returns, and v3_watch_tend() when it has nothing
 * else to do.
 *
 * One request opens a stream.  Its body has a create_request for each key, so etcd reports only
 * these keys.  A stream costs etcd 68 kB of memory, and 0.6 kB for each further key
 * (docs/design.md).
 *
 * Go's HTTP server discards the unread rest of a body when it begins the answer, unless the
 * connection ends with that answer.  http.h asks for that, but a proxy may undo it; etcd's gateway
 * then never sees the rest of the requests.  So a stream stands only after etcd has confirmed all
 * of its keys with `created`, and ends if that takes over 3 s.  If etcd had confirmed some of them,
 * the next stream has half as many.  There are at most 16 streams; heartbeats compare the keys that
 * they do not cover.
 *
 * A new key gets its own stream; streams that are no longer than the new one are merged into it.
 * So there are at most log2(keys) streams.  A removed key stays watched until most keys of its
 * stream are removed.
 *
 * A stream reports what happens after its `created`.  So when v3_watch_read() says that a stream
 * has begun, the owner compares all keys once.  That closes every gap: between the put and the
 * watch, while a connection was broken, or after a compaction.  A stream does not start at an
 * earlier revision: etcd would read its whole history from there to find the events of one key.
 *
 * An event counts if it is newer than key->index, the write that we know.  So our own writes do not
 * count, nor our delete of a key that was put again.  The key is then marked as not held, and put()
 * finds out what happened.
 *
 * A stream ends with its connection, with its node (cluster.h), with an error of etcd, or with
 * `canceled`.  It is opened again after 0.1 to 5 s with jitter.  If etcd denies it even with a new
 * token, the pause is 30 s.  The watch never gives up and does not report its failures: without it,
 * heartbeats do its work.
 *
 * One thread at a time.
 */
#ifndef ETCDREG_LIB_STORE_V3_WATCH_H
#define ETCDREG_LIB_STORE_V3_WATCH_H

#include "v3_call.h"

struct v3_watch;

/* Opens no stream yet.  Borrows `access`.  NULL: out of memory. */
struct v3_watch *v3_watch_new(struct v3_access *access);
void v3_watch_free(struct v3_watch *w);

/*
 * Reads the events that have arrived, and marks their keys as not held.  Also marks a key as
 * disturbed, unless it was foreign and its owner deleted it.  True: a stream has begun; compare all
 * keys soon.
 */
bool v3_watch_read(struct v3_watch *w, struct store_key *keys);

/*
 * Closes streams that the keys no longer need, and opens missing ones if no pause forbids it.
 * Returns when to call it again; UINT64_MAX: after keys were added or removed.
 */
uint64_t v3_watch_tend(struct v3_watch *w, const struct store_key *keys);

/* Whether a standing stream covers each held key. */
bool v3_watch_covers(const struct v3_watch *w, const struct store_key *keys);

#endif
