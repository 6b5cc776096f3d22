/* SPDX-License-Identifier: MIT */
/*
 * worker.h - the agent proper: one event loop over clients, processes, the kernel's sockets and the
 * registry's news.
 *
 *	clients.h   who is connected, what they say     processes.h   what that means
 *	survey.h    what the kernel says                model.h      what is known
 *	endpoints.h what is wanted in etcd              news.h       what became of it
 *	outcomes.h  what that means for a process       reports.h    telling it
 *	handover.h    what is kept for a worker after this one
 *
 * A turn reads everything that has arrived, then looks at the kernel if anything happened, then
 * decides and answers.  Elements are freed at the end of a turn only.  HTTP is done by the
 * library's thread; nothing here waits for etcd, a client or a name server.
 *
 * The worker never exits, prints or changes its process: what runs it (agent.c) does.
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
				   -1: a worker before this one has stopped listening for good */
	int control_fd;      /* to the keeper; -1: there is none */
	struct table *table; /* what is known is kept there; NULL: nowhere */
	bool takes_over;     /* and goes on with what a worker before this one left there */
	bool hosted;         /* a host started it: it ends when nobody needs it */
	const char *refusal; /* the settings are invalid: every hello is refused with it;
				   `config` and `connstr` may be zeroed */
	/* Borrowed until worker_run() returns, complete as struct registry_options wants them. */
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
	uint64_t steady_ms; /* it has run without a gap since: beats are judged from here */
	bool accept_more;   /* in the next turn: so many have been accepted in this one */
	bool changed;       /* something was learnt that is to be decided on */
	bool readvertise;   /* addresses are to be looked for again */
	bool stop;
	bool overflow_logged; /* what is known is more than the table holds */
};

/*
 * Serves until nobody needs it or a signal ends it.  SIGTERM, SIGINT and SIGHUP must be blocked;
 * they are read here.  Fails with ETCDREG_E_SYSTEM, _NOMEM, or as registry_open() does,
 * before it has served anybody.
 */
int worker_run(const struct worker_options *options, struct etcdreg_err *err);

#endif
