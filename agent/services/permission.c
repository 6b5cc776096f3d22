/* SPDX-License-Identifier: MIT */
/* The permission to announce a socket. */
#include "permission.h"

#include <string.h>
#include <sys/socket.h>

#include "agent/kernel/holders.h"
#include "agent/kernel/pidfd.h"
#include "lib/base/cleanup.h"
#include "lib/base/err.h"
#include "model.h"

static bool is_as_announced(const struct sockdiag_socket *entry, const struct wire_socket *id)
{
	size_t len = id->family == AF_INET ? 4 : sizeof(id->address);

	return entry->family == id->family && memcmp(entry->address, id->address, len) == 0;
}

static bool is_held(const struct sockdiag_socket *entry, const struct permission_claim *claim,
		    unsigned *budget)
{
	enum holders_answer answer = HOLDERS_UNKNOWN;

	if (claim->pid > 0 && claim->pidfd >= 0)
		answer = holders_ask(claim->pid, entry->inode, budget);
	/* If the process has ended, the answer may be about another one with its pid. */
	if (answer != HOLDERS_UNKNOWN && !pidfd_has_ended(claim->pidfd))
		return answer == HOLDERS_YES;
	return entry->uid == claim->uid;
}

static int find_socket(struct sockdiag *diag, const struct wire_socket *id,
		       struct sockdiag_socket *ret, struct etcdreg_err *err)
{
	const struct sockdiag_socket wanted = {
		.inode = id->inode,
		.cookie = id->cookie,
		.port = id->port,
	};
	CLEANUP(sockdiag_list) struct sockdiag_list list = {0};
	const struct sockdiag_socket *entry;
	int r = sockdiag_dump_port(diag, model_kind(id), id->port, &list, err);

	if (r < 0)
		return r;
	entry = sockdiag_list_find(&list, &wanted);
	if (!entry || !is_as_announced(entry, id))
		return err_set(err, ETCDREG_E_NOTFOUND,
			       "the agent's network namespace has no such socket");
	*ret = *entry;
	return 0;
}

int permission_check(struct sockdiag *diag, const struct permission_claim *claim, unsigned *budget,
		     struct etcdreg_err *err)
{
	struct sockdiag_socket socket = {0};
	int r = find_socket(diag, claim->id, &socket, err);

	if (r < 0 || is_held(&socket, claim, budget))
		return r;
	/* A socket that closed after the first dump has no holder; a second dump shows that. */
	r = find_socket(diag, claim->id, &socket, err);
	if (r < 0)
		return r;
	return err_set(err, ETCDREG_E_DENIED, "the socket does not belong to this process");
}
