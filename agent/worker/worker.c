/* SPDX-License-Identifier: MIT */
/* The agent's event loop. */
#include "worker.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/keeper/keeper.h"
#include "handover.h"
#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/registry/registry.h"
#include "processes.h"
#include "reports.h"

enum {
	TICK_MS = 1000,
	GAP_MS = 2000, /* a turn this late: the agent did not run in between */
	ADVERTISE_TICKS = 5,
	ORPHAN_TTLS = 3,
	CLOSE_MS = 1000,
	ACCEPTS_MAX = 256, /* per turn: a flood of connections delays nothing else */
};

/* After CLIENTS_NO_ROOM the others wait in the socket's queue until the next second. */
static void accept_some(struct worker *worker, size_t max)
{
	size_t len = worker->clients.len;
	enum clients_accepted accepted =
		clients_accept(&worker->clients, worker->options.listen_fd, max);

	if (accepted != CLIENTS_ALL)
		loop_remove(&worker->loop, &worker->listener);
	worker->accept_more = accepted == CLIENTS_MAX_REACHED;
	if (worker->clients.len > len)
		lifetime_arrival(&worker->lifetime, now_ms());
}

static void accept_clients(struct source *source)
{
	accept_some(source->arg, ACCEPTS_MAX);
}

static int listen_again(struct worker *worker)
{
	if (worker->listener.ready || worker->lifetime.retired)
		return 0;
	return loop_add(&worker->loop, &worker->listener, worker->options.listen_fd, accept_clients,
			worker);
}

