/* SPDX-License-Identifier: MIT */
/*
 * settings.h - the settings of a handle, from etcdreg_open()'s options and the environment.
 *
 * Messages name an option by its member of struct etcdreg_options: "ttl_s: '2' is not ...".
 *
 * Options override the query of the connection string, which overrides the environment.
 */
#ifndef ETCDREG_LIB_REGISTRY_SETTINGS_H
#define ETCDREG_LIB_REGISTRY_SETTINGS_H

#include "lib/config/config.h"
#include "lib/config/connstr.h"
#include "lib/etcd-registry.h"

/*
 * Loads all settings into *cfg and parses the connection string into *cs; both are zeroed before.
 * Copies what it keeps of `options`, which has the size of this version.  The caller releases both
 * structs, also after a failure.  Fails with ETCDREG_E_CONFIG or _NOMEM.
 */
int settings_load(struct config *cfg, struct connstr *cs, const struct etcdreg_options *options,
		  struct etcdreg_err *err);

#endif
