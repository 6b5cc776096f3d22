/* SPDX-License-Identifier: MIT */
/* The answers about sockets and goodbyes. */
#include "outcomes.h"

#include <stdio.h>

#include "agent/services/claims.h"

/*
 * If etcd is known to be down, a new service has an event of its own within this time, or none for
 * long.  Then the outage is its error.
 */
enum { DOWN_PATIENCE_MS = 1000 };

static unsigned endpoint_outcome(const struct endpoints *endpoints, const struct endpoint *endpoint,
				 uint64_t now_ms, char text[static WIRE_TEXT_MAX])
{
	const char *error = endpoint->error;

	if (endpoint->registered)
		return WIRE_REGISTERED;
	if (!error && now_ms - endpoint->joined_ms >= DOWN_PATIENCE_MS)
		error = endpoints->down;
	if (!error)
		return 0;
	(void)snprintf(text, WIRE_TEXT_MAX, "etcd-registry: %s: not registered%s: %s%s",
		       endpoint->name, endpoint->refused ? "" : " yet", error,
		       endpoint->refused ? "" : "; still trying");
	return WIRE_FAILED;
}

static unsigned item_outcome(const struct endpoints *endpoints, const struct holding *holding,
			     size_t item, uint64_t now_ms, char text[static WIRE_TEXT_MAX])
{
	const struct process *process = holding->process;
	const struct endpoint *endpoint = endpoints_find(endpoints, process->claims[item].tag);

	if (endpoint)
		return endpoint_outcome(endpoints, endpoint, now_ms, text);
	if (!holding->host_error)
		return 0;
	(void)snprintf(text, WIRE_TEXT_MAX, "etcd-registry: %s: not registered: port %u: %s",
		       process->names.items[item].name, holding->sock->id.port,
		       holding->host_error);
	return WIRE_FAILED;
}

unsigned outcome_of(const struct endpoints *endpoints, const struct holding *holding,
		    uint64_t now_ms, char text[static WIRE_TEXT_MAX])
{
	unsigned outcome = WIRE_UNNAMED;

	text[0] = '\0';
	if (!claims_allowed(holding))
		return 0;
	for (size_t i = 0; i < holding->process->names.len; i++) {
		unsigned of_item;

		if (!claims_item(holding, i))
			continue;
		of_item = item_outcome(endpoints, holding, i, now_ms, text);
		if (of_item != WIRE_REGISTERED)
			return of_item;
		outcome = of_item;
	}
	return outcome;
}

bool outcome_left(const struct endpoints *endpoints, const struct process *process)
{
	if (endpoints->down)
		return true;
	for (size_t i = 0; i < process->names.len; i++) {
		const struct endpoint *endpoint =
			endpoints_find(endpoints, process->claims[i].left_tag);

		if (endpoint && endpoint_is_leaving(endpoint) && !endpoint->error)
			return false;
	}
	return true;
}
