/* SPDX-License-Identifier: MIT */
/*
 * connstr.h - the connection string.
 *
 *	[protocol://][user:password@]host[:port][,host[:port]...][/namespace]
 *	[?option=value[&option=value...]]
 *
 * protocol   http (the default) or https.  Every host may repeat it where all agree
 *            ("http://a:2379,http://b:2379", the form of ETCDCTL_ENDPOINTS).
 * host       a name, an IPv4 address, or an IPv6 address in brackets; spaces after a comma are
 *            fine.
 * namespace  segments between slashes; none may be empty, "." or ".."; slashes at both ends are
 *            dropped.
 * option     one of the options of config.def.  `refresh` and `cache` are the npm package's own:
 *            accepted, no effect.
 *
 * User, password, namespace and the values of options are percent-decoded.  Messages quote the
 * part that is wrong and never a user or password.
 */
#ifndef ETCDREG_LIB_CONFIG_CONNSTR_H
#define ETCDREG_LIB_CONFIG_CONNSTR_H

#include <stddef.h>

#include "config.h"
#include "lib/etcd-registry.h"

#define CONNSTR_HOSTS_MAX 64

struct connstr_host {
	char *host;    /* IPv6 without brackets */
	unsigned port; /* 0: not given, try 2379 then 4001 */
};

struct connstr {
	char *scheme; /* "http" or "https" */
	struct connstr_host *hosts;
	size_t hosts_len; /* 1-CONNSTR_HOSTS_MAX */
	size_t hosts_cap; /* elements that fit into `hosts` */
	char *namespace;  /* "", or without slashes at the ends */
	char *user;       /* NULL: none given */
	char *password;   /* NULL: none given */
};

/*
 * Options, user and password also go into `cfg`, where it has no stronger source for them; NULL:
 * they are only checked. Fails with ETCDREG_E_CONFIG or _NOMEM; `cfg` may then have taken some
 * options.
 */
int connstr_parse(const char *text, struct connstr *ret, struct config *cfg,
		  struct etcdreg_err *err);

/* Clears the password.  A zeroed struct is fine. */
void connstr_release(struct connstr *cs);

#endif
