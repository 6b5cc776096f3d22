/* SPDX-License-Identifier: MIT */
/* `etcd-registry agent`: the process around the worker. */
#define _GNU_SOURCE
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "agent/base/descriptors.h"
#include "agent/base/log.h"
#include "agent/base/privileges.h"
#include "agent/clients/listener.h"
#include "agent/clients/owner.h"
#include "agent/keeper/keeper.h"
#include "agent/worker/worker.h"
#include "lib/base/err.h"
#include "lib/base/parse.h"
#include "lib/base/util.h"
#include "lib/config/config.h"
#include "lib/config/connstr.h"

enum {
	EXIT_OK = 0,
	EXIT_USAGE = 2,
	EXIT_FAILED = 3,
	MODE_DEFAULT = 0660,
};

struct arguments {
	int listen_fd;    /* -1: not given */
	const char *name; /* NULL: not given */
	mode_t mode;
	struct owner owner;
	const char *path_option; /* the latest that goes with a path; NULL: none */
	bool help;
};

struct settings {
	struct config cfg;
	struct connstr connstr;
};

static const char usage[] =
	"usage: etcd-registry agent --socket PATH|@NAME [--mode OCTAL]\n"
	"                           [--owner USER[:GROUP]]\n"
	"       etcd-registry agent --listen-fd N\n"
	"\n"
	"Keeps in etcd what preloaded processes listen on.  A process starts an agent when\n"
	"it needs one and none is there.  One that you run serves all processes that have\n"
	"ETCD_REGISTRY_AGENT set to its socket, and no other is started for them.\n"
	"\n"
	"  --socket PATH|@NAME  listen there until SIGTERM or SIGINT; SIGHUP opens the log\n"
	"                       file anew\n"
	"  --mode OCTAL         permissions of PATH: who may connect may register (0660)\n"
	"  --owner USER[:GROUP] whose PATH is, by names or numbers (who runs the agent)\n"
	"  --listen-fd N        serve the listening SOCK_SEQPACKET socket N, and end when\n"
	"                       nobody needs it\n"
	"  --help               this text\n"
	"\n"
	"How etcd is reached, and where to log: `etcd-registry help settings`.\n";

static void complain(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));

