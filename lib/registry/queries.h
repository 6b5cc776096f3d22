/* SPDX-License-Identifier: MIT */
/*
 * queries.h - lookup and list, for any number of callers at the same time.
 *
 * Each call takes an idle session from a small pool, or opens one, so connections and logins are
 * reused.  The handle's thread is not involved.  Any thread may call.  If the list of members is
 * due, a successful call also asks for it.
 *
 * A list covers the services directly in the folder of a name, or in the name folders of a
 * namespace.  It does not cover namespaces inside the namespace.
 *
 * Different names can share a folder, as "a.b" and "a-b" do.  So the list of a name only has
 * documents with exactly that name; the npm package lists both.
 */
#ifndef ETCDREG_LIB_REGISTRY_QUERIES_H
#define ETCDREG_LIB_REGISTRY_QUERIES_H

#include "lib/etcd-registry.h"
#include "session_source.h"

struct queries;

/* Borrows `source` until queries_free().  NULL: out of memory. */
struct queries *queries_new(const struct session_source *source);
void queries_free(struct queries *q);

/* Implement etcdreg_list() and etcdreg_lookup(). */
int queries_list(struct queries *q, const char *name, struct etcdreg_entry ***ret_entries,
		 size_t *ret_len, struct etcdreg_err *err);
int queries_lookup(struct queries *q, const char *name, struct etcdreg_entry **ret_entry,
		   struct etcdreg_err *err);

#endif
