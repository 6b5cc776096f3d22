/* SPDX-License-Identifier: MIT */
/*
 * command.h - the commands of `etcd-registry`, with the arguments and the function of each.
 *
 * The table in main.c is the only list of them.  Dispatch, usage, --help and the check of the
 * command line follow from it.  A command's function returns the exit status of the process.
 * main() then flushes stdout and checks it for errors.  SIGPIPE may end the process, as it ends any
 * other filter.
 */
#ifndef ETCDREG_CLI_COMMAND_H
#define ETCDREG_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/config/config.h"

struct options;

enum status {
	STATUS_OK = 0,      /* found, or done */
	STATUS_NOTHING = 1, /* the registry answered: there is no such service */
	STATUS_USAGE = 2,   /* wrong command line, environment or connection string */
	STATUS_FAILED = 3,  /* cannot reach the registry, or it refused; any other failure */
};

/* Options that are not settings, one bit each: own_options.h. */
enum own {
	OWN_JSON = 1 << 0,
	OWN_PORT = 1 << 1,
	OWN_HELP = 1 << 2, /* of every command */
	OWN_VERBOSE = 1 << 3,
	OWN_FORMAT = 1 << 4,
	OWN_WAIT = 1 << 5,
	OWN_SOCKET = 1 << 6,
	OWN_LISTEN_FD = 1 << 7,
	OWN_MODE = 1 << 8,
	OWN_OWNER = 1 << 9,
};

struct command {
	const char *name;
	const char *operands; /* as the usage line shows them */
	const char *help;     /* one line */
	const char *details;  /* a paragraph of the command's own help; NULL: none */
	int (*main)(struct options *opts);
	size_t operands_min, operands_max;
	/* 1 << enum config_scope: every setting of that scope is an option */
	unsigned scopes;
	uint64_t settings; /* 1 << enum config_id: these are options too */
	unsigned own;      /* enum own */
	bool wraps;        /* the first operand begins another command line, and ends the options */
	bool has_changes;  /* --format may contain {change} */
};

/* The last row has no name (NULL). */
extern const struct command commands[];

/* Returns the command of that name, or NULL. */
const struct command *command_find(const char *name);

int agent_command(struct options *opts);
int help_command(struct options *opts);
int join_command(struct options *opts);
int leave_command(struct options *opts);
int list_command(struct options *opts);
int lookup_command(struct options *opts);
int run_command(struct options *opts);
int version_command(struct options *opts);
int watch_command(struct options *opts);

#endif
