/* SPDX-License-Identifier: MIT */
/* `etcd-registry agent`: the way from the command line into the agent. */
#include "agent/agent.h"

#include "command.h"
#include "options.h"

int agent_command(struct options *opts)
{
	/* Its argv[0], "agent", stands before the operands. */
	return agent_main((int)opts->operands_len + 1, opts->operands - 1);
}
