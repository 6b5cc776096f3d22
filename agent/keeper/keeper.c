/* SPDX-License-Identifier: MIT */
/* The process that restarts the worker. */
#define _GNU_SOURCE
#include "keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/array.h"
#include "lib/base/backoff.h"
#include "lib/base/cleanup.h"
#include "lib/base/clock.h"

enum {
	QUICK_MS = 100,
	QUICK_FREE = 3, /* this many quick ends in a row cause no pause */
	QUICK_MAX = 60,
	PAUSE_MIN_MS = 10,
	PAUSE_MAX_MS = 1000,
	ANSWER_MS = 1000,
};

struct keeper {
	int listen_fd; /* -1: closed for good */
	int signals_fd;
	int control_fd; /* to the current worker; -1: the worker closed its end */
	bool hosted;
	bool stop; /* an operator sent SIGTERM or SIGINT */
	struct table *table;
	sigset_t mask; /* the signal mask of the workers */
	pid_t worker;
	unsigned quick; /* quick ends in a row: keeper.h.  A failed fork counts too */
};

static int open_signals(sigset_t *ret_mask)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	(void)signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_BLOCK, &set, ret_mask);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void become_worker(struct keeper *keeper, int control_fd, struct keeper_task *task)
{
	close(keeper->signals_fd);
	sigprocmask(SIG_SETMASK, &keeper->mask, NULL);
	task->listen_fd = keeper->listen_fd;
	task->control_fd = control_fd;
	task->table = keeper->table;
}

/* Returns 0 in the worker, its pid in the keeper, -1: cannot create a process. */
static pid_t start_worker(struct keeper *keeper, struct keeper_task *task)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	pid = fork();
	close(ends[pid == 0 ? 0 : 1]);
	if (pid == 0)
		become_worker(keeper, ends[1], task);
	else if (pid > 0)
		keeper->control_fd = ends[0];
	else
		close(ends[0]);
	keeper->worker = pid;
	return pid;
}

static void pass_signals(struct keeper *keeper)
{
	struct signalfd_siginfo info;

	while (read(keeper->signals_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			continue;
		keeper->stop |= !keeper->hosted && info.ssi_signo != SIGHUP;
		if (keeper->worker > 0)
			(void)kill(keeper->worker, (int)info.ssi_signo);
	}
}

static void obey_worker(struct keeper *keeper)
{
	char word;

	if (recv(keeper->control_fd, &word, sizeof(word), MSG_DONTWAIT) == (ssize_t)sizeof(word)) {
		fd_release(&keeper->listen_fd);
		keeper->listen_fd = -1;
		(void)send(keeper->control_fd, &word, sizeof(word), MSG_DONTWAIT | MSG_NOSIGNAL);
		return;
	}
	close(keeper->control_fd);
	keeper->control_fd = -1;
}

/* Waits for the worker's end.  Returns its wait status. */
static int await_worker(struct keeper *keeper)
{
	struct pollfd fds[] = {{.fd = keeper->signals_fd, .events = POLLIN}, {.events = POLLIN}};
	int status = 0;

	while (waitpid(keeper->worker, &status, WNOHANG) == 0) {
		fds[1].fd = keeper->control_fd;
		if (poll(fds, ARRAY_LEN(fds), -1) < 0)
			continue;
		if (fds[0].revents)
			pass_signals(keeper);
		if (fds[1].revents)
			obey_worker(keeper);
	}
	fd_release(&keeper->control_fd);
	keeper->control_fd = -1;
	return status;
}

static void pause_for(unsigned quick)
{
	unsigned pause_ms = PAUSE_MIN_MS;

	if (quick <= QUICK_FREE)
		return;
	for (unsigned i = QUICK_FREE + 1; i < quick; i++)
		pause_ms = longer_ms(pause_ms, PAUSE_MIN_MS, PAUSE_MAX_MS);
	(void)poll(NULL, 0, (int)pause_ms);
}

static bool is_final(const struct keeper *keeper, int status, bool first)
{
	return (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || first)) || keeper->stop ||
	       keeper->quick >= QUICK_MAX;
}

static void keeper_release(struct keeper *keeper)
{
	fd_release(&keeper->signals_fd);
	fd_release(&keeper->listen_fd);
	table_free(keeper->table);
}

/* Returns true in a worker, or if it cannot create the first one; false if the keeper must end. */
static bool keep(struct keeper *keeper, struct keeper_task *task, int *ret_status)
{
	for (;;) {
		uint64_t started_ms = now_ms();
		pid_t pid = start_worker(keeper, task);
		int status = 0;

		if (pid == 0 || (pid < 0 && !task->takes_over))
			return true;
		if (pid > 0)
			status = await_worker(keeper);
		else
			pass_signals(keeper);
		if ((pid > 0 || keeper->stop) && is_final(keeper, status, !task->takes_over)) {
			*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
			return false;
		}
		if (pid < 0 || WIFEXITED(status) || now_ms() - started_ms < QUICK_MS)
			keeper->quick++;
		else
			keeper->quick = 0;
		if (pid > 0)
			task->status = status;
		task->takes_over = true;
		pause_for(keeper->quick);
	}
}

static void work_alone(struct keeper *keeper, struct keeper_task *task)
{
	sigprocmask(SIG_SETMASK, &keeper->mask, NULL);
	*task = (struct keeper_task){.listen_fd = keeper->listen_fd, .control_fd = -1};
	keeper->listen_fd = -1;
	keeper_release(keeper);
}

enum keeper_role keeper_run(int listen_fd, bool hosted, struct keeper_task *ret_task,
			    int *ret_status)
{
	struct keeper keeper = {.listen_fd = listen_fd, .control_fd = -1, .hosted = hosted};

	*ret_task = (struct keeper_task){.listen_fd = listen_fd, .control_fd = -1};
	keeper.signals_fd = open_signals(&keeper.mask);
	keeper.table = table_new();
	if (keeper.signals_fd < 0 || !keeper.table) {
		work_alone(&keeper, ret_task);
		return KEEPER_WORKER;
	}
	if (keep(&keeper, ret_task, ret_status)) {
		if (keeper.worker < 0)
			work_alone(&keeper, ret_task);
		return KEEPER_WORKER;
	}
	keeper_release(&keeper);
	return KEEPER_DONE;
}

void keeper_stop_listening(int control_fd)
{
	struct pollfd pfd = {.fd = control_fd, .events = POLLIN};
	char word = 0;

	if (control_fd < 0 || send(control_fd, &word, sizeof(word), MSG_NOSIGNAL) < 0)
		return;
	if (poll(&pfd, 1, ANSWER_MS) == 1)
		(void)recv(control_fd, &word, sizeof(word), MSG_DONTWAIT);
}
