/* SPDX-License-Identifier: MIT */
/* sockets.c - the lock-free table of listening sockets, and how a socket is described. */
#include "sockets.h"

#include <asm/stat.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/socket.h>

#include "forgotten.h"
#include "raw.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

/*
 * FREE -> FILLING -> NEW is done by hooks, in any thread, and nothing else; all that follows by the
 * object's thread alone: NEW -> TAKEN -> SENT -> SETTLED, back to NEW, and to FREE.
 */
enum state { FREE, FILLING, NEW, TAKEN, SENT, SETTLED };

static FORGOTTEN _Atomic uint8_t states[SOCKETS_MAX];
static struct wire_socket slots[SOCKETS_MAX]; /* each written in FILLING, read from NEW on */

static long option(int fd, int level, int name, void *value, uint32_t len)
{
	return raw(SYS_getsockopt, fd, level, name, raw_arg(value), raw_arg(&len));
}

int socket_protocol(int fd)
{
	int protocol = 0;
	long rc = option(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, sizeof(protocol));

	return rc < 0 ? (int)rc : protocol;
}

bool socket_listens(int fd)
{
	int listens = 0;

	return option(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, sizeof(listens)) == 0 && listens;
}

static uint64_t inode_of(int fd)
{
#ifdef SYS_fstat64
	struct stat64 st = {0};

	return raw(SYS_fstat64, fd, raw_arg(&st)) < 0 ? 0 : st.st_ino;
#else
	struct stat st = {0};

	return raw(SYS_fstat, fd, raw_arg(&st)) < 0 ? 0 : st.st_ino;
#endif
}

static bool read_address(int fd, struct wire_socket *ret)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} name = {.any.sa_family = AF_UNSPEC};
	uint32_t len = sizeof(name);
	int v6only = 0;

	if (raw(SYS_getsockname, fd, raw_arg(&name), raw_arg(&len)) < 0)
		return false;
	ret->family = name.any.sa_family;
	if (ret->family == AF_INET) {
		ret->port = __builtin_bswap16(name.v4.sin_port);
		__builtin_memcpy(ret->address, &name.v4.sin_addr, 4);
	} else if (ret->family == AF_INET6) {
		ret->port = __builtin_bswap16(name.v6.sin6_port);
		__builtin_memcpy(ret->address, &name.v6.sin6_addr, 16);
		(void)option(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only));
		ret->v6only = v6only != 0;
	}
	return ret->port != 0;
}

bool socket_describe(int fd, struct wire_socket *ret)
{
	int protocol = socket_protocol(fd);

	if (protocol != IPPROTO_TCP && protocol != IPPROTO_MPTCP && protocol != IPPROTO_UDP)
		return false;
	*ret = (struct wire_socket){.protocol = (uint16_t)protocol};
	if (!read_address(fd, ret))
		return false;
	(void)option(fd, SOL_SOCKET, SO_COOKIE, &ret->cookie, sizeof(ret->cookie));
	ret->inode = inode_of(fd);
	return true;
}

static bool is_filled(int place)
{
	int state = atomic_load(&states[place]);

	return state != FREE && state != FILLING;
}

static bool is_of(int place, uint64_t cookie, uint64_t inode)
{
	return is_filled(place) && slots[place].cookie == cookie && slots[place].inode == inode;
}

/*
 * One that is still to be announced stands for a later listen() too: a host that listens in a loop,
 * faster than the thread runs, must not fill the table.
 */
static int find_unannounced(const struct wire_socket *socket)
{
	for (int i = 0; i < SOCKETS_MAX; i++)
		if (atomic_load(&states[i]) == NEW && is_of(i, socket->cookie, socket->inode))
			return i;
	return -1;
}

int sockets_add(const struct wire_socket *socket)
{
	int place = find_unannounced(socket);

	if (place >= 0)
		return place;
	for (int i = 0; i < SOCKETS_MAX; i++) {
		uint8_t free = FREE;

		if (!atomic_compare_exchange_strong(&states[i], &free, FILLING))
			continue;
		slots[i] = *socket;
		atomic_store(&states[i], NEW);
		return i;
	}
	return -1;
}

bool sockets_settled(int place)
{
	int state = atomic_load(&states[place]);

	return state == SETTLED || state == FREE;
}

/* A later listen() on a socket may have a slot of its own, which stands for both from now on. */
static void free_others(int place)
{
	for (int i = 0; i < SOCKETS_MAX; i++)
		if (i != place && is_of(i, slots[place].cookie, slots[place].inode))
			atomic_store(&states[i], FREE);
}

bool sockets_next(struct wire_socket *ret)
{
	for (int i = 0; i < SOCKETS_MAX; i++) {
		if (atomic_load(&states[i]) != NEW)
			continue;
		free_others(i);
		*ret = slots[i];
		atomic_store(&states[i], TAKEN);
		return true;
	}
	return false;
}

void sockets_sent(void)
{
	for (int i = 0; i < SOCKETS_MAX; i++)
		if (atomic_load(&states[i]) == TAKEN)
			atomic_store(&states[i], SENT);
}

void sockets_announce_again(void)
{
	for (int i = 0; i < SOCKETS_MAX; i++)
		if (is_filled(i))
			atomic_store(&states[i], NEW);
}

void sockets_settle(uint64_t cookie, uint64_t inode, bool gone)
{
	for (int i = 0; i < SOCKETS_MAX; i++)
		if (is_of(i, cookie, inode) && atomic_load(&states[i]) != NEW)
			atomic_store(&states[i], gone ? FREE : SETTLED);
}

static bool any_between(int first, int last)
{
	for (int i = 0; i < SOCKETS_MAX; i++) {
		int state = atomic_load(&states[i]);

		if (state >= first && state <= last)
			return true;
	}
	return false;
}

bool sockets_any(void)
{
	return any_between(FILLING, SETTLED);
}

bool sockets_unannounced(void)
{
	return any_between(NEW, TAKEN);
}

bool sockets_unsettled(void)
{
	return any_between(TAKEN, SENT);
}

void sockets_forget(void)
{
	for (int i = 0; i < SOCKETS_MAX; i++)
		atomic_store_explicit(&states[i], FREE, memory_order_relaxed);
}
