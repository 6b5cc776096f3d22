/* SPDX-License-Identifier: MIT */
/* The preload object's table of sockets, in one thread and with hooks in several threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shim/sockets.c"

#define HOOKS 4
#define ROUNDS 20000
#define DEADLINE_ROUNDS 100000000u

static struct wire_socket socket_of(uint64_t cookie)
{
	return (struct wire_socket){.cookie = cookie, .inode = cookie + 1, .port = 80};
}

static int add(uint64_t cookie)
{
	struct wire_socket s = socket_of(cookie);

	return sockets_add(&s);
}

/* Takes the next socket to announce, and checks its cookie. */
static void expect_next(uint64_t cookie)
{
	struct wire_socket s;

	assert_true(sockets_next(&s));
	assert_int_equal(s.cookie, cookie);
}

static int empty(void **state)
{
	(void)state;
	sockets_forget();
	return 0;
}

/* The host listens faster than the thread runs. */
static void has_room_however_often_one_listens(void **state)
{
	(void)state;
	for (int i = 0; i < SOCKETS_MAX; i++)
		assert_true(add(1) >= 0);
	assert_true(add(2) >= 0);
	expect_next(1);
	expect_next(2);
	assert_true(add(1) >= 0);
	expect_next(1);
}

static void announces_each_socket_once(void **state)
{
	struct wire_socket s;

	(void)state;
	assert_true(add(1) >= 0);
	assert_true(add(2) >= 0);
	expect_next(1);
	expect_next(2);
	assert_false(sockets_next(&s));
}

static void announces_again_what_listens_again(void **state)
{
	struct wire_socket s;
	int first, second;

	(void)state;
	first = add(1);
	assert_true(sockets_next(&s));
	sockets_settle(1, 2, false);
	assert_true(sockets_settled(first));
	second = add(1);
	assert_false(sockets_settled(second));
	assert_true(sockets_next(&s));
	assert_false(sockets_next(&s));
	sockets_settle(1, 2, false);
	assert_true(sockets_settled(second));
}

static void needs_no_room_for_a_socket_that_listens_again_and_again(void **state)
{
	struct wire_socket s;

	(void)state;
	for (int i = 0; i < 4 * SOCKETS_MAX; i++) {
		assert_true(add(1) >= 0);
		assert_true(sockets_next(&s));
	}
}

static void announces_all_again_to_a_new_agent(void **state)
{
	struct wire_socket s;

	(void)state;
	add(1);
	add(2);
	while (sockets_next(&s))
		;
	sockets_settle(2, 3, false);
	sockets_announce_again();
	assert_true(sockets_next(&s));
	assert_true(sockets_next(&s));
	assert_false(sockets_next(&s));
}

/*
 * A socket counts only when it is sent: until then it can be lost with the process, so a fork
 * waits.
 */
static void counts_as_announced_when_it_is_sent(void **state)
{
	struct wire_socket s;

	(void)state;
	assert_false(sockets_unannounced());
	add(1);
	assert_true(sockets_unannounced());
	assert_true(sockets_next(&s));
	assert_true(sockets_unannounced());
	sockets_sent();
	assert_false(sockets_unannounced());
}

static void knows_what_is_awaited(void **state)
{
	struct wire_socket s;

	(void)state;
	assert_false(sockets_unsettled());
	add(1);
	assert_true(sockets_next(&s));
	sockets_sent();
	assert_true(sockets_unsettled());
	sockets_settle(1, 99, false);
	assert_true(sockets_unsettled());
	sockets_settle(1, 2, false);
	assert_false(sockets_unsettled());
}

static void has_room_again_when_sockets_are_gone(void **state)
{
	struct wire_socket s;

	(void)state;
	for (uint64_t i = 0; i < SOCKETS_MAX; i++)
		assert_true(add(i) >= 0);
	assert_int_equal(add(SOCKETS_MAX), -1);
	while (sockets_next(&s))
		;
	sockets_settle(7, 8, true);
	assert_int_equal(add(SOCKETS_MAX), 7);
}

static void does_not_drop_what_listened_again_before_it_was_gone(void **state)
{
	struct wire_socket s;

	(void)state;
	add(1);
	assert_true(sockets_next(&s));
	add(1);
	sockets_settle(1, 2, true);
	expect_next(1);
}

