/* SPDX-License-Identifier: MIT */
/*
 * connstr.h - the connection string.
 *
 *	[protocol://][user:password@]host[:port][,host[:port]...][/namespace]
 *	[?option=value[&option=value...]]
 *
 * protocol   http (the default) or https.  Each host may repeat it, but not change it
 *            ("http://a:2379,http://b:2379", the form of ETCDCTL_ENDPOINTS).
 * host       a name, an IPv4 address, or an IPv6 address in brackets.  Spaces may follow a comma.
 * namespace  segments between slashes; none may be empty, "." or "..".  The parser drops slashes at
 *            both ends.
 * option     one of the options of config.def.  The npm package's options `refresh` and `cache` are
 *            valid and have no effect.
 *
 * The parser decodes percent escapes in user, password, namespace and the values of options.  A
 * message quotes the part that is wrong, and never a user or a password.
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
 * Parses `text`; the caller releases *ret.  Also writes options, user and password to `cfg`, unless
 * `cfg` has them from a stronger source.  If `cfg` is NULL, only checks them.  Fails with
 * ETCDREG_E_CONFIG or _NOMEM; `cfg` may then have some of the options.
 */
int connstr_parse(const char *text, struct connstr *ret, struct config *cfg,
		  struct etcdreg_err *err);

/*
 * Completes settings: adds those of the environment to `cfg`, then parses the url of `cfg`, as
 * connstr_parse() does.  `name` is the name that messages give to a url which the caller has set,
 * such as "--url"; a url of the environment has the name of its variable.  The caller releases
 * *ret.  Fails with ETCDREG_E_CONFIG or _NOMEM; `cfg` may then have some of the settings.
 */
int connstr_load(struct connstr *ret, struct config *cfg, const char *name,
		 struct etcdreg_err *err);

/* Clears the password, and frees everything.  Accepts a zeroed struct. */
void connstr_release(struct connstr *cs);

#endif
