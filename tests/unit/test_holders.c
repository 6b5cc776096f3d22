/* SPDX-License-Identifier: MIT */
/*
 * Which processes hold a socket, and which process a pidfd means.  The tests use real child
 * processes.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/kernel/holders.h"
#include "agent/kernel/pidfd.h"

struct found {
	pid_t pids[8];
	size_t len;
};

static void note(pid_t pid, uint64_t inode, void *arg)
{
	struct found *found = arg;

	(void)inode;
	if (found->len < sizeof(found->pids) / sizeof(found->pids[0]))
		found->pids[found->len] = pid;
	found->len++;
}

static bool has(const struct found *found, pid_t pid)
{
	for (size_t i = 0; i < found->len; i++)
		if (found->pids[i] == pid)
			return true;
	return false;
}

static uint64_t inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

/* Starts a child that holds the descriptors of this process until it is killed. */
static pid_t start_child(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		for (;;)
			pause();
	}
	return pid;
}

static void stop_child(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void finds_every_holder(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	uint64_t inode = inode_of(fd);
	pid_t child = start_child();
	struct found found = {0};

	(void)state;
	holders_find(&inode, 1, note, &found);
	assert_int_equal(found.len, 2);
	assert_true(has(&found, getpid()));
	assert_true(has(&found, child));
	assert_true(holders_holds(child, inode));
	close(fd);
	assert_false(holders_holds(getpid(), inode));
	assert_true(holders_holds(child, inode));
	stop_child(child);
	assert_false(holders_holds(child, inode));
	found.len = 0;
	holders_find(&inode, 1, note, &found);
	assert_int_equal(found.len, 0);
}

static void looks_at_so_many_descriptors(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	uint64_t inode = inode_of(fd);
	unsigned none = 0, budget = 1000;
	pid_t child = start_child();

	(void)state;
	assert_int_equal(holders_ask(getpid(), inode, &none), HOLDERS_UNKNOWN);
	assert_int_equal(holders_ask(getpid(), inode, &budget), HOLDERS_YES);
	assert_true(budget < 1000 && budget >= 1000 - (unsigned)fd - 1);
	close(fd);
	assert_int_equal(holders_ask(getpid(), inode, &budget), HOLDERS_NO);
	stop_child(child);
	assert_int_equal(holders_ask(child, inode, &budget), HOLDERS_UNKNOWN);
}

static void finds_several_sockets_at_once(void **state)
{
	int fds[3];
	uint64_t inodes[3];
	struct found found = {0};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
		inodes[i] = inode_of(fds[i]);
		assert_true(i == 0 || inodes[i] > inodes[i - 1]);
	}
	holders_find(inodes, 3, note, &found);
	assert_int_equal(found.len, 3);
	for (size_t i = 0; i < 3; i++)
		close(fds[i]);
}

static void a_pidfd_is_told_from_other_descriptors(void **state)
{
	int pidfd = pidfd_of(getpid()), again = pidfd_of(getpid());
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pid_t pid = 0, pid_again = 0;
	uint64_t id = 0, id_again = 0;

	(void)state;
	assert_true(pidfd >= 0);
	assert_true(pidfd_identify(pidfd, &pid, &id));
	assert_int_equal(pid, getpid());
	assert_int_not_equal(id, 0);
	assert_true(pidfd_identify(again, &pid_again, &id_again));
	assert_int_equal(id, id_again);
	pid = 4711;
	assert_false(pidfd_identify(null, &pid, &id));
	assert_int_equal(pid, 4711);
	close(pidfd);
	close(again);
	close(null);
}

static void a_pidfd_tells_the_end(void **state)
{
	pid_t child = start_child(), pid = -1;
	int pidfd = pidfd_of(child);
	struct pollfd end = {.fd = pidfd, .events = POLLIN};
	uint64_t id, own_id;
	int own = pidfd_of(getpid());

	(void)state;
	assert_true(pidfd_identify(pidfd, &pid, &id));
	assert_true(pidfd_identify(own, &pid, &own_id));
	assert_int_not_equal(id, own_id);
	assert_false(pidfd_has_ended(pidfd));
	assert_true(pidfd_shares_network(pidfd, child));
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(poll(&end, 1, 5000), 1);
	assert_true(pidfd_has_ended(pidfd));
	assert_false(pidfd_shares_network(pidfd, child));
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_true(pidfd_identify(pidfd, &pid, &id));
	assert_int_equal(pid, 0);
	assert_int_equal(pidfd_of(child), -1);
	close(pidfd);
	close(own);
}

static void the_peer_of_a_socket_has_a_pidfd(void **state)
{
	int pair[2], pidfd;
	pid_t pid = 0;
	uint64_t id;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	pidfd = pidfd_of_peer(pair[0], getpid());
	assert_true(pidfd >= 0);
	assert_true(pidfd_identify(pidfd, &pid, &id));
	assert_int_equal(pid, getpid());
	close(pidfd);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_every_holder),
		cmocka_unit_test(finds_several_sockets_at_once),
		cmocka_unit_test(looks_at_so_many_descriptors),
		cmocka_unit_test(a_pidfd_is_told_from_other_descriptors),
		cmocka_unit_test(a_pidfd_tells_the_end),
		cmocka_unit_test(the_peer_of_a_socket_has_a_pidfd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
