/* SPDX-License-Identifier: MIT */
/*
 * sockdiag.h - the kernel's list of the sockets that listen in this network namespace.
 *
 * Requests one NETLINK_SOCK_DIAG dump per family and protocol.  If netlink is refused (seccomp, a
 * missing module), reads /proc/net instead: procnet.h.  Never subscribes to the groups of
 * sock_diag, which report every connection of the machine.
 *
 * A dump blocks while the kernel writes the list: 0.1 ms for some hundred sockets.  Only one thread
 * at a time may use a struct sockdiag.
 */
#ifndef ETCDREG_AGENT_KERNEL_SOCKDIAG_H
#define ETCDREG_AGENT_KERNEL_SOCKDIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/etcd-registry.h"

/* A socket that listens (TCP, MPTCP) or is bound (UDP). */
struct sockdiag_socket {
	uint64_t inode;
	uint64_t cookie;     /* 0: not known */
	uint16_t port;       /* host order */
	uint16_t protocol;   /* IPPROTO_TCP, _MPTCP or _UDP */
	uint16_t family;     /* AF_INET or AF_INET6 */
	uid_t uid;           /* of the process that opened it */
	uint8_t address[16]; /* the first 4 for AF_INET; all zero: any address */
};

/*
 * Sorted by inode after sockdiag_dump().  All zero is an empty list.
 *
 * `in_parts`: the kernel wrote the list in several parts.  A socket that closes between two of them
 * can hide another one.  So a socket is gone only if it is still missing after a second dump into
 * the same list.
 */
struct sockdiag_list {
	struct sockdiag_socket *entries;
	size_t len, cap;
	bool in_parts;
};

void sockdiag_list_release(struct sockdiag_list *list);

/* Empties the list and keeps its memory. */
void sockdiag_list_clear(struct sockdiag_list *list);

/* Appends a copy of `entry`.  Fails with ETCDREG_E_NOMEM. */
int sockdiag_list_add(struct sockdiag_list *list, const struct sockdiag_socket *entry);

/* Sorts by inode. */
void sockdiag_list_sort(struct sockdiag_list *list);

/*
 * Returns whether both are one socket: cookie, port and inode are equal.  All three count, since
 * the kernel reuses inode numbers, and one socket can listen on another port later.  A cookie of 0
 * equals any other.  Ignores the other fields.
 */
bool sockdiag_same(const struct sockdiag_socket *a, const struct sockdiag_socket *b);

/* Returns the same socket (sockdiag_same()) in a sorted list, or NULL.  The list owns it. */
const struct sockdiag_socket *sockdiag_list_find(const struct sockdiag_list *list,
						 const struct sockdiag_socket *entry);

/* Returns whether sockdiag_list_find() finds it. */
bool sockdiag_list_has(const struct sockdiag_list *list, const struct sockdiag_socket *entry);

enum sockdiag_what {
	SOCKDIAG_TCP = 1 << 0,
	SOCKDIAG_MPTCP = 1 << 1,
	SOCKDIAG_UDP = 1 << 2,
};

struct sockdiag {
	int fd; /* -1: netlink is refused; dumps read /proc/net */
	uint32_t seq;
	uint16_t port; /* the only port to ask for; 0: all */
	char *reply;
};

/* Fails with ETCDREG_E_NOMEM only: without netlink, dumps read /proc/net. */
int sockdiag_init(struct sockdiag *diag);

void sockdiag_release(struct sockdiag *diag);

/*
 * Adds all sockets of the kinds in `what` (enum sockdiag_what, or-ed) to `list`, and sorts it.
 * Repeats a dump that the kernel cut off or interrupted, a few times.  Fails with ETCDREG_E_SYSTEM
 * or _NOMEM; `list` is then incomplete.
 */
int sockdiag_dump(struct sockdiag *diag, unsigned what, struct sockdiag_list *list,
		  struct etcdreg_err *err);

/*
 * Does the same for one port.  The kernel then skips all other sockets.  /proc/net cannot: from
 * there `list` gets all ports.
 */
int sockdiag_dump_port(struct sockdiag *diag, unsigned what, uint16_t port,
		       struct sockdiag_list *list, struct etcdreg_err *err);

#endif
