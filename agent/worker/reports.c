/* SPDX-License-Identifier: MIT */
/* Outcomes of sockets, answers to goodbyes. */
#include "reports.h"

#include <netinet/in.h>

#include "agent/base/log.h"
#include "outcomes.h"
#include "worker.h"

static void tell(struct holding *holding, enum wire_outcome_what what, const char *text)
{
	struct answer answer;

	holding->told = what;
	if (!holding->process->client)
		return;
	answer_outcome(&answer, &holding->sock->id, what, text);
	client_send(holding->process->client, &answer);
}

void reports_forget(struct worker *worker)
{
	LIST_FOR_EACH_SAFE (link, &worker->model.socks) {
		struct sock *sock = LIST_ENTRY(link, struct sock, in_model);

		if (sock_listens(sock))
			continue;
		log_debug("port %u: the socket no longer listens", sock->id.port);
		LIST_FOR_EACH (holder, &sock->holders) {
			struct holding *holding = LIST_ENTRY(holder, struct holding, of_sock);

			if (holding->announced)
				tell(holding, WIRE_GONE, NULL);
		}
		model_drop_sock(&worker->model, sock);
	}
}

static void log_hint(const struct holding *holding)
{
	struct process *process = holding->process;
	bool udp = holding->sock->id.protocol == IPPROTO_UDP;

	if (process->hint_logged)
		return;
	process->hint_logged = true;
	log_info("pid %d: port %u%s is not registered: no name claims it; to register it, add "
		 "NAME:%u%s to ETCD_REGISTRY_NAME",
		 (int)process->pid, holding->sock->id.port, udp ? "/udp" : "",
		 holding->sock->id.port, udp ? "/udp" : "");
}

static void tell_outcome(const struct worker *worker, struct holding *holding)
{
	char text[WIRE_TEXT_MAX];
	unsigned what = outcome_of(&worker->endpoints, holding, worker->turn_ms, text);

	if (what == 0 || what == holding->told)
		return;
	/* A process that heard of a success does not hear of later failures. */
	if (what == WIRE_FAILED && holding->told == WIRE_REGISTERED)
		return;
	if (what == WIRE_UNNAMED)
		log_hint(holding);
	tell(holding, what, text[0] ? text : NULL);
}

static void answer_goodbye(const struct worker *worker, struct process *process)
{
	struct answer answer;

	if (!outcome_left(&worker->endpoints, process))
		return;
	process->owes_left = false;
	answer_left(&answer);
	client_send(process->client, &answer);
}

void reports_tell(struct worker *worker)
{
	LIST_FOR_EACH (link, &worker->model.processes) {
		struct process *process = LIST_ENTRY(link, struct process, in_model);

		if (!process->client)
			continue;
		LIST_FOR_EACH (holding, &process->holdings)
			tell_outcome(worker, LIST_ENTRY(holding, struct holding, of_process));
		if (process->owes_left)
			answer_goodbye(worker, process);
	}
}
