/* SPDX-License-Identifier: MIT */
/*
 * v3_watch.h - the watch on the keys that a handle has in etcd: who deletes one or writes over it
 * is noticed in milliseconds, and while the watch stands, heartbeats need not compare.
 *
 * It is a few streams, each on some of the keys (v3_paths.h), which are opened, read, and opened
 * again when they end, always without waiting: the owner calls v3_watch_read() whenever
 * cluster_wait() returns, and v3_watch_tend() when there is nothing else to do.
 *
 * A stream has one create_request for each of its keys, all in the body of one request, so etcd
 * tells it of its own keys alone.  Measured on etcd 3.4.23: 68 kB of etcd's memory for a stream,
 * 0.6 kB for each further key in it, and what happens to other keys costs nothing.
 *
 * Go's HTTP server throws away what it has not read of a body when the answer begins, unless the
 * connection is to end with it (http.h sees to that): etcd's gateway then never sees the rest of
 * the requests.  A proxy may undo this, so a stream stands when etcd has said `created` for all of
 * its keys, and for none before.  One that does not in 3 s is opened again for half as many.  What
 * 16 streams then do not cover is left to the heartbeats.
 *
 * A key that comes gets a stream for itself, and what it is as long as is made part of it: there
 * are log2(keys) streams at most.  A key that goes stays watched until most of its stream has gone.
 *
 * A stream tells what happens from its `created` on.  So when v3_watch_read() says that one has
 * begun, the owner compares all keys once; that closes every gap there can have been, between the
 * put and the watch, while a connection was broken, or after a compaction.  It asks for no
 * revision of the past: etcd reads the whole history from there to find the events of one key.
 *
 * An event is about a key if it is newer than our knowledge of it, key->index; so none of our own
 * writes is, nor our delete of a key that has joined again.  The key is then no longer held, and
 * put() finds out what has become of it.
 *
 * A stream ends with its connection, with etcd's error or `canceled`, or with its node
 * (cluster.h).  It is tried again after 0.1 to 5 s, with jitter, 30 s where etcd denies it also
 * with a new token; for ever, and telling nobody: without the watch heartbeats do its work.
 *
 * One thread at a time.
 */
#ifndef ETCDREG_LIB_STORE_V3_WATCH_H
#define ETCDREG_LIB_STORE_V3_WATCH_H

#include "v3_call.h"

struct v3_watch;

/* `access` is borrowed.  NULL: no memory. */
struct v3_watch *v3_watch_new(struct v3_access *access);
void v3_watch_free(struct v3_watch *w);

/*
 * Reads what has come, and unholds the keys that it is about; those that somebody else's will may
 * be behind are marked as disturbed.  True: compare all keys, soon.
 */
bool v3_watch_read(struct v3_watch *w, struct store_key *keys);

/*
 * Opens what is missing to cover the keys, if it is time, and closes what they no longer need.
 * Returns when to call it again; UINT64_MAX: when keys have come or gone.
 */
uint64_t v3_watch_tend(struct v3_watch *w, const struct store_key *keys);

/* Whether whatever happens to those of the keys that are held will be told. */
bool v3_watch_covers(const struct v3_watch *w, const struct store_key *keys);

#endif
