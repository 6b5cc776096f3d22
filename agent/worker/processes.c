/* SPDX-License-Identifier: MIT */
/* The messages of clients and their effect. */
#define _GNU_SOURCE
#include "processes.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/base/log.h"
#include "agent/kernel/pidfd.h"
#include "agent/services/permission.h"
#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/zero.h"
#include "lib/config/config.h"
#include "lib/net/address.h"
#include "worker.h"

enum {
	BEAT_INTERVAL_MAX_MS = 5000,
	ETCD_PORT = 2379, /* any port will do: nothing is sent to find the route */
};

static struct worker *worker_of(const struct client *client)
{
	return client->clients->arg;
}

static bool is_any(const struct wire_socket *id)
{
	return is_zero(id->address, id->family == AF_INET ? 4 : 16);
}

static void set_host(struct holding *holding, const char *host, const char *error)
{
	free(holding->host);
	free(holding->host_error);
	holding->host = host ? strdup(host) : NULL;
	holding->host_error = error ? strdup(error) : NULL;
}

static void advertise(struct worker *worker, struct holding *holding)
{
	const struct process *process = holding->process;
	const struct wire_socket *id = &holding->sock->id;
	struct address_hint hint = {
		.family = id->family,
		.v6only = id->v6only != 0,
		.etcd_host = worker->resolver.address,
		.etcd_port = ETCD_PORT,
	};
	char host[ADDRESS_MAX];
	struct etcdreg_err err;

	/*
	 * Without the route to etcd the choice could be wrong.  etcd is then out of reach
	 * anyway.
	 */
	if (!worker->resolver.address && is_any(id) && !process->host[0]) {
		if (holding->host)
			return;
		set_host(holding, NULL,
			 worker->resolver.running ? NULL : "etcd's host name does not resolve");
		return;
	}
	memcpy(hint.bytes, id->address, sizeof(hint.bytes));
	if (address_advertise(process->host, &hint, host, &err) < 0)
		set_host(holding, NULL, err.msg);
	else
		set_host(holding, host, NULL);
}

static void advertise_process(struct worker *worker, struct process *process, bool all)
{
	LIST_FOR_EACH (link, &process->holdings) {
		struct holding *holding = LIST_ENTRY(link, struct holding, of_process);

		if (holding->announced && (all || !holding->host))
			advertise(worker, holding);
	}
}

void processes_advertise(struct worker *worker)
{
	LIST_FOR_EACH (link, &worker->model.processes)
		advertise_process(worker, LIST_ENTRY(link, struct process, in_model), false);
}

/* The process at the other end of a connection. */
struct peer {
	int pidfd;   /* -1: none */
	pid_t pid;   /* 0: not known */
	uint64_t id; /* 0: not known */
};

static void peer_release(struct peer *peer)
{
	fd_release(&peer->pidfd);
}

static int identify(const struct client *client, struct peer *peer, struct etcdreg_err *err)
{
	peer->pid = client->pid;
	peer->id = (uint64_t)client->pid;
	if (peer->pidfd < 0)
		peer->pidfd = pidfd_of_peer(client->source.fd, client->pid);
	if (peer->pidfd < 0)
		return 0;
	if (!pidfd_identify(peer->pidfd, &peer->pid, &peer->id))
		return err_set(err, ETCDREG_E_PROTO,
			       "its hello has a file descriptor that is not a pidfd");
	/* Without /proc, pidfd_identify() cannot tell. */
	if (peer->pid == 0)
		peer->pid = client->pid;
	if (peer->id == 0)
		peer->id = (uint64_t)client->pid;
	/* Otherwise one user's goodbye could take another user's services out of etcd. */
	if (peer->pid > 0 && client->pid > 0 && peer->pid != client->pid)
		return err_set(err, ETCDREG_E_PROTO,
			       "its hello has the pidfd of another process (%d)", (int)peer->pid);
	return 0;
}

static int load_settings(const struct message *message, struct config *cfg, struct names *ret_names,
			 struct etcdreg_err *err)
{
	int r = config_init(cfg, err);

