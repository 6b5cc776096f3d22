/* SPDX-License-Identifier: MIT */
/* credentials.h - the etcd user and password that the settings mean. */
#ifndef ETCDREG_LIB_CONFIG_CREDENTIALS_H
#define ETCDREG_LIB_CONFIG_CREDENTIALS_H

#include "config.h"
#include "lib/etcd-registry.h"

struct credentials {
	char *user;     /* NULL: none, etcd is asked without one */
	char *password; /* NULL where user is */
};

/*
 * `user` may hold "user:password"; a `password` of a stronger source wins.  Without either the
 * password is the first line of `password_file`.
 * Fails with ETCDREG_E_CONFIG (a file that cannot be read, a password without a user) or _NOMEM.
 */
int credentials_load(struct credentials *ret, const struct config *cfg, struct etcdreg_err *err);

/* Clears the password.  A zeroed struct is fine. */
void credentials_release(struct credentials *c);

#endif
