/* SPDX-License-Identifier: MIT */
/* The command `etcd-registry`: the table of its commands, and main(). */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "help.h"
#include "options.h"
#include "output.h"

#define REGISTRY (1 << CONFIG_REGISTRY)
#define AGENT (1 << CONFIG_AGENT)
#define EVERY_SCOPE (REGISTRY | AGENT | 1 << CONFIG_SERVICE | 1 << CONFIG_SHIM)
#define SETTING_BIT(id) (UINT64_C(1) << CONFIG_##id)

const struct command commands[] = {
	{
		.name = "list",
		.operands = "[NAME]",
		.help = "list the services of a name, or all services",
		.main = list_command,
		.operands_max = 1,
		.scopes = REGISTRY,
		.own = OWN_VERBOSE | OWN_FORMAT | OWN_JSON,
	},
	{
		.name = "lookup",
		.operands = "NAME",
		.help = "pick one service of a name at random",
		.main = lookup_command,
		.operands_min = 1,
		.operands_max = 1,
		.scopes = REGISTRY,
		.own = OWN_WAIT | OWN_VERBOSE | OWN_FORMAT | OWN_JSON,
	},
	{
		.name = "watch",
		.operands = "[NAME]",
		.help = "print services and their changes, until SIGINT or SIGTERM",
		.main = watch_command,
		.operands_max = 1,
		.scopes = REGISTRY,
		.own = OWN_FORMAT | OWN_JSON,
		.has_changes = true,
	},
	{
		.name = "join",
		.operands = "NAME --port PORT",
		.help = "register a service, and hold it until SIGINT or SIGTERM",
		.main = join_command,
		.operands_min = 1,
		.operands_max = 1,
		.scopes = REGISTRY,
		.settings = SETTING_BIT(host) | SETTING_BIT(protocol) | SETTING_BIT(meta) |
			    SETTING_BIT(exit_timeout_ms),
		.own = OWN_PORT,
	},
	{
		.name = "leave",
		.operands = "NAME HOST:PORT",
		.help = "remove a service, no matter who registered it",
		.main = leave_command,
		.operands_min = 2,
		.operands_max = 2,
		.scopes = REGISTRY,
		.settings = SETTING_BIT(protocol),
	},
	{
		.name = "run",
		.operands = "-- COMMAND...",
		.help = "run a server with the preload object, which registers it",
		.details = "Adds the preload object to LD_PRELOAD and the settings to the "
			   "environment, then\n"
			   "executes the command in this process.",
		.main = run_command,
		.operands_min = 1,
		.operands_max = SIZE_MAX,
		.scopes = EVERY_SCOPE,
		.wraps = true,
	},
	{
		.name = "agent",
		.operands = "--socket PATH|@NAME",
		.help = "register what preloaded processes listen on",
		.details = "A preloaded process starts an agent if it needs one and none runs.  "
			   "An agent that\n"
			   "you run serves all processes that have ETCD_REGISTRY_AGENT set to its "
			   "socket.\n"
			   "They start no other agent.",
		.main = agent_command,
		.scopes = REGISTRY | AGENT,
		.own = OWN_SOCKET | OWN_LISTEN_FD | OWN_MODE | OWN_OWNER,
	},
	{
		.name = "help",
		.operands = "[COMMAND | settings]",
		.help = "explain a command, or print the table of settings",
		.main = help_command,
		.operands_max = 1,
	},
	{
		.name = "version",
		.operands = "",
		.help = "print the version",
		.main = version_command,
	},
	{.name = NULL},
};

const struct command *command_find(const char *name)
{
	for (const struct command *command = commands; command->name; command++) {
		if (strcmp(command->name, name) == 0)
			return command;
	}
	return NULL;
}

/* --help, -h and --version stand for commands. */
static const char *command_name(const char *arg)
{
	if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)
		return "help";
	if (strcmp(arg, "--version") == 0)
		return "version";
	return arg;
}

static int start(const struct command *command, int argc, char **argv)
{
	struct etcdreg_err err;
	struct options opts;
	int status = STATUS_OK;

	if (options_parse(&opts, command, argc, argv, &err) < 0)
		status = options_refuse(command, &err);
	else if (opts.own & OWN_HELP)
		help_print(command, stdout);
	else
		status = command->main(&opts);
	options_release(&opts);
	return output_finish(status);
}

int main(int argc, char **argv)
{
	const struct command *command;

	output_init();
	if (argc < 2) {
		help_print(NULL, stderr);
		return STATUS_USAGE;
	}
	command = command_find(command_name(argv[1]));
	if (!command) {
		output_failure(STATUS_USAGE, "unknown command '%s'", argv[1]);
		help_print(NULL, stderr);
		return STATUS_USAGE;
	}
	return start(command, argc - 1, argv + 1);
}