	if (r == 0)
		r = config_load_block(cfg, message->settings, message->settings_len, err);
	if (r < 0)
		return r;
	r = names_parse(cfg->name, ret_names, err);
	return r < 0 ? err_prefix(err, r, "ETCD_REGISTRY_NAME: ") : 0;
}

static struct process *enter_process(struct worker *worker, const struct client *client,
				     const struct peer *peer)
{
	struct process *process = model_find_process(&worker->model, peer->id, client->uid);

	/* Without pidfs the id is the pid, which another process may have by now. */
	if (process && process->exit.fd >= 0 && pidfd_has_ended(process->exit.fd)) {
		survey_bury(&worker->survey, process);
		process = NULL;
	}
	if (!process)
		process = model_add_process(&worker->model, peer->id, client->uid);
	if (!process)
		return NULL;
	process->uid = client->uid;
	process->pid = peer->pid;
	return process;
}

static void connect_process(struct process *process, struct client *client)
{
	/* Only the latest connection speaks for a process. */
	if (process->client)
		client_close(process->client);
	process->client = client;
	process->state = PROCESS_RUNNING;
	process->heard_ms = now_ms();
	client->process = process;
}

static void welcome(const struct worker *worker, struct client *client)
{
	uint64_t interval_ms = worker->ttl_ms / 2;
	struct answer answer;

	if (interval_ms > BEAT_INTERVAL_MAX_MS)
		interval_ms = BEAT_INTERVAL_MAX_MS;
	answer_welcome(&answer, (uint32_t)interval_ms);
	client_send(client, &answer);
}

static int hello(struct client *client, const struct message *message, int pidfd,
		 struct etcdreg_err *err)
{
	struct worker *worker = worker_of(client);
	CLEANUP(peer) struct peer peer = {.pidfd = pidfd};
	CLEANUP(config) struct config cfg = {0};
	CLEANUP(names) struct names names = {0};
	struct process *process;
	int r;

	lifetime_arrival(&worker->lifetime, now_ms());
	if (worker->options.refusal)
		return err_set(err, ETCDREG_E_CONFIG, "%s", worker->options.refusal);
	r = identify(client, &peer, err);
	if (r == 0)
		r = load_settings(message, &cfg, &names, err);
	if (r < 0)
		return r;
	process = enter_process(worker, client, &peer);
	if (!process || process_configure(process, &names, cfg.host, cfg.protocol, cfg.meta) < 0)
		return err_nomem(err);
	log_debug("pid %d: hello, ETCD_REGISTRY_NAME is '%s', its own pid is %u", (int)process->pid,
		  cfg.name, message->pid);
	connect_process(process, client);
	survey_watch(&worker->survey, process, peer.pidfd);
	peer.pidfd = -1;
	advertise_process(worker, process, true);
	worker->changed = true;
	welcome(worker, client);
	return 0;
}

static void refuse_socket(struct client *client, const struct wire_socket *id, const char *why)
{
	struct etcdreg_err text;
	struct answer answer;

	log_debug("pid %d: port %u: %s", (int)client->process->pid, id->port, why);
	err_set(&text, ETCDREG_E_INVALID, "etcd-registry: not registered: port %u: %s", id->port,
		why);
	answer_outcome(&answer, id, WIRE_FAILED, text.msg);
	client_send(client, &answer);
}

static void tell_gone(struct client *client, const struct wire_socket *id)
{
	struct answer answer;

	log_debug("pid %d: port %u: the socket has closed already", (int)client->process->pid,
		  id->port);
	answer_outcome(&answer, id, WIRE_GONE, NULL);
	client_send(client, &answer);
}

/*
 * An agent that a host started trusts its one user, whose sockets may be in any network namespace.
 * An operator's agent checks every socket.
 */
