/* SPDX-License-Identifier: MIT */
/*
 * worker.h - run the agent's event loop over clients, processes, the kernel's sockets and the
 * registry's events.
 *
 *	clients.h    connections and messages         processes.h  the effect of messages
 *	survey.h     the kernel's sockets             model.h      the known processes and sockets
 *	endpoints.h  the services wanted in etcd      news.h       the registry's events
 *	outcomes.h   the answers to a process         reports.h    sending them
 *	handover.h   the state for the next worker    lifetime.h   the end of the agent
 *
 * A turn reads everything that has arrived.  If anything happened, it then asks the kernel, decides
 * and answers.  Only the end of a turn frees elements.  The library's thread does the HTTP: nothing
 * here waits for etcd, a client or a name server.
 *
 * The worker never exits, prints or changes its process: its caller (agent.c) does.
 */
#ifndef ETCDREG_AGENT_WORKER_WORKER_H
#define ETCDREG_AGENT_WORKER_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/loop.h"
#include "agent/clients/clients.h"
#include "agent/keeper/table.h"
#include "agent/services/endpoints.h"
#include "agent/services/model.h"
#include "agent/services/survey.h"
#include "lib/config/config.h"
#include "lib/config/connstr.h"
#include "lib/etcd-registry.h"
#include "lifetime.h"
#include "news.h"
#include "resolver.h"

struct worker_options {
	int listen_fd;       /* bound and listening SOCK_SEQPACKET; taken over on success.
				   -1: a previous worker has stopped listening for good */
	int control_fd;      /* to the keeper; -1: there is none */
	struct table *table; /* keeps the state for the next worker; NULL: nothing does */
	bool takes_over;     /* goes on with the state in the table */
	bool hosted;         /* a host started the agent: it ends when nobody needs it */
	const char *refusal; /* the settings are invalid: the answer to every HELLO;
				   `config` and `connstr` may be zeroed */
	/* Borrowed until worker_run() returns; complete, as struct registry_options requires. */
	const struct config *config;
	const struct connstr *connstr; /* the route to its hosts decides the advertised address */
};

struct worker {
	struct worker_options options;
	struct loop loop;
	struct clients clients;
	struct model model;
	struct survey survey;
	struct endpoints endpoints;
	struct news news;
	struct resolver resolver;
	struct lifetime lifetime;
	struct etcdreg *reg; /* NULL: the settings are invalid */
	struct source listener, signals, registry, resolving, keeper;
	uint64_t ttl_ms;
	uint64_t turn_ms;   /* when the turn began */
	uint64_t tick_ms;   /* when the next second begins */
	uint64_t steady_ms; /* the agent has run without a gap since: beats count from here */
	bool accept_more;   /* in the next turn: this one has accepted its maximum */
	bool changed;       /* there is something new to decide on */
	bool readvertise;   /* look again for missing addresses */
	bool stop;
	bool overflow_logged; /* the state did not fit into the table, and a warning said so */
};

/*
 * Serves until nobody needs the agent or a signal ends it.  SIGTERM, SIGINT and SIGHUP must be
 * blocked: the worker reads them from a signalfd.  Fails with ETCDREG_E_SYSTEM, _NOMEM, or as
 * registry_open() does, before it has served any client.
 */
int worker_run(const struct worker_options *options, struct etcdreg_err *err);

#endif
