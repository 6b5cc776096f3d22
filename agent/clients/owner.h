/* SPDX-License-Identifier: MIT */
/* owner.h - the owner of a file, as chown(1) takes it: USER[:GROUP], names or numbers. */
#ifndef ETCDREG_AGENT_CLIENTS_OWNER_H
#define ETCDREG_AGENT_CLIENTS_OWNER_H

#include <sys/types.h>

#include "lib/etcd-registry.h"

#define OWNER_SAME_UID ((uid_t)-1)
#define OWNER_SAME_GID ((gid_t)-1)

struct owner {
	uid_t uid; /* OWNER_SAME_UID: stays as it is */
	gid_t gid; /* OWNER_SAME_GID: stays as it is */
};

/*
 * Parses `text`.  Looks up names, but not numbers, in the databases of users and groups, which may
 * block.  Fails with ETCDREG_E_CONFIG or _NOMEM.
 */
int owner_parse(const char *text, struct owner *ret, struct etcdreg_err *err);

#endif
