/* SPDX-License-Identifier: MIT */
/*
 * options.h - parse a command line by the options that its command accepts.
 *
 * Options are "--option VALUE" or "--option=VALUE", before, between or after the operands.  They
 * cannot be abbreviated.  "--" ends them.  -h and -v are short for --help and --verbose.  A setting
 * of lib/config/config.def has the name of its environment variable without the prefix:
 * ETCD_REGISTRY_EXIT_TIMEOUT is --exit-timeout.  The password has no option, because every user can
 * read the arguments of a process.
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

#define OPTION_NAME_MAX 32 /* bytes of an option's name with its NUL */

struct options {
	const struct command *command;
	struct config config;      /* defaults, then the settings of the command line */
	char *given[CONFIG_COUNT]; /* each setting's text on the command line; NULL: not given */
	char **operands;           /* NULL-terminated */
	size_t operands_len;
	unsigned own;               /* enum own: the options that were given */
	unsigned port;              /* 0: not given */
	unsigned wait_ms;           /* 0: not given */
	const char *format;         /* has passed format_check(); NULL: not given */
	struct agent_options agent; /* without its `config`, which agent_command() sets */
};

/*
 * Reads argv[1..] into *ret.  Keeps pointers into argv and reorders it.  Release *ret with
 * options_release(), even after a failure.  With --help the operands are not checked.
 * Fails with ETCDREG_E_CONFIG, and a message that names the option, or _NOMEM.
 */
int options_parse(struct options *ret, const struct command *command, int argc, char **argv,
		  struct etcdreg_err *err);

/* Clears the secrets.  A zeroed struct is fine. */
void options_release(struct options *opts);

/* Clears the secrets in argv, because `ps` shows it.  `config` keeps its copies. */
void options_wipe_secrets(const struct options *opts);

/*
 * Adds the settings of the environment and of the connection string's query.  An option overrides
 * the query, which overrides the environment.  A second call changes nothing.
 * Fails with ETCDREG_E_CONFIG, and a message that names the option or the variable, or _NOMEM.
 */
int options_complete(struct options *opts, struct etcdreg_err *err);

/*
 * Opens the registry with the settings of the command line; the library reads the others from the
 * environment.  Calls options_complete() before, so that messages have the names that the user
 * wrote.  Then clears the secrets in argv, even after a failure.  `on_event` may be NULL.
 * Release *ret_reg with etcdreg_close().  Fails as options_complete() and etcdreg_open() do.
 */
int options_open(struct options *opts, etcdreg_event_fn *on_event, void *arg,
		 struct etcdreg **ret_reg, struct etcdreg_err *err);

/* Writes the name of the setting's option, without the dashes.  False: it has no option. */
bool options_setting_name(const struct config_row *row, char ret[static OPTION_NAME_MAX]);

/* Writes the usage line: "usage: etcd-registry list [OPTION]... [NAME]". */
void options_usage(const struct command *command, FILE *out);

/*
 * Writes the message of `err` to stderr, and the usage line after it if the command line is wrong.
 * Returns the exit status.  A value of a setting gets no usage line if only its use shows that
 * it is wrong, since it may come from the environment.
 */
int options_refuse(const struct command *command, const struct etcdreg_err *err);

/* Writes a line for each option of the command. */
void options_describe(const struct command *command, FILE *out);

#endif
