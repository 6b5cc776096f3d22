/* SPDX-License-Identifier: MIT */
/*
 * Tests of the agent's connections: order of messages, garbage, file descriptors, a client that
 * does not read.  They use real sockets and no agent.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/clients/clients.h"
#include "lib/base/err.h"

static const char settings[] = "ETCD_REGISTRY_NAME=web";

/* An agent that does nothing but hold connections. */
struct host {
	struct loop loop;
	struct clients clients;
	int listen_fd;
	struct sockaddr_un address;
	socklen_t address_len;
	unsigned hellos, messages, closed;
	int pidfd; /* of the latest hello */
	int hello_result;
	struct client *client; /* the client that spoke last */
};

static int hello(struct client *client, const struct message *message, int pidfd,
		 struct etcdreg_err *err)
{
	struct host *host = client->clients->arg;

	(void)message;
	host->hellos++;
	host->client = client;
	host->pidfd = pidfd;
	return host->hello_result ? err_set(err, host->hello_result, "no such luck") : 0;
}

static void message(struct client *client, const struct message *m)
{
	struct host *host = client->clients->arg;

	(void)m;
	host->messages++;
	host->client = client;
}

static void closed(struct client *client)
{
	((struct host *)client->clients->arg)->closed++;
}

static const struct clients_ops ops = {.hello = hello, .message = message, .closed = closed};

static int set_up(void **state)
{
	struct host *host = calloc(1, sizeof(*host));
	socklen_t len = sizeof(host->address);

	*state = host;
	if (!host || loop_init(&host->loop) < 0)
		return -1;
	host->pidfd = -1;
	clients_init(&host->clients, &host->loop, &ops, host, false);
	host->address.sun_family = AF_UNIX;
	host->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* With only the family in the address, the kernel chooses a name. */
	if (bind(host->listen_fd, (struct sockaddr *)&host->address, sizeof(sa_family_t)) < 0 ||
	    listen(host->listen_fd, 64) < 0 ||
	    getsockname(host->listen_fd, (struct sockaddr *)&host->address, &len) < 0)
		return -1;
	host->address_len = len;
	return 0;
}

static int tear_down(void **state)
{
	struct host *host = *state;

	clients_release(&host->clients);
	loop_release(&host->loop);
	close(host->listen_fd);
	if (host->pidfd >= 0)
		close(host->pidfd);
	free(host);
	return 0;
}

static int connect_to(struct host *host)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&host->address, host->address_len), 0);
	assert_int_equal(clients_accept(&host->clients, host->listen_fd, SIZE_MAX), CLIENTS_ALL);
	return fd;
}

static void turn(struct host *host)
{
	(void)loop_turn(&host->loop, 0);
	clients_sweep(&host->clients);
}

static void say(int fd, const void *bytes, size_t len)
{
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

static void say_header(int fd, enum wire_type type)
{
	const struct wire_header header = {WIRE_MAGIC, WIRE_VERSION, (uint16_t)type};

	say(fd, &header, sizeof(header));
}

static size_t make_hello(char *bytes)
{
	const struct wire_hello message = {
		.header = {WIRE_MAGIC, WIRE_VERSION, WIRE_HELLO},
		.settings_len = sizeof(settings),
	};

	memcpy(bytes, &message, sizeof(message));
	memcpy(bytes + sizeof(message), settings, sizeof(settings));
	return sizeof(message) + sizeof(settings);
}

static void say_hello(int fd)
{
	char bytes[128];

	say(fd, bytes, make_hello(bytes));
}

static void say_hello_with_fds(int fd, const int *fds, size_t fds_len)
{
	char bytes[128];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(16 * sizeof(*fds))];
	} control = {0};
	struct iovec iov = {bytes, make_hello(bytes)};
	struct msghdr header = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(fds_len * sizeof(*fds)),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&header);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(fds_len * sizeof(*fds));
	memcpy(CMSG_DATA(c), fds, fds_len * sizeof(*fds));
	assert_true(sendmsg(fd, &header, MSG_NOSIGNAL) > 0);
}

/* Checks that the agent has closed the connection: nothing more arrives. */
static void assert_closed(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, sizeof(byte), MSG_DONTWAIT), 0);
	close(fd);
}

static void assert_open(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, sizeof(byte), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static size_t count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t len = 0;

	assert_non_null(dir);
	while (readdir(dir))
		len++;
	closedir(dir);
	return len;
}

static void messages_come_after_hello(void **state)
{
	struct host *host = *state;
	int fd = connect_to(host);

	say_hello(fd);
	say_header(fd, WIRE_BEAT);
	say_header(fd, WIRE_BEAT);
	turn(host);
	assert_int_equal(host->hellos, 1);
	assert_int_equal(host->messages, 2);
	assert_open(fd);
	close(fd);
	turn(host);
	assert_int_equal(host->closed, 1);
	assert_int_equal(host->clients.len, 0);
}

/*
 * The client ends with an answer unread.  The kernel then reports an error before the client's last
 * message.
 */
static void the_last_words_of_one_that_ended_count(void **state)
{
	struct host *host = *state;
	struct answer answer;
	int fd = connect_to(host);

	say_hello(fd);
	turn(host);
	answer_left(&answer);
	client_send(host->client, &answer);
	say_header(fd, WIRE_BEAT);
	close(fd);
	turn(host);
	assert_int_equal(host->messages, 1);
	assert_int_equal(host->closed, 1);
}

static void out_of_order_closes(void **state)
{
	struct host *host = *state;
	int early = connect_to(host), twice = connect_to(host);

	say_header(early, WIRE_BEAT);
	say_hello(twice);
	say_hello(twice);
	say_header(twice, WIRE_BEAT);
	turn(host);
	assert_closed(early);
	assert_closed(twice);
	assert_int_equal(host->hellos, 1);
	assert_int_equal(host->messages, 0);
	assert_int_equal(host->closed, 1);
}

