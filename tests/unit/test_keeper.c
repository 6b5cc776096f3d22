/* SPDX-License-Identifier: MIT */
/*
 * Tests of agent/keeper/keeper.c.  Each keeper is a child of the test, because it forks and exits.
 */
#include "test.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/keeper/keeper.h"
#include "lib/base/array.h"

enum { NOT_BY_ITSELF = 99, WRONG = 98, KILLED = -1 };

/* Shared by all workers. */
static unsigned *starts;

static int set_up(void **state)
{
	(void)state;
	starts = mmap(NULL, sizeof(*starts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	return starts == MAP_FAILED;
}

static int tear_down(void **state)
{
	(void)state;
	return munmap(starts, sizeof(*starts));
}

static void work(const struct keeper_task *task, const int *ends)
{
	unsigned start = (*starts)++;

	if (task->takes_over != (start > 0) || !task->table)
		_exit(WRONG);
	if (start > 0 && ends[start - 1] == KILLED && WTERMSIG(task->status) != SIGKILL)
		_exit(WRONG);
	if (ends[start] == KILLED)
		kill(getpid(), SIGKILL);
	_exit(ends[start]);
}

/* Runs a keeper whose workers end as `ends` says, one after the other.  Returns its exit status. */
static int keep(bool hosted, const int *ends)
{
	int status, wait_status;
	pid_t pid = fork();

	if (pid == 0) {
		struct keeper_task task;

		if (keeper_run(-1, hosted, &task, &status) == KEEPER_WORKER)
			work(&task, ends);
		_exit(status < 0 ? NOT_BY_ITSELF : status);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &wait_status, 0), pid);
	assert_true(WIFEXITED(wait_status));
	return WEXITSTATUS(wait_status);
}

static void replaces_a_worker_that_did_not_end_well(void **state)
{
	static const struct {
		int ends[6];
		unsigned starts;
		int status;
	} rows[] = {
		{{0}, 1, 0},
		{{3}, 1, 3},
		{{KILLED, 0}, 2, 0},
		{{KILLED, 3, 2, 0}, 4, 0},
		{{KILLED, KILLED, KILLED, KILLED, KILLED, 0}, 6, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ROW("%zu", i);
		*starts = 0;
		assert_int_equal(keep(true, rows[i].ends), rows[i].status);
		assert_int_equal(*starts, rows[i].starts);
	}
}

static void keeps_the_table(void **state)
{
	int status, wait_status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct keeper_task task;
		const char *known;
		size_t len;

		if (keeper_run(-1, true, &task, &status) == KEEPER_DONE)
			_exit(status < 0 ? NOT_BY_ITSELF : status);
		if (!task.takes_over) {
			(void)table_write(task.table, "known", 5);
			kill(getpid(), SIGKILL);
		}
		known = table_read(task.table, &len);
		_exit(len == 5 && memcmp(known, "known", 5) == 0 ? 0 : WRONG);
	}
	assert_int_equal(waitpid(pid, &wait_status, 0), pid);
	assert_int_equal(wait_status, 0);
}

/* The worker runs until its keeper passes on a signal that ends it. */
static void passes_signals_on(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		int status, wait_status;
		pid_t pid;
		sigset_t set, old;

		sigemptyset(&set);
		sigaddset(&set, signals[i]);
		sigprocmask(SIG_BLOCK, &set, &old);
		*starts = 0;
		pid = fork();
		if (pid == 0) {
			struct keeper_task task;
			int got;

			if (keeper_run(-1, true, &task, &status) == KEEPER_DONE)
				_exit(status < 0 ? NOT_BY_ITSELF : status);
			*starts = 1;
			_exit(sigwait(&set, &got) == 0 && got == signals[i] ? 0 : WRONG);
		}
		sigprocmask(SIG_SETMASK, &old, NULL);
		while (*(volatile unsigned *)starts == 0)
			usleep(1000);
		kill(pid, signals[i]);
		assert_int_equal(waitpid(pid, &wait_status, 0), pid);
		assert_int_equal(wait_status, 0);
	}
}

static int bind_name(int fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "test-keeper-%d",
		       (int)getpid());
	return bind(fd, (struct sockaddr *)&address, sizeof(address));
}

static void frees_the_name_when_the_worker_stops_listening(void **state)
{
	int status, wait_status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
		int another = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
		struct sockaddr_un name;
		socklen_t len = sizeof(name);
		struct keeper_task task;

		if (bind_name(fd) < 0 || listen(fd, 1) < 0)
			_exit(WRONG);
		if (keeper_run(fd, true, &task, &status) == KEEPER_DONE)
			_exit(status < 0 ? NOT_BY_ITSELF : status);
		if (task.takes_over)
			_exit(task.listen_fd == -1 ? 0 : WRONG);
		if (getsockname(fd, (struct sockaddr *)&name, &len) < 0)
			_exit(WRONG);
		keeper_stop_listening(task.control_fd);
		close(fd);
		if (bind(another, (struct sockaddr *)&name, len) < 0)
			_exit(WRONG);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &wait_status, 0), pid);
	assert_int_equal(wait_status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(replaces_a_worker_that_did_not_end_well, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(keeps_the_table, set_up, tear_down),
		cmocka_unit_test_setup_teardown(passes_signals_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(frees_the_name_when_the_worker_stops_listening,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