static void complain(const char *fmt, va_list args)
{
	fputs("etcd-registry agent: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

static int fail(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int fail(int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	complain(fmt, args);
	va_end(args);
	return status;
}

static int misuse(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static int misuse(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	complain(fmt, args);
	va_end(args);
	fputs(usage, stderr);
	return EXIT_USAGE;
}

static bool parse_mode(const char *text, mode_t *ret)
{
	mode_t mode = 0;

	if (!text[0] || strlen(text) > 4 || strspn(text, "01234567") != strlen(text))
		return false;
	for (; *text; text++)
		mode = mode * 8 + (mode_t)(*text - '0');
	if (mode > 0777)
		return false;
	*ret = mode;
	return true;
}

static int parse_value(int option, const char *value, struct arguments *arguments)
{
	struct etcdreg_err err;
	uint64_t fd;

	switch (option) {
	case 'f':
		if (!parse_uint(value, strlen(value), 0, INT32_MAX, &fd))
			return misuse("--listen-fd: '%s' is no descriptor", value);
		arguments->listen_fd = (int)fd;
		break;
	case 's':
		arguments->name = value;
		break;
	case 'm':
		if (!parse_mode(value, &arguments->mode))
			return misuse("--mode: '%s' is not 0-777, octal", value);
		arguments->path_option = "--mode";
		break;
	case 'o':
		if (owner_parse(value, &arguments->owner, &err) < 0)
			return misuse("--owner: %s", err.msg);
		arguments->path_option = "--owner";
		break;
	default:
		arguments->help = true;
		break;
	}
	return EXIT_OK;
}

/* Returns an exit status, having complained unless it is EXIT_OK. */
static int parse_arguments(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{"listen-fd", required_argument, NULL, 'f'},
		{"socket", required_argument, NULL, 's'},
		{"mode", required_argument, NULL, 'm'},
		{"owner", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option, status;

	opterr = 0;
	optind = 1;
	while ((option = getopt_long(argc, argv, "+:h", options, NULL)) != -1) {
		const char *last = argv[optind - 1];

		if (option == ':')
			return misuse("%s needs a value", last);
		if (option == '?')
			return misuse("unknown option '%s'", last);
		status = parse_value(option, optarg, arguments);
		if (status != EXIT_OK)
			return status;
	}
	if (arguments->help)
		return EXIT_OK;
	if (optind < argc)
		return misuse("unexpected '%s'", argv[optind]);
	if ((arguments->listen_fd >= 0) == (arguments->name != NULL))
		return misuse("one of --socket and --listen-fd is needed");
	if (arguments->path_option && (!arguments->name || arguments->name[0] == '@'))
		return misuse("%s goes with the path of a socket", arguments->path_option);
	return EXIT_OK;
}

/*
 * A host that closed its standard descriptors hands that on; what is opened next must not become
 * one of them.
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
			return err_set(err, ETCDREG_E_SYSTEM, "descriptor %d: %s", given,
				       strerror(errno));
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
	int r = descriptors_raise(err);

	set_signals();
	if (hosted) {
		umask(077);
		(void)!chdir("/");
	}
	privileges_drop();
	return r;
}

static void settings_release(struct settings *settings)
{
	connstr_release(&settings->connstr);
	config_release(&settings->cfg);
}

/* Another user's agent may own the file; that shall not keep this user's services out of etcd. */
static int open_log(const char *spec, bool hosted, struct etcdreg_err *err)
{
	int r = log_open(spec, err);

	if (r == ETCDREG_E_SYSTEM && hosted) {
		r = log_open("warn:syslog", NULL);
		log_error("ETCD_REGISTRY_LOG: %s", err->msg);
	}
	return r < 0 ? err_prefix(err, "ETCD_REGISTRY_LOG: ") : 0;
}

static int load_settings(struct settings *settings, bool hosted, struct etcdreg_err *err)
{
	struct config *cfg = &settings->cfg;
	int r = config_init(cfg, err);

	if (r == 0)
		r = config_load_env(cfg, err);
	if (r < 0)
		return r;
	r = open_log(cfg->log, hosted, err);
	if (r < 0)
		return r;
	r = connstr_parse(cfg->url, &settings->connstr, cfg, err);
	return r < 0 ? err_prefix(err, "ETCD_REGISTRY_URL: ") : 0;
}

static void log_end_of_worker(int status)
{
	if (WIFSIGNALED(status))
		log_warn("the worker was killed by signal %d; another goes on", WTERMSIG(status));
	else
		log_warn("the worker ended with status %d; another goes on", WEXITSTATUS(status));
}

static int serve(const struct keeper_task *task, bool hosted, struct etcdreg_err *err)
{
	CLEANUP(settings) struct settings settings = {0};
	const struct worker_options options = {
		.listen_fd = task->listen_fd,
		.control_fd = task->control_fd,
		.table = task->table,
		.takes_over = task->takes_over,
		.hosted = hosted,
		.config = &settings.cfg,
		.connstr = &settings.connstr,
	};
	int r;

	privileges_take();
	r = load_settings(&settings, hosted, err);
	if (r < 0)
		return r;
	if (task->takes_over)
		log_end_of_worker(task->status);
	return worker_run(&options, err);
}

/* A host has no other way to learn what is wrong with its settings than to ask. */
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

static int run_hosted(int given_fd)
{
	struct etcdreg_err err, refusal;
	struct keeper_task task;
	int listen_fd = -1, status;

	if (take_listen_fd(given_fd, &listen_fd, &err) < 0)
		return misuse("--listen-fd: %s", err.msg);
	fill_standard_fds();
	if (settle_process(true, &err) < 0) {
		err_prefix(&err, "etcd-registry: not registered: ");
		listener_refuse(listen_fd, err.msg);
		return EXIT_FAILED;
	}
	if (keeper_run(listen_fd, true, &task, &status) == KEEPER_DONE)
		return status < 0 ? EXIT_FAILED : status;
	if (serve(&task, true, &refusal) == 0)
		return EXIT_OK;
	/* Of what it took over it shall not let go: the keeper tries again. */
	if (has_handover(&task))
		err = refusal;
	else if (refuse_all(&task, refusal.msg, &err) == 0)
		return EXIT_OK;
	log_error("%s", err.msg);
	return EXIT_FAILED;
}

/* Returns an exit status. */
static int serve_operator(const struct keeper_task *task)
{
	struct etcdreg_err err;
	int r = serve(task, false, &err);

	if (r == 0)
		return EXIT_OK;
	return fail(r == ETCDREG_E_CONFIG ? EXIT_USAGE : EXIT_FAILED, "%s", err.msg);
}

static int run_for_operator(const struct arguments *arguments)
{
	struct etcdreg_err err;
	struct keeper_task task;
	struct listener_file file;
	int listen_fd = -1, status;
	int r;

	fill_standard_fds();
	r = listener_bind(arguments->name, arguments->mode, &arguments->owner, &listen_fd, &file,
			  &err);
	if (r == ETCDREG_E_CONFIG)
		return misuse("--socket: %s", err.msg);
	if (r < 0)
		return fail(EXIT_FAILED, "--socket: %s", err.msg);
	if (settle_process(false, &err) < 0) {
		listener_remove(arguments->name, &file);
		return fail(EXIT_FAILED, "%s", err.msg);
	}
	if (keeper_run(listen_fd, false, &task, &status) == KEEPER_WORKER) {
		status = serve_operator(&task);
		if (task.table)
			return status;
	}
	listener_remove(arguments->name, &file);
	return status < 0 ? EXIT_FAILED : status;
}

int agent_main(int argc, char **argv)
{
	struct arguments arguments = {
		.listen_fd = -1,
		.mode = MODE_DEFAULT,
		.owner = {OWNER_SAME_UID, OWNER_SAME_GID},
	};
	int status = parse_arguments(argc, argv, &arguments);

	if (status != EXIT_OK)
		return status;
	if (arguments.help) {
		fputs(usage, stdout);
		return EXIT_OK;
	}
	config_hide_env();
	if (arguments.name)
		return run_for_operator(&arguments);
	return run_hosted(arguments.listen_fd);
}
