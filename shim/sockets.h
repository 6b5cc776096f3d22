/* SPDX-License-Identifier: MIT */
/*
 * sockets.h - the sockets of this process that listen, between the hooks that see them and the
 * thread that announces them.
 *
 * A fixed table without a lock: hooks run in any thread of the host and in its signal handlers, and
 * the host may fork at any instant.  Hooks add; the thread alone takes out and settles.
 */
#ifndef ETCDREG_SHIM_SOCKETS_H
#define ETCDREG_SHIM_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/wire.h"

#define SOCKETS_MAX 256

/*
 * Describe descriptor `fd` by what the kernel says of it.  False: not an IP socket of TCP, MPTCP or
 * UDP, or without a port.  Only reads; touches neither errno nor the socket.
 */
bool socket_describe(int fd, struct wire_socket *ret);

/* Does a stream socket listen?  Touches neither errno nor the socket. */
bool socket_listens(int fd);

/* The socket's protocol (IPPROTO_*), or a negative errno. */
int socket_protocol(int fd);

/*
 * Note that `socket` listens, so that the thread announces it, once more if it has been announced.
 * Returns its place in the table, for sockets_settled(); -1: the table is full.
 */
int sockets_add(const struct wire_socket *socket);

/* Is there an outcome for the socket at `place`, or none to be expected any more? */
bool sockets_settled(int place);

/* A socket still to be announced; false: none.  Once it is with the agent: sockets_sent(). */
bool sockets_next(struct wire_socket *ret);
void sockets_sent(void);

/*
 * A message could not be sent, or the agent is a new one: all of them are to be announced (again).
 */
void sockets_announce_again(void);

/* An outcome came: whether the socket is done with (gone) or only settled. */
void sockets_settle(uint64_t cookie, uint64_t inode, bool gone);

/* Is there a socket still to be announced?  Any thread. */
bool sockets_unannounced(void);

/* Is there any socket? */
bool sockets_any(void);

/* Has a socket been announced whose outcome is not known? */
bool sockets_unsettled(void);

/* Forget all: in a forked child, which has its own life. */
void sockets_forget(void);

#endif
