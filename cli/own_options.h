/* SPDX-License-Identifier: MIT */
/*
 * own_options.h - the table of the options that are not settings of lib/config/config.def.  Only
 * options.c reads it.
 */
#ifndef ETCDREG_CLI_OWN_OPTIONS_H
#define ETCDREG_CLI_OWN_OPTIONS_H

#include <stddef.h>

#include "command.h"
#include "lib/etcd-registry.h"
#include "options.h"

struct own_option {
	enum own bit;
	const char *name;
	const char *letter; /* "-v"; NULL: none */
	const char *value;  /* as the help shows it; NULL: the option takes no value */

	/*
	 * Checks the value and stores it in `opts`, which may keep the pointer.  NULL: the option
	 * takes no value.  Fails with ETCDREG_E_CONFIG and a message that names the option.
	 */
	int (*set)(struct options *opts, const char *value, struct etcdreg_err *err);
	const char *help;
};

/* In the order of the help. */
extern const struct own_option own_options[];
extern const size_t own_options_len;

#endif
