/* SPDX-License-Identifier: MIT */
/* Whether a process may announce a socket.  The tests use real sockets and processes. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/kernel/holders.h"
#include "agent/kernel/pidfd.h"
#include "agent/services/permission.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

enum { OTHER_UID = 4711 };

/* Linked with --wrap=holders_ask, to act between the dump and the look. */
enum holders_answer __real_holders_ask(pid_t pid, uint64_t inode, unsigned *budget);
enum holders_answer __wrap_holders_ask(pid_t pid, uint64_t inode, unsigned *budget);

static int closes_before_the_look = -1;

enum holders_answer __wrap_holders_ask(pid_t pid, uint64_t inode, unsigned *budget)
{
	if (closes_before_the_look >= 0)
		close(closes_before_the_look);
	closes_before_the_look = -1;
	return __real_holders_ask(pid, inode, budget);
}

struct scene {
	struct sockdiag diag;
	int fd;
	struct wire_socket id;
	struct permission_claim claim; /* a true claim of this process */
	unsigned budget;
};

static int set_up(void **state)
{
	static struct scene scene;
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002)};
	socklen_t len = sizeof(address), cookie_len = sizeof(scene.id.cookie);
	struct stat st;

	scene = (struct scene){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	closes_before_the_look = -1;
	*state = &scene;
	if (sockdiag_init(&scene.diag) < 0 ||
	    bind(scene.fd, (struct sockaddr *)&address, len) < 0 || listen(scene.fd, 1) < 0 ||
	    getsockname(scene.fd, (struct sockaddr *)&address, &len) < 0 ||
	    getsockopt(scene.fd, SOL_SOCKET, SO_COOKIE, &scene.id.cookie, &cookie_len) < 0 ||
	    fstat(scene.fd, &st) < 0)
		return -1;
	scene.id.inode = st.st_ino;
	scene.id.port = ntohs(address.sin_port);
	scene.id.family = AF_INET;
	scene.id.protocol = IPPROTO_TCP;
	memcpy(scene.id.address, &address.sin_addr, 4);
	scene.claim = (struct permission_claim){&scene.id, getuid(), getpid(), pidfd_of(getpid())};
	scene.budget = 1000;
	return scene.claim.pidfd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	close(scene->fd);
	close(scene->claim.pidfd);
	sockdiag_release(&scene->diag);
	return 0;
}

static int check(struct scene *scene)
{
	return permission_check(&scene->diag, &scene->claim, &scene->budget, NULL);
}

static void who_holds_it_may_announce_it(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(check(scene), 0);
	scene->claim.uid = OTHER_UID;
	assert_int_equal(check(scene), 0);
}

static void a_socket_that_closes_before_the_look_is_not_found(void **state)
{
	struct scene *scene = *state;

	closes_before_the_look = scene->fd;
	assert_int_equal(check(scene), ETCDREG_E_NOTFOUND);
	scene->fd = -1;
}

static void everything_must_be_true(void **state)
{
	struct scene *scene = *state;
	const struct wire_socket id = scene->id;

	scene->id.port++;
	assert_int_equal(check(scene), ETCDREG_E_NOTFOUND);
	scene->id = id;
	scene->id.inode++;
	assert_int_equal(check(scene), ETCDREG_E_NOTFOUND);
	scene->id = id;
	scene->id.cookie++;
	assert_int_equal(check(scene), ETCDREG_E_NOTFOUND);
	scene->id = id;
	scene->id.address[3]++;
	assert_int_equal(check(scene), ETCDREG_E_NOTFOUND);
	scene->id = id;
	scene->id.family = AF_INET6;
	assert_int_equal(check(scene), ETCDREG_E_NOTFOUND);
	scene->id = id;
	scene->id.protocol = IPPROTO_UDP;
	assert_int_equal(check(scene), ETCDREG_E_NOTFOUND);
	scene->id = id;
	assert_int_equal(check(scene), 0);
}

static void the_user_decides_where_holders_cannot_be_seen(void **state)
{
	struct scene *scene = *state;

	scene->budget = 0;
	assert_int_equal(check(scene), 0);
	scene->claim.uid = OTHER_UID;
	assert_int_equal(check(scene), ETCDREG_E_DENIED);
	scene->budget = 1000;
	scene->claim.pid = 0;
	assert_int_equal(check(scene), ETCDREG_E_DENIED);
}

/* Starts a child without the socket.  Returns when the child has closed it. */
static pid_t start_child_without(int fd)
{
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		close(fd);
		close(ends[0]);
		close(ends[1]);
		for (;;)
			pause();
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
	return pid;
}

static void the_same_user_is_not_enough(void **state)
{
	struct scene *scene = *state;
	pid_t child = start_child_without(scene->fd);

	close(scene->claim.pidfd);
	scene->claim.pid = child;
	scene->claim.pidfd = pidfd_of(child);
	assert_int_equal(check(scene), ETCDREG_E_DENIED);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(check(scene), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_holds_it_may_announce_it),
		TEST(a_socket_that_closes_before_the_look_is_not_found),
		TEST(everything_must_be_true),
		TEST(the_user_decides_where_holders_cannot_be_seen),
		TEST(the_same_user_is_not_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