static void read_signals(struct source *source)
{
	struct worker *worker = source->arg;
	struct signalfd_siginfo info;

	while (read(source->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		const char *name = strsignal((int)info.ssi_signo);

		if (!worker->options.hosted && info.ssi_signo == SIGHUP)
			log_reopen();
		else if (!worker->options.hosted || lifetime_obeys(&worker->lifetime))
			worker->stop = true;
		else
			log_info("%s: ignored while a server of this agent listens", name);
	}
}

static void read_news(struct source *source)
{
	struct worker *worker = source->arg;
	struct news_item *item;

	while ((item = news_pop(&worker->news))) {
		if (item->type == ETCDREG_FAILOVER)
			log_warn("%s; using another node", item->error);
		endpoints_event(&worker->endpoints, item->type, item->tag, item->error);
		news_item_free(item);
		worker->changed = true;
	}
}

static void take_address(struct source *source)
{
	struct worker *worker = source->arg;

	loop_remove(&worker->loop, source);
	resolver_take(&worker->resolver);
	worker->readvertise = true;
	worker->changed = true;
}

static void watch_resolver(struct worker *worker)
{
	if (worker->resolver.running && !worker->resolving.ready &&
	    loop_add(&worker->loop, &worker->resolving, worker->resolver.fd, take_address, worker) <
		    0)
		resolver_take(&worker->resolver);
}

static void log_orphans(struct worker *worker)
{
	LIST_FOR_EACH (link, &worker->model.socks) {
		struct sock *sock = LIST_ENTRY(link, struct sock, in_model);
		pid_t pid = 0;

		if (sock->orphan_logged || sock->orphan_since_ms == 0 ||
		    worker->turn_ms - sock->orphan_since_ms < ORPHAN_TTLS * worker->ttl_ms)
			continue;
		LIST_FOR_EACH (holder, &sock->holders) {
			const struct holding *holding = LIST_ENTRY(holder, struct holding, of_sock);

			if (!holding->announced)
				pid = holding->process->pid;
		}
		sock->orphan_logged = true;
		if (pid > 0)
			log_info("port %u: the process that listened has ended; pid %d holds the "
				 "socket, so it stays registered",
				 sock->id.port, (int)pid);
		else
			log_info("port %u: the process that listened has ended; a process that "
				 "the agent cannot see holds the socket, so it stays registered",
				 sock->id.port);
	}
}

static void tick(struct worker *worker, bool read_dry)
{
	worker->tick_ms = worker->turn_ms + TICK_MS;
	worker->survey.due = true;
	if (read_dry)
		processes_judge_beats(worker);
	if (listen_again(worker) < 0)
		log_warn("cannot watch the agent's socket: %s; still trying", strerror(errno));
	if (worker->turn_ms / TICK_MS % ADVERTISE_TICKS == 0) {
		resolver_retry(&worker->resolver);
		worker->readvertise = true;
	}
	watch_resolver(worker);
	log_orphans(worker);
	clients_expire(&worker->clients, worker->turn_ms);
	handover_expire(worker);
}

static void stop_listening(struct worker *worker)
{
	if (worker->options.listen_fd >= 0)
		keeper_stop_listening(worker->options.control_fd);
	loop_remove(&worker->loop, &worker->listener);
	fd_release(&worker->options.listen_fd);
	worker->options.listen_fd = -1;
}

static void retire(struct worker *worker)
{
	log_debug("no server is left: closing the agent's socket");
	/* From here on a host that connects is refused, and starts another agent. */
	if (worker->options.listen_fd >= 0) {
		(void)shutdown(worker->options.listen_fd, SHUT_RD);
		accept_some(worker, SIZE_MAX);
	}
	stop_listening(worker);
}

static void judge_lifetime(struct worker *worker)
{
	enum lifetime_verdict verdict = LIFETIME_RETIRE;

	if (!worker->options.hosted)
		return;
	while (verdict == LIFETIME_RETIRE) {
		verdict = lifetime_judge(&worker->lifetime, worker->model.socks_len > 0,
					 worker->endpoints.leaving == 0, now_ms());
		if (verdict == LIFETIME_RETIRE)
			retire(worker);
	}
	worker->stop |= verdict == LIFETIME_END;
}

static int next_timeout_ms(const struct worker *worker)
{
	uint64_t now = now_ms();
	uint64_t at = worker->tick_ms;

	if (worker->survey.due)
		return 0;
	if (worker->survey.again_ms != 0 && worker->survey.again_ms < at)
		at = worker->survey.again_ms;
	if (worker->endpoints.due_ms != 0 && worker->endpoints.due_ms < at)
		at = worker->endpoints.due_ms;
	if (worker->options.hosted && worker->lifetime.phase != LIFETIME_NEEDED &&
	    worker->lifetime.deadline_ms < at)
		at = worker->lifetime.deadline_ms;
	return at > now ? (int)(at - now) : 0;
}

static void decide(struct worker *worker)
{
	worker->changed = false;
	survey_run(&worker->survey, worker->turn_ms);
	if (worker->readvertise)
		processes_advertise(worker);
	worker->readvertise = false;
	reports_forget(worker);
	model_judge(&worker->model, worker->turn_ms);
	endpoints_update(&worker->endpoints, &worker->model, &worker->survey.list, worker->turn_ms);
	handover_save(worker);
	reports_tell(worker);
	processes_sweep(worker);
}

static void turn(struct worker *worker)
{
	int timeout_ms = next_timeout_ms(worker);
	bool read_dry;
	uint64_t now;

	if (worker->accept_more)
		(void)listen_again(worker);
	read_dry = loop_turn(&worker->loop, timeout_ms);
	now = now_ms();
	if (now - worker->turn_ms > (uint64_t)timeout_ms + GAP_MS)
		worker->steady_ms = now;
	worker->turn_ms = now;
	if (now >= worker->tick_ms)
		tick(worker, read_dry);
	if (worker->changed || survey_is_due(&worker->survey, now) ||
	    endpoints_are_due(&worker->endpoints, now))
		decide(worker);
	judge_lifetime(worker);
	clients_sweep(&worker->clients);
}

static int join(void *arg, const struct etcdreg_service *service, struct etcdreg_err *err)
{
	struct worker *worker = arg;

	return etcdreg_join(worker->reg, service, err);
}

static int leave(void *arg, const struct etcdreg_service *service, struct etcdreg_err *err)
{
	struct worker *worker = arg;

	return etcdreg_leave(worker->reg, service, err);
}

static int open_signals(struct worker *worker)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return ETCDREG_E_SYSTEM;
	if (loop_add(&worker->loop, &worker->signals, fd, read_signals, worker) < 0) {
		close(fd);
		return ETCDREG_E_SYSTEM;
	}
	return 0;
}

