/* SPDX-License-Identifier: MIT */
/* Matching names and sockets. */
#include "claims.h"

#include <netinet/in.h>

bool claims_allowed(const struct holding *holding)
{
	return holding->announced && holding->sock->serves;
}

/* Returns whether the item may claim the socket, whether or not that has an address. */
static bool may_claim(const struct process *process, const struct name_item *item,
		      const struct wire_socket *id)
{
	if (item->port == 0)
		return id->protocol != IPPROTO_UDP &&
		       !names_claim(&process->names, id->port, id->protocol);
	return names_item_matches(item, id->port, id->protocol);
}

struct holding *claims_lead(const struct process *process, const struct name_item *item)
{
	LIST_FOR_EACH (link, &process->holdings) {
		struct holding *holding = LIST_ENTRY(link, struct holding, of_process);

		if (holding->host && claims_allowed(holding) &&
		    may_claim(process, item, &holding->sock->id))
			return holding;
	}
	return NULL;
}

bool claims_item(const struct holding *holding, size_t item)
{
	const struct process *process = holding->process;
	const struct holding *lead = process->claims[item].lead;

	if (!may_claim(process, &process->names.items[item], &holding->sock->id))
		return false;
	return !lead || lead->sock->id.port == holding->sock->id.port;
}
