/* SPDX-License-Identifier: MIT */
/*
 * own_options.h - the options that are a command's own and no setting of lib/config/config.def: one
 * row for each, with its help and the function that takes its value.  Only options.c needs them.
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
	const char *value;  /* as help shows it; NULL: takes none */

	/*
	 * Checks the value and writes it into `opts`, which may keep the pointer.  NULL: takes
	 * none.  Fails with ETCDREG_E_CONFIG; the message names the option.
	 */
	int (*set)(struct options *opts, const char *value, struct etcdreg_err *err);
	const char *help;
};

/* In the order of the help. */
extern const struct own_option own_options[];
extern const size_t own_options_len;

#endif