static void *hook(void *arg)
{
	const uint64_t *first = arg;

	for (uint64_t i = 0; i < ROUNDS; i++)
		while (add(*first + i) < 0)
			;
	return NULL;
}

/*
 * Hooks run in four threads beside the thread that announces.  Every socket arrives, and none is
 * mixed up with another.
 */
static void loses_nothing_between_threads(void **state)
{
	static uint64_t first[HOOKS];
	pthread_t threads[HOOKS];
	struct wire_socket s;
	size_t seen = 0;

	(void)state;
	for (size_t i = 0; i < HOOKS; i++) {
		first[i] = 1 + i * ROUNDS;
		assert_int_equal(pthread_create(&threads[i], NULL, hook, &first[i]), 0);
	}
	for (unsigned round = 0; seen < HOOKS * ROUNDS && round < DEADLINE_ROUNDS; round++) {
		if (!sockets_next(&s))
			continue;
		assert_int_equal(s.inode, s.cookie + 1);
		sockets_settle(s.cookie, s.inode, true);
		seen++;
	}
	assert_int_equal(seen, HOOKS * ROUNDS);
	for (size_t i = 0; i < HOOKS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

/* Returns a real socket, bound to a free loopback port. */
static int bound(int family, int type, int protocol)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = 0x0100007f};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	int fd = socket(family, type, protocol);

	if (fd < 0)
		return -1;
	if (family == AF_INET ? bind(fd, (const void *)&v4, sizeof(v4))
			      : bind(fd, (const void *)&v6, sizeof(v6))) {
		close(fd);
		return -1;
	}
	return fd;
}

static void describes_a_tcp_socket(void **state)
{
	static const uint8_t loopback[4] = {127, 0, 0, 1};
	struct wire_socket s = {0};
	int fd = bound(AF_INET, SOCK_STREAM, 0);

	(void)state;
	assert_true(socket_describe(fd, &s));
	assert_int_equal(s.protocol, IPPROTO_TCP);
	assert_int_equal(s.family, AF_INET);
	assert_int_not_equal(s.port, 0);
	assert_int_not_equal(s.cookie, 0);
	assert_int_not_equal(s.inode, 0);
	assert_memory_equal(s.address, loopback, 4);
	close(fd);
}

static void describes_an_ipv6_socket(void **state)
{
	struct wire_socket s = {0};
	int fd = bound(AF_INET6, SOCK_DGRAM, 0);

	(void)state;
	if (fd < 0)
		skip();
	assert_true(socket_describe(fd, &s));
	assert_int_equal(s.protocol, IPPROTO_UDP);
	assert_int_equal(s.family, AF_INET6);
	assert_int_equal(s.v6only, 0);
	close(fd);
}

static void leaves_other_sockets_alone(void **state)
{
	struct wire_socket s = {0};
	int unbound = socket(AF_INET, SOCK_STREAM, 0), local = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_false(socket_describe(unbound, &s));
	assert_false(socket_describe(local, &s));
	assert_false(socket_describe(-1, &s));
	assert_false(socket_describe(STDIN_FILENO, &s));
	close(unbound);
	close(local);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(announces_each_socket_once, empty),
		cmocka_unit_test_setup(has_room_however_often_one_listens, empty),
		cmocka_unit_test_setup(announces_again_what_listens_again, empty),
		cmocka_unit_test_setup(needs_no_room_for_a_socket_that_listens_again_and_again,
				       empty),
		cmocka_unit_test_setup(announces_all_again_to_a_new_agent, empty),
		cmocka_unit_test_setup(counts_as_announced_when_it_is_sent, empty),
		cmocka_unit_test_setup(knows_what_is_awaited, empty),
		cmocka_unit_test_setup(has_room_again_when_sockets_are_gone, empty),
		cmocka_unit_test_setup(does_not_drop_what_listened_again_before_it_was_gone, empty),
		cmocka_unit_test_setup(loses_nothing_between_threads, empty),
		cmocka_unit_test(describes_a_tcp_socket),
		cmocka_unit_test(describes_an_ipv6_socket),
		cmocka_unit_test(leaves_other_sockets_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