static void garbage_closes_only_its_sender(void **state)
{
	static char garbage[WIRE_MAX + 100];
	static const size_t lengths[] = {0, 1, 8, 200, WIRE_MAX, WIRE_MAX + 1, WIRE_MAX + 100};
	struct host *host = *state;
	int good = connect_to(host);

	say_hello(good);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		int fd = connect_to(host);

		memset(garbage, 'x', sizeof(garbage));
		say(fd, garbage, lengths[i]);
		turn(host);
		assert_closed(fd);
	}
	say_header(good, WIRE_BEAT);
	turn(host);
	assert_int_equal(host->messages, 1);
	assert_open(good);
	close(good);
}

static void a_refusal_arrives_before_the_end(void **state)
{
	struct host *host = *state;
	int fd = connect_to(host);
	struct answer answer;
	ssize_t n;

	host->hello_result = ETCDREG_E_CONFIG;
	say_hello(fd);
	say_header(fd, WIRE_BEAT);
	turn(host);
	n = recv(fd, answer.u.bytes, sizeof(answer.u.bytes), MSG_DONTWAIT);
	assert_true(n > (ssize_t)sizeof(struct wire_refused));
	assert_int_equal(answer.u.header.type, WIRE_REFUSED);
	assert_string_equal(answer.u.refused.text, "etcd-registry: no such luck");
	assert_closed(fd);
	assert_int_equal(host->closed, 0);
}

static void a_breach_is_not_explained(void **state)
{
	struct host *host = *state;
	int fd = connect_to(host);

	host->hello_result = ETCDREG_E_PROTO;
	say_hello(fd);
	turn(host);
	assert_closed(fd);
}

static void the_first_descriptor_is_handed_on(void **state)
{
	struct host *host = *state;
	int fd = connect_to(host);
	int sent[7];
	size_t before;

	for (size_t i = 0; i < 7; i++)
		sent[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	before = count_fds();
	say_hello_with_fds(fd, sent, 7);
	turn(host);
	assert_true(host->pidfd >= 0);
	assert_int_equal(fcntl(host->pidfd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(count_fds(), before + 1);
	say_hello_with_fds(fd, sent, 7);
	turn(host);
	assert_closed(fd);
	assert_int_equal(count_fds(), before - 1);
	for (size_t i = 0; i < 7; i++)
		close(sent[i]);
}

static void who_does_not_read_does_not_block(void **state)
{
	struct host *host = *state;
	int fd = connect_to(host);
	struct answer answer;

	say_hello(fd);
	turn(host);
	answer_left(&answer);
	for (int i = 0; i < 100000; i++)
		client_send(host->client, &answer);
	assert_int_equal(host->clients.len, 1);
	close(fd);
	client_send(host->client, &answer);
	turn(host);
	assert_int_equal(host->clients.len, 0);
}

static void who_says_nothing_is_closed_in_the_end(void **state)
{
	struct host *host = *state;
	int silent = connect_to(host), greeted = connect_to(host);
	uint64_t connected_ms;

	say_hello(greeted);
	turn(host);
	connected_ms = host->client->since_ms;
	clients_expire(&host->clients, connected_ms + 9000);
	assert_open(silent);
	clients_expire(&host->clients, connected_ms + 10001);
	assert_closed(silent);
	assert_open(greeted);
	close(greeted);
}

static void one_more_than_the_limit_is_told_so(void **state)
{
	struct host *host = *state;
	struct answer answer;
	int fd;

	host->clients.len = CLIENTS_MAX;
	fd = connect_to(host);
	assert_true(recv(fd, answer.u.bytes, sizeof(answer.u.bytes), MSG_DONTWAIT) > 0);
	assert_int_equal(answer.u.header.type, WIRE_REFUSED);
	assert_closed(fd);
	assert_int_equal(host->clients.len, CLIENTS_MAX);
	host->clients.len = 0;
}

static void a_flood_is_accepted_in_parts(void **state)
{
	struct host *host = *state;
	int fds[3];

	for (size_t i = 0; i < 3; i++) {
		fds[i] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
		assert_int_equal(
			connect(fds[i], (struct sockaddr *)&host->address, host->address_len), 0);
	}
	assert_int_equal(clients_accept(&host->clients, host->listen_fd, 2), CLIENTS_MAX_REACHED);
	assert_int_equal(host->clients.len, 2);
	assert_int_equal(clients_accept(&host->clients, host->listen_fd, 2), CLIENTS_ALL);
	assert_int_equal(host->clients.len, 3);
	for (size_t i = 0; i < 3; i++)
		close(fds[i]);
}

static void a_user_says_so_much_in_a_turn(void **state)
{
	struct host *host = *state;
	int fd = connect_to(host);

	say_hello(fd);
	turn(host);
	host->client->user->messages = 3;
	for (int i = 0; i < 5; i++)
		say_header(fd, WIRE_BEAT);
	turn(host);
	assert_int_equal(host->messages, 3);
	turn(host);
	assert_int_equal(host->messages, 5);
	close(fd);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(messages_come_after_hello),
		TEST(the_last_words_of_one_that_ended_count),
		TEST(out_of_order_closes),
		TEST(garbage_closes_only_its_sender),
		TEST(a_refusal_arrives_before_the_end),
		TEST(a_breach_is_not_explained),
		TEST(the_first_descriptor_is_handed_on),
		TEST(who_does_not_read_does_not_block),
		TEST(who_says_nothing_is_closed_in_the_end),
		TEST(one_more_than_the_limit_is_told_so),
		TEST(a_flood_is_accepted_in_parts),
		TEST(a_user_says_so_much_in_a_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