static bool may_announce(struct worker *worker, struct client *client, const struct wire_socket *id)
{
	const struct process *process = client->process;
	const struct permission_claim claim = {
		.id = id,
		.uid = client->uid,
		.pid = process->pid,
		.pidfd = process->exit.fd,
	};
	struct etcdreg_err err;
	int r;

	if (worker->options.hosted || model_holds(&worker->model, process, id))
		return true;
	r = permission_check(&worker->survey.diag, &claim, &client->user->descriptors, &err);
	if (r == ETCDREG_E_NOTFOUND && claim.pidfd >= 0 &&
	    pidfd_shares_network(claim.pidfd, claim.pid))
		tell_gone(client, id);
	else if (r < 0)
		refuse_socket(client, id, err.msg);
	return r == 0;
}

static void listens(struct client *client, const struct wire_socket *id)
{
	struct worker *worker = worker_of(client);
	struct holding *holding;
	int r;

	if (!may_announce(worker, client, id))
		return;
	r = model_hold(&worker->model, client->process, id, true, &holding);
	if (r < 0) {
		refuse_socket(client, id,
			      r == ETCDREG_E_INVALID ? "a process can announce at most 256 sockets"
						     : "out of memory");
		return;
	}
	log_debug("pid %d: listens on port %u", (int)client->process->pid, id->port);
	holding->told = 0;
	advertise(worker, holding);
	worker->survey.due = true;
	lifetime_arrival(&worker->lifetime, now_ms());
}

static void goodbye(struct client *client, bool forked)
{
	struct process *process = client->process;

	log_debug("pid %d: goodbye%s", (int)process->pid, forked ? ", has forked" : "");
	process->owes_left = true;
	/*
	 * A child may still use the sockets.  Only the kernel can tell, once the process has ended.
	 */
	if (!forked && process->state != PROCESS_DEAD)
		process->state = PROCESS_LEAVING;
	survey_suspect(&worker_of(client)->survey, process);
}

static void message(struct client *client, const struct message *message)
{
	struct process *process = client->process;

	process->heard_ms = now_ms();
	if (process->state == PROCESS_STOPPED) {
		log_info("pid %d: sends messages again", (int)process->pid);
		process->state = PROCESS_RUNNING;
		worker_of(client)->changed = true;
	}
	if (message->type == WIRE_LISTEN)
		listens(client, &message->socket);
	else if (message->type == WIRE_BYE)
		goodbye(client, message->forked);
}

static void closed(struct client *client)
{
	struct worker *worker = worker_of(client);
	struct process *process = client->process;

	if (process->client != client)
		return;
	process->client = NULL;
	process->owes_left = false;
	/* Without a connection no beats are expected. */
	if (process->state == PROCESS_STOPPED)
		process->state = PROCESS_RUNNING;
	/* Without a pidfd only the connection showed that the process lives. */
	if (process->exit.fd < 0 && process->state != PROCESS_DEAD)
		survey_bury(&worker->survey, process);
	else
		survey_suspect(&worker->survey, process);
}

const struct clients_ops processes_ops = {.hello = hello, .message = message, .closed = closed};

void processes_judge_beats(struct worker *worker)
{
	LIST_FOR_EACH (link, &worker->model.processes) {
		struct process *process = LIST_ENTRY(link, struct process, in_model);
		uint64_t since_ms = process->heard_ms > worker->steady_ms ? process->heard_ms
									  : worker->steady_ms;

		if (!process->client || process->state != PROCESS_RUNNING ||
		    worker->turn_ms < since_ms + worker->ttl_ms)
			continue;
		log_info("pid %d: no message for %u s, treated as stopped", (int)process->pid,
			 worker->options.config->ttl_s);
		process->state = PROCESS_STOPPED;
	}
}

void processes_sweep(struct worker *worker)
{
	LIST_FOR_EACH_SAFE (link, &worker->model.processes) {
		struct process *process = LIST_ENTRY(link, struct process, in_model);

		if (process->state == PROCESS_DEAD && process->client)
			client_close(process->client);
		if (!process_is_idle(process))
			continue;
		survey_unwatch(&worker->survey, process);
		model_drop_process(&worker->model, process);
	}
}