static int open_registry(struct worker *worker, struct etcdreg_err *err)
{
	struct registry_options options = {
		.config = worker->options.config,
		.connstr = worker->options.connstr,
		.on_event = news_push,
		.event_arg = &worker->news,
	};

	if (worker->options.refusal)
		return 0;
	if (worker->options.table) {
		options.leases = table_leases(worker->options.table);
		options.leases->restored = worker->options.takes_over;
	}
	return registry_open(&options, &worker->reg, err);
}

static int init_parts(struct worker *worker)
{
	const struct endpoints_ops ops = {.join = join, .leave = leave, .arg = worker};
	int r = loop_init(&worker->loop);

	if (r == 0)
		r = model_init(&worker->model);
	if (r == 0)
		r = endpoints_init(&worker->endpoints, &ops);
	if (r == 0)
		r = survey_init(&worker->survey, &worker->model, &worker->loop);
	if (r == 0)
		r = news_init(&worker->news);
	if (r == 0)
		r = resolver_init(&worker->resolver, worker->options.connstr->hosts,
				  worker->options.connstr->hosts_len);
	return r;
}

static void lose_keeper(struct source *source)
{
	log_warn("the keeper has ended: if this worker is killed too, nothing starts another");
	loop_remove(&((struct worker *)source->arg)->loop, source);
}

static int watch_keeper(struct worker *worker)
{
	if (worker->options.control_fd < 0)
		return 0;
	return loop_add(&worker->loop, &worker->keeper, worker->options.control_fd, lose_keeper,
			worker);
}

static int start(struct worker *worker, struct etcdreg_err *err)
{
	int r;

	clients_init(&worker->clients, &worker->loop, &processes_ops, worker,
		     !worker->options.hosted);
	r = init_parts(worker);
	if (r == 0)
		r = loop_add(&worker->loop, &worker->registry, worker->news.fd, read_news, worker);
	if (r == 0)
		r = open_signals(worker);
	if (r == 0)
		r = watch_keeper(worker);
	if (r == 0)
		r = listen_again(worker);
	if (r < 0)
		return err_set(err, r, "cannot start the agent: %s", strerror(errno));
	watch_resolver(worker);
	r = open_registry(worker, err);
	if (r == 0 && worker->options.takes_over) {
		handover_restore(worker);
		decide(worker);
	}
	return r;
}

static void worker_release(struct worker *worker)
{
	clients_release(&worker->clients);
	/* If etcd is down, only the leases can take the services out. */
	etcdreg_close(worker->reg, worker->endpoints.down ? 0 : CLOSE_MS);
	if (worker->model.socks_by_inode.buckets)
		LIST_FOR_EACH (link, &worker->model.processes)
			survey_unwatch(&worker->survey, LIST_ENTRY(link, struct process, in_model));
	news_release(&worker->news);
	resolver_release(&worker->resolver);
	survey_release(&worker->survey);
	endpoints_release(&worker->endpoints);
	model_release(&worker->model);
	fd_release(&worker->signals.fd);
	fd_release(&worker->options.control_fd);
	loop_release(&worker->loop);
}

int worker_run(const struct worker_options *options, struct etcdreg_err *err)
{
	CLEANUP(worker)
	struct worker worker = {
		.options = *options,
		.loop.epoll_fd = -1,
		.survey.diag.fd = -1,
		.news.fd = -1,
		.resolver.fd = -1,
		.signals.fd = -1,
		.ttl_ms = (uint64_t)options->config->ttl_s * 1000,
		.turn_ms = now_ms(),
	};
	int r;

	worker.tick_ms = worker.turn_ms + TICK_MS;
	lifetime_init(&worker.lifetime, worker.turn_ms);
	worker.lifetime.retired = options->listen_fd < 0;
	r = start(&worker, err);
	if (r < 0)
		return r;
	while (!worker.stop)
		turn(&worker);
	log_debug("the worker ends");
	stop_listening(&worker);
	return 0;
}
