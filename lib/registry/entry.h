/* SPDX-License-Identifier: MIT */
/*
 * entry.h - read the public entries from the keys and documents of etcd.
 *
 * Any thread may call these functions, since they share nothing.
 */
#ifndef ETCDREG_LIB_REGISTRY_ENTRY_H
#define ETCDREG_LIB_REGISTRY_ENTRY_H

#include <stdbool.h>

#include "lib/etcd-registry.h"

enum entry_result {
	ENTRY_READ,
	ENTRY_NONE, /* the document is not a JSON object, or has another name */
	ENTRY_NOMEM,
};

/*
 * Reads the entry of a document that has this name; NULL: any name.  After ENTRY_READ, release *ret
 * with entry_release(); otherwise *ret is zeroed.
 */
enum entry_result entry_read(const char *text, const char *name, struct etcdreg_entry *ret);
void entry_release(struct etcdreg_entry *e);

/*
 * Returns whether the key is that of a service in this folder.  If `name` is NULL, `folder` is that
 * of a namespace, and the path is "<folder><name>/<leaf>".  Else `folder` is that of the name, and
 * the path is "<folder><leaf>".  Deeper paths belong to other namespaces.
 */
bool entry_is_of(const char *folder, const char *name, const char *path);

#endif
