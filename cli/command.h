/* SPDX-License-Identifier: MIT */
/*
 * command.h - the commands of `etcd-registry`: what each one accepts, and the function it starts
 * in.
 *
 * The table in main.c is the only list of them: dispatch, usage, --help and the check of the
 * command line are made from it.  A command's function returns the exit status of the process; what
 * it printed on stdout is flushed and checked by main() afterwards.  It may be told off by SIGPIPE
 * like any other filter.
 */
#ifndef ETCDREG_CLI_COMMAND_H
#define ETCDREG_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/config/config.h"

struct options;

enum status {
	STATUS_OK = 0,      /* found, done */
	STATUS_NOTHING = 1, /* asked and answered: there is no such service */
	STATUS_USAGE = 2,   /* command line, environment or connection string */
	STATUS_FAILED = 3,  /* the registry could not be reached or refused; any other failure */
};

/* The bits of own_options.h. */
enum own {
	OWN_JSON = 1 << 0,
	OWN_PORT = 1 << 1,
	OWN_HELP = 1 << 2, /* every command has it */
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
	const char *operands; /* as usage shows them */
	const char *help;     /* one line */
	const char *details;  /* a paragraph for the command's own help; NULL: none */
	int (*main)(struct options *opts);
	size_t operands_min, operands_max;
	/* 1 << enum config_scope: takes every setting of that scope as an option */
	unsigned scopes;
	uint64_t settings; /* 1 << enum config_id: takes these too */
	unsigned own;      /* enum own */
	bool wraps; /* the first operand ends the options: what follows is another command line */
	bool has_changes; /* that --format may name */
};

/* Ends with an entry whose name is NULL. */
extern const struct command commands[];

/* The command of that name, or NULL. */
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
