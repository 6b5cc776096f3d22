/* SPDX-License-Identifier: MIT */
/*
 * session_source.h - the settings that all sessions of a handle share.
 *
 * The handle's thread, each lookup and each watch use sessions of their own, made from one source.
 * Everything here is borrowed and must outlive the sessions.  Any thread may use the source.
 */
#ifndef ETCDREG_LIB_REGISTRY_SESSION_SOURCE_H
#define ETCDREG_LIB_REGISTRY_SESSION_SOURCE_H

#include "lib/config/config.h"
#include "lib/config/connstr.h"
#include "lib/config/credentials.h"
#include "lib/net/members.h"
#include "lib/store/session.h"

struct session_source {
	const struct connstr *connstr;
	const struct config *config;
	const struct credentials *credentials;
	struct members *members; /* NULL: the sessions do not ask for them */
};

/* Creates a session that shares the members.  Fails as session_new() does. */
static inline int session_source_open(const struct session_source *source, struct session **ret,
				      struct etcdreg_err *err)
{
	int r = session_new(source->connstr, source->config, source->credentials, ret, err);

	if (r == 0)
		session_share_members(*ret, source->members);
	return r;
}

#endif
