/* SPDX-License-Identifier: MIT */
/*
 * entry.h - the entries that the public functions hand out, read from keys and documents of etcd.
 *
 * Any thread: nothing is shared.
 */
#ifndef ETCDREG_LIB_REGISTRY_ENTRY_H
#define ETCDREG_LIB_REGISTRY_ENTRY_H

#include <stdbool.h>

#include "lib/etcd-registry.h"

enum entry_result {
	ENTRY_READ,
	ENTRY_NONE, /* not a JSON object, or of another name */
	ENTRY_NOMEM,
};

/*
 * The entry of a document; `name` NULL: of any name.  *ret is filled by ENTRY_READ alone, then
 * release it with entry_release(); else it is zeroed.
 */
enum entry_result entry_read(const char *text, const char *name, struct etcdreg_entry *ret);
void entry_release(struct etcdreg_entry *e);

/*
 * Whether the key lies where the services of one name (`folder` is theirs), or of a namespace
 * (NULL, and its folder) lie: "<folder>[<name>/]<leaf>" and nothing deeper.
 */
bool entry_is_of(const char *folder, const char *name, const char *path);

#endif
