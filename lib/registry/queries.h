/* SPDX-License-Identifier: MIT */
/*
 * queries.h - lookup and list, for any number of callers at once.
 *
 * Each caller works on a session of its own, taken from a small pool of idle ones, so that
 * connections and logins are kept; the handle's thread is never involved.  Any thread.  The call
 * that finds the list of members due asks for it too, when it has what it was made for.
 *
 * A list holds what lies directly in the folder of one name, or of the names of one namespace, as
 * the keys of services do; namespaces inside a namespace are other namespaces.  Since different
 * names can share a folder ("a.b" and "a-b"), a list of one name keeps only the documents that
 * say that very name; the npm package returns both.
 */
#ifndef ETCDREG_LIB_REGISTRY_QUERIES_H
#define ETCDREG_LIB_REGISTRY_QUERIES_H

#include "lib/etcd-registry.h"
#include "session_source.h"

struct queries;

/* Borrows `source` until queries_free().  NULL: out of memory. */
struct queries *queries_new(const struct session_source *source);
void queries_free(struct queries *r);

/* As etcdreg_list() and etcdreg_lookup(). */
int queries_list(struct queries *r, const char *name, struct etcdreg_entry ***ret_entries,
		 size_t *ret_len, struct etcdreg_err *err);
int queries_lookup(struct queries *r, const char *name, struct etcdreg_entry **ret_entry,
		   struct etcdreg_err *err);

#endif
