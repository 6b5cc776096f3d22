/* SPDX-License-Identifier: MIT */
/*
 * The kernel's lists of sockets, read by netlink and from /proc/net.  The tests use real sockets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/kernel/procnet.h"
#include "agent/kernel/sockdiag.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define ENTRY(i, c, p)                                   \
	{                                                \
		.inode = (i), .cookie = (c), .port = (p) \
	}

enum { MANY = 700 }; /* more than one answer of the kernel holds */

struct probe {
	int fd;
	struct sockdiag_socket entry;
};

/* Returns an address whose bytes differ if they are read backwards. */
static struct sockaddr_storage address_of(int family)
{
	struct sockaddr_storage address = {.ss_family = (sa_family_t)family};

	if (family == AF_INET)
		((struct sockaddr_in *)&address)->sin_addr.s_addr = htonl(0x7f000002);
	else
		((struct sockaddr_in6 *)&address)->sin6_addr = in6addr_loopback;
	return address;
}

static void open_socket(struct probe *probe, int family, int type, int protocol)
{
	struct sockaddr_storage address = address_of(family);
	socklen_t len = sizeof(address), cookie_len = sizeof(probe->entry.cookie);
	struct stat st;

	*probe = (struct probe){.fd = -1};
	probe->fd = socket(family, type | SOCK_CLOEXEC, protocol);
	if (probe->fd < 0)
		return;
	assert_int_equal(bind(probe->fd, (struct sockaddr *)&address, len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(probe->fd, 1), 0);
	assert_int_equal(getsockname(probe->fd, (struct sockaddr *)&address, &len), 0);
	assert_int_equal(
		getsockopt(probe->fd, SOL_SOCKET, SO_COOKIE, &probe->entry.cookie, &cookie_len), 0);
	assert_int_equal(fstat(probe->fd, &st), 0);
	probe->entry.inode = st.st_ino;
	/* The port is at the same place in both families. */
	probe->entry.port = ntohs(((struct sockaddr_in *)&address)->sin_port);
	probe->entry.family = (uint16_t)family;
	probe->entry.uid = getuid();
	if (family == AF_INET)
		memcpy(probe->entry.address, &((struct sockaddr_in *)&address)->sin_addr, 4);
	else
		memcpy(probe->entry.address, &((struct sockaddr_in6 *)&address)->sin6_addr, 16);
}

/* Returns the protocol under which the socket is listed, 0 if it is not. */
static unsigned listed_as(struct sockdiag *diag, unsigned what, const struct sockdiag_socket *entry)
{
	struct sockdiag_list list = {0};
	unsigned protocol = 0;

	assert_int_equal(sockdiag_dump(diag, what, &list, NULL), 0);
	for (size_t i = 0; i < list.len; i++)
		if (sockdiag_same(&list.entries[i], entry))
			protocol = list.entries[i].protocol;
	assert_int_equal(sockdiag_list_has(&list, entry), protocol != 0);
	sockdiag_list_release(&list);
	return protocol;
}

static void check_port(struct sockdiag *diag, unsigned what, const struct sockdiag_socket *wanted)
{
	struct sockdiag_list list = {0};
	const struct sockdiag_socket *found;

	assert_int_equal(sockdiag_dump_port(diag, what, wanted->port, &list, NULL), 0);
	found = sockdiag_list_find(&list, wanted);
	assert_non_null(found);
	assert_int_equal(found->family, wanted->family);
	assert_int_equal(found->uid, wanted->uid);
	assert_memory_equal(found->address, wanted->address, sizeof(wanted->address));
	for (size_t i = 0; diag->fd >= 0 && i < list.len; i++)
		assert_int_equal(list.entries[i].port, wanted->port);
	sockdiag_list_release(&list);
}

static void check_socket(bool netlink, unsigned what, int family, int type, int protocol)
{
	struct sockdiag diag;
	struct probe probe;

	open_socket(&probe, family, type, protocol);
	if (probe.fd < 0)
		skip();
	assert_int_equal(sockdiag_init(&diag), 0);
	if (!netlink) {
		close(diag.fd);
		diag.fd = -1;
	}
	assert_int_equal(listed_as(&diag, what, &probe.entry), protocol);
	check_port(&diag, what, &probe.entry);
	close(probe.fd);
	assert_int_equal(listed_as(&diag, what, &probe.entry), 0);
	sockdiag_release(&diag);
}

static void netlink_lists_tcp(void **state)
{
	(void)state;
	check_socket(true, SOCKDIAG_TCP, AF_INET, SOCK_STREAM, IPPROTO_TCP);
	check_socket(true, SOCKDIAG_TCP, AF_INET6, SOCK_STREAM, IPPROTO_TCP);
}

static void netlink_lists_udp(void **state)
{
	(void)state;
	check_socket(true, SOCKDIAG_UDP, AF_INET, SOCK_DGRAM, IPPROTO_UDP);
	check_socket(true, SOCKDIAG_UDP, AF_INET6, SOCK_DGRAM, IPPROTO_UDP);
}

static void netlink_lists_mptcp(void **state)
{
	(void)state;
	check_socket(true, SOCKDIAG_MPTCP | SOCKDIAG_TCP, AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
	check_socket(true, SOCKDIAG_MPTCP, AF_INET6, SOCK_STREAM, IPPROTO_MPTCP);
}

static void proc_lists_tcp_and_udp(void **state)
{
	(void)state;
	check_socket(false, SOCKDIAG_TCP, AF_INET, SOCK_STREAM, IPPROTO_TCP);
	check_socket(false, SOCKDIAG_TCP, AF_INET6, SOCK_STREAM, IPPROTO_TCP);
	check_socket(false, SOCKDIAG_UDP, AF_INET, SOCK_DGRAM, IPPROTO_UDP);
	check_socket(false, SOCKDIAG_UDP, AF_INET6, SOCK_DGRAM, IPPROTO_UDP);
}

static void a_bound_tcp_socket_does_not_listen(void **state)
{
	struct sockdiag diag;
	struct probe probe;

	(void)state;
	open_socket(&probe, AF_INET, SOCK_STREAM, 0);
	assert_int_equal(sockdiag_init(&diag), 0);
	assert_int_equal(shutdown(probe.fd, SHUT_RDWR), 0);
	assert_int_equal(listed_as(&diag, SOCKDIAG_TCP, &probe.entry), 0);
	close(probe.fd);
	sockdiag_release(&diag);
}

static void lists_many(void **state)
{
	static struct probe probes[MANY];
	struct sockdiag_list list = {0};
	struct sockdiag diag;

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		open_socket(&probes[i], i % 2 ? AF_INET : AF_INET6, SOCK_STREAM, 0);
	assert_int_equal(sockdiag_init(&diag), 0);
	assert_int_equal(sockdiag_dump(&diag, SOCKDIAG_TCP, &list, NULL), 0);
	assert_true(list.in_parts);
	for (size_t i = 0; i < MANY; i++) {
		assert_true(sockdiag_list_has(&list, &probes[i].entry));
		close(probes[i].fd);
	}
	sockdiag_list_clear(&list);
	assert_int_equal(sockdiag_dump(&diag, SOCKDIAG_TCP, &list, NULL), 0);
	for (size_t i = 0; i < MANY; i++)
		assert_false(sockdiag_list_has(&list, &probes[i].entry));
	sockdiag_list_release(&list);
	sockdiag_release(&diag);
}

static void a_socket_is_cookie_port_and_inode(void **state)
{
	static const struct sockdiag_socket listed[] = {
		ENTRY(30, 3, 80),
		ENTRY(10, 1, 80),
		ENTRY(20, 2, 80),
		ENTRY(20, 0, 81),
	};
	struct sockdiag_list list = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(listed) / sizeof(listed[0]); i++)
		assert_int_equal(sockdiag_list_add(&list, &listed[i]), 0);
	sockdiag_list_sort(&list);
	assert_true(sockdiag_list_has(&list, &(struct sockdiag_socket)ENTRY(10, 1, 80)));
	assert_true(sockdiag_list_has(&list, &(struct sockdiag_socket)ENTRY(20, 2, 80)));
	assert_true(sockdiag_list_has(&list, &(struct sockdiag_socket)ENTRY(20, 7, 81)));
	assert_true(sockdiag_list_has(&list, &(struct sockdiag_socket)ENTRY(30, 0, 80)));
	assert_false(sockdiag_list_has(&list, &(struct sockdiag_socket)ENTRY(30, 4, 80)));
	assert_false(sockdiag_list_has(&list, &(struct sockdiag_socket)ENTRY(30, 3, 81)));
	assert_false(sockdiag_list_has(&list, &(struct sockdiag_socket)ENTRY(40, 3, 80)));
	sockdiag_list_release(&list);
	assert_false(sockdiag_list_has(&list, &(struct sockdiag_socket)ENTRY(30, 3, 80)));
}

static void read_text(char *text, uint16_t family, struct sockdiag_list *list)
{
	FILE *file = fmemopen(text, strlen(text), "r");

	assert_non_null(file);
	assert_int_equal(procnet_read(file, family, 10, list), 0);
	fclose(file);
}

static void proc_lines_are_read_or_skipped(void **state)
{
	static char v4[] =
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt\n"
		"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000"
		"     0        0 4711 1 0000000000000000 100 0 0 10 0\n"
		"   1: 0100007F:1F91 0100007F:1F90 01 00000000:00000000 00:00000000 00000000"
		"     0        0 4712 1 0000000000000000 20 4 30 10 -1\n"
		"   3: 0100007F:1F92 00000000:0000 0A 00000000:00000000 00:00000000 00000000"
		"     0        0 0 1\n"
		"   4: 0100007F000:1F92 00000000:0000 0A 00000000:00000000 00:00000000 00000000"
		"     0        0 4714 1\n"
		"  12: cut off\n";
	static char v6[] =
		"   2: 00000000000000000000000001000000:0050"
		" 00000000000000000000000000000000:0000 0A"
		" 00000000:00000000 00:00000000 00000000 1000        0 4713 1 0 100 0 0 10 0\n";
	struct sockdiag_list list = {0};

	(void)state;
	read_text(v4, AF_INET, &list);
	read_text(v6, AF_INET6, &list);
	assert_int_equal(list.len, 2);
	assert_int_equal(list.entries[0].inode, 4711);
	assert_int_equal(list.entries[0].port, 8080);
	assert_int_equal(list.entries[0].uid, 0);
	assert_int_equal(list.entries[1].inode, 4713);
	assert_int_equal(list.entries[1].port, 80);
	assert_int_equal(list.entries[1].uid, 1000);
	sockdiag_list_release(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(netlink_lists_tcp),
		cmocka_unit_test(netlink_lists_udp),
		cmocka_unit_test(netlink_lists_mptcp),
		cmocka_unit_test(proc_lists_tcp_and_udp),
		cmocka_unit_test(a_bound_tcp_socket_does_not_listen),
		cmocka_unit_test(lists_many),
		cmocka_unit_test(a_socket_is_cookie_port_and_inode),
		cmocka_unit_test(proc_lines_are_read_or_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
