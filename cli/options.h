/* SPDX-License-Identifier: MIT */
/*
 * options.h - a command line, checked against what its command accepts.
 *
 * Options are long, "--option VALUE" or "--option=VALUE", never abbreviated, and may stand among
 * the operands; "--" ends them.  -h and -v are short for --help and --verbose.  A setting of
 * lib/config/config.def is called as its environment variable without the prefix:
 * ETCD_REGISTRY_EXIT_TIMEOUT is --exit-timeout.  The password has no option, because the arguments
 * of a process are public.
 */
#ifndef ETCDREG_CLI_OPTIONS_H
#define ETCDREG_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "agent/agent.h"
#include "command.h"
#include "lib/config/config.h"
#include "lib/etcd-registry.h"

#define OPTION_NAME_MAX 32 /* bytes of an option's name, its NUL included */

struct options {
	const struct command *command;
	struct config config;      /* the defaults, with what the command line set over them */
	char *given[CONFIG_COUNT]; /* the settings' texts on the command line, NULL where there is
				      none */
	char **operands;           /* NULL-terminated */
	size_t operands_len;
	unsigned own;               /* enum own: those that were given */
	unsigned port;              /* 0: not given */
	unsigned wait_ms;           /* 0: not given */
	const char *format;         /* checked; NULL: not given */
	struct agent_options agent; /* all but its `config` */
};

/*
 * Read argv[1..] into *ret.  Keeps pointers into argv and reorders it.  Release with
 * options_release(), also after a failure.  With --help the operands are not checked. Fails with
 * ETCDREG_E_CONFIG, the message naming the option, or _NOMEM.
 */
int options_parse(struct options *ret, const struct command *command, int argc, char **argv,
		  struct etcdreg_err *err);

/* Clears secrets.  Fine on a zeroed object. */
void options_release(struct options *opts);

/* Clears the secrets in argv, which `ps` shows: `config` has copies. */
void options_wipe_secrets(const struct options *opts);

/*
 * Open the registry that the command line names; what it leaves open comes from the environment.
 * `on_event` may be NULL.  Secrets are wiped from the command line that `ps` shows.  Release with
 * etcdreg_close(). Fails as etcdreg_open() does.
 */
int options_open(const struct options *opts, etcdreg_event_fn *on_event, void *arg,
		 struct etcdreg **ret_reg, struct etcdreg_err *err);

/*
 * Let the environment, then the connection string's query, fill the settings that the command line
 * left at their default: for commands that use settings themselves.  Fails with ETCDREG_E_CONFIG or
 * _NOMEM.
 */
int options_complete(struct options *opts, struct etcdreg_err *err);

/* The name of the setting's option, without dashes.  False: it has none. */
bool options_setting_name(const struct config_row *row, char ret[static OPTION_NAME_MAX]);

/* "usage: etcd-registry list [NAME] [--json] [settings]", one line. */
void options_usage(const struct command *command, FILE *out);

/* A line for each option that the command takes. */
void options_describe(const struct command *command, FILE *out);

#endif
