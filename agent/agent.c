/* SPDX-License-Identifier: MIT */
/* `etcd-registry agent`: the process around the worker. */
#define _GNU_SOURCE
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/base/rights.h"
#include "agent/clients/listener.h"
#include "agent/keeper/keeper.h"
#include "agent/worker/worker.h"
#include "lib/base/cleanup.h"
#include "lib/base/err.h"
#include "lib/config/config.h"
#include "lib/config/connstr.h"

enum {
	EXIT_OK = 0,
	EXIT_USAGE = 2,
	EXIT_FAILED = 3,
};

static int fail(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int fail(int status, const char *fmt, ...)
{
	va_list args;

	fputs("etcd-registry: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}

/*
 * The agent may inherit closed standard descriptors from its host.  Fills them, so that no file
 * which it opens later becomes one of them.
 */
static void fill_standard_fds(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			return;
}

static int take_listen_fd(int given, int *ret_fd, struct etcdreg_err *err)
{
	int fd = given;
	int r = listener_check(fd, err);

	if (r < 0)
		return r;
	if (fd <= 2) {
		fd = fcntl(given, F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			return err_set(err, ETCDREG_E_SYSTEM, "cannot duplicate descriptor %d: %s",
				       given, strerror(errno));
		close(given);
	}
	*ret_fd = fd;
	return 0;
}

static void set_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

static int settle_process(bool hosted, struct etcdreg_err *err)
{
	int r = rights_raise_descriptors(err);

	set_signals();
	if (hosted) {
		umask(077);
		(void)!chdir("/");
	}
	rights_drop();
	return r;
}

/*
 * Another user's agent may own the file.  That must not keep this user's services out of etcd, so a
 * hosted agent then logs to syslog.
 */
static int open_log(const struct config *cfg, bool hosted, struct etcdreg_err *err)
{
	const char *name = config_name(cfg, CONFIG_log, "--log");
	int r = log_open(cfg->log, err);

	if (r == ETCDREG_E_SYSTEM && hosted) {
		r = log_open("warn:syslog", NULL);
		log_error("%s: %s; the log goes to syslog", name, err->msg);
	}
	return r < 0 ? err_prefix(err, r, "%s: ", name) : 0;
}

/* Opens the log before it parses the connection string, since a refusal goes to the log. */
static int load_settings(struct config *cfg, struct connstr *ret, bool hosted,
			 struct etcdreg_err *err)
{
	int r = config_load_env(cfg, err);

	if (r == 0)
		r = open_log(cfg, hosted, err);
	return r < 0 ? r : connstr_load(ret, cfg, "--url", err);
}

static void log_end_of_worker(int status)
{
	if (WIFSIGNALED(status))
		log_warn("the worker was killed by signal %d: another worker takes over",
			 WTERMSIG(status));
	else
		log_warn("the worker ended with status %d: another worker takes over",
			 WEXITSTATUS(status));
}

static int serve(const struct keeper_task *task, struct config *cfg, bool hosted,
		 struct etcdreg_err *err)
{
	CLEANUP(connstr) struct connstr connstr = {0};
	const struct worker_options options = {
		.listen_fd = task->listen_fd,
		.control_fd = task->control_fd,
		.table = task->table,
		.takes_over = task->takes_over,
		.hosted = hosted,
		.config = cfg,
		.connstr = &connstr,
	};
	int r;

	rights_take();
	r = load_settings(cfg, &connstr, hosted, err);
	if (r < 0)
		return r;
	if (task->takes_over)
		log_end_of_worker(task->status);
	return worker_run(&options, err);
}

/* Serves only to refuse: a host learns in no other way that its settings are wrong. */
static int refuse_all(const struct keeper_task *task, const char *refusal, struct etcdreg_err *err)
{
	const struct config no_config = {0};
	const struct connstr no_connstr = {0};
	const struct worker_options options = {
		.listen_fd = task->listen_fd,
		.control_fd = task->control_fd,
		.hosted = true,
		.refusal = refusal,
		.config = &no_config,
		.connstr = &no_connstr,
	};

	log_error("%s", refusal);
	return worker_run(&options, err);
}

static bool has_handover(const struct keeper_task *task)
{
	size_t len = 0;

	if (task->table)
		(void)table_read(task->table, &len);
	return task->takes_over && len > 0;
}

static int run_hosted(const struct agent_options *options)
{
	struct etcdreg_err err, refusal;
	struct keeper_task task;
	int listen_fd = -1, status;

	if (take_listen_fd(options->listen_fd, &listen_fd, &err) < 0)
		return fail(EXIT_USAGE, "--listen-fd: %s", err.msg);
	fill_standard_fds();
	if (settle_process(true, &err) < 0) {
		err_prefix(&err, err.code, "etcd-registry: not registered: ");
		listener_refuse(listen_fd, err.msg);
		return EXIT_FAILED;
	}
	if (keeper_run(listen_fd, true, &task, &status) == KEEPER_DONE)
		return status < 0 ? EXIT_FAILED : status;
	if (serve(&task, options->config, true, &refusal) == 0)
		return EXIT_OK;
	/* A worker that only refuses would drop the services.  Fail: the keeper starts another. */
	if (has_handover(&task))
		err = refusal;
	else if (refuse_all(&task, refusal.msg, &err) == 0)
		return EXIT_OK;
	log_error("%s", err.msg);
	return EXIT_FAILED;
}

static int status_of(int code)
{
	return code == ETCDREG_E_CONFIG ? EXIT_USAGE : EXIT_FAILED;
}

/* Returns the exit status. */
static int serve_operator(const struct keeper_task *task, struct config *cfg)
{
	struct etcdreg_err err;
	int r = serve(task, cfg, false, &err);

	return r < 0 ? fail(status_of(r), "%s", err.msg) : EXIT_OK;
}

static int run_for_operator(const struct agent_options *options)
{
	const struct listener_options listener = {
		.name = options->socket,
		.mode = options->mode,
		.owner = options->owner,
	};
	struct etcdreg_err err;
	struct keeper_task task;
	struct listener_file file;
	int listen_fd = -1, status;
	int r;

	fill_standard_fds();
	r = listener_bind(&listener, &listen_fd, &file, &err);
	if (r < 0)
		return fail(status_of(r), "--socket: %s", err.msg);
	if (settle_process(false, &err) < 0) {
		listener_remove(options->socket, &file);
		return fail(EXIT_FAILED, "%s", err.msg);
	}
	if (keeper_run(listen_fd, false, &task, &status) == KEEPER_WORKER) {
		status = serve_operator(&task, options->config);
		if (task.table)
			return status;
	}
	listener_remove(options->socket, &file);
	return status < 0 ? EXIT_FAILED : status;
}

int agent_main(const struct agent_options *options)
{
	config_hide_env();
	return options->socket ? run_for_operator(options) : run_hosted(options);
}
