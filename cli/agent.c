/* SPDX-License-Identifier: MIT */
/* `etcd-registry agent`: check the socket options, then start the agent. */
#include "agent/agent.h"

#include "command.h"
#include "lib/base/err.h"
#include "options.h"

static int check_socket(const struct options *opts, struct etcdreg_err *err)
{
	const char *socket = opts->agent.socket;

	if (!(opts->own & OWN_SOCKET) == !(opts->own & OWN_LISTEN_FD))
		return err_set(err, ETCDREG_E_CONFIG,
			       "give exactly one of --socket and --listen-fd");
	if ((opts->own & (OWN_MODE | OWN_OWNER)) && (!socket || socket[0] == '@'))
		return err_set(err, ETCDREG_E_CONFIG, "%s needs a --socket that is a path",
			       opts->own & OWN_MODE ? "--mode" : "--owner");
	return 0;
}

int agent_command(struct options *opts)
{
	struct etcdreg_err err;

	if (check_socket(opts, &err) < 0)
		return options_refuse(opts->command, &err);
	options_wipe_secrets(opts);
	opts->agent.config = &opts->config;
	return agent_main(&opts->agent);
}
