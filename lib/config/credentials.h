/* SPDX-License-Identifier: MIT */
/* credentials.h - the etcd user and password, from the settings. */
#ifndef ETCDREG_LIB_CONFIG_CREDENTIALS_H
#define ETCDREG_LIB_CONFIG_CREDENTIALS_H

#include "config.h"
#include "lib/etcd-registry.h"

struct credentials {
	char *user;     /* NULL: none, requests are anonymous */
	char *password; /* NULL if `user` is */
};

/*
 * Loads user and password.  The setting `user` may hold "user:password"; a `password` of a stronger
 * source wins.  Without either, the password is the first line of `password_file`.
 * Fails with ETCDREG_E_CONFIG (a file that cannot be read, a password without a user) or _NOMEM.
 */
int credentials_load(struct credentials *ret, const struct config *cfg, struct etcdreg_err *err);

/* Clears and frees both.  Accepts a zeroed struct. */
void credentials_release(struct credentials *c);

#endif
