/* SPDX-License-Identifier: MIT */
/*
 * sockdiag.h - the kernel's list of the sockets that listen in this network namespace.  One
 * NETLINK_SOCK_DIAG dump per family and protocol; where netlink is refused (seccomp, a missing
 * module), the files /proc/net/{tcp,tcp6,udp,udp6}, which know no cookies and no MPTCP.  Nothing is
 * ever subscribed to: the groups of sock_diag tell about every connection of the machine.  Blocks
 * for the time the kernel needs to write the list, 0.1 ms for some hundred sockets.  Not for
 * several threads.
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
	uid_t uid;           /* who opened it */
	uint8_t address[16]; /* the first 4 for AF_INET; all zero: any address */
};

/*
 * Sorted by inode once sockdiag_dump() has filled it.  All zero is an empty list.  `in_parts`: the
 * kernel wrote it in several parts.  A socket that closed between two of them can have hidden
 * another one, so what is missing must be missing after a second dump into the same list too.
 */
struct sockdiag_list {
	struct sockdiag_socket *entries;
	size_t len, cap;
	bool in_parts;
};

void sockdiag_list_release(struct sockdiag_list *list);

/* Empties the list and keeps its memory. */
void sockdiag_list_clear(struct sockdiag_list *list);

/* Fails with ETCDREG_E_NOMEM. */
int sockdiag_list_add(struct sockdiag_list *list, const struct sockdiag_socket *entry);

void sockdiag_list_sort(struct sockdiag_list *list);

/*
 * Is it one socket?  It is its (cookie, port, inode): an inode's number is used again, and one
 * socket can listen on another port later.  A cookie of 0 on either side says nothing.  The other
 * fields are not looked at.
 */
bool sockdiag_same(const struct sockdiag_socket *a, const struct sockdiag_socket *b);

/* The socket in the (sorted) list, or NULL. */
const struct sockdiag_socket *sockdiag_list_find(const struct sockdiag_list *list,
						 const struct sockdiag_socket *entry);

/* Is it there? */
bool sockdiag_list_has(const struct sockdiag_list *list, const struct sockdiag_socket *entry);

enum sockdiag_what {
	SOCKDIAG_TCP = 1 << 0,
	SOCKDIAG_MPTCP = 1 << 1,
	SOCKDIAG_UDP = 1 << 2,
};

struct sockdiag {
	int fd; /* -1: netlink is refused, /proc/net is read */
	uint32_t seq;
	uint16_t port; /* the only one that is asked for; 0: all */
	char *reply;
};

/* Never fails for want of netlink, only with ETCDREG_E_NOMEM. */
int sockdiag_init(struct sockdiag *diag);

void sockdiag_release(struct sockdiag *diag);

/*
 * Adds all sockets of the kinds in `what` (enum sockdiag_what, or-ed) to `list` and sorts it.  A
 * dump that was cut off or interrupted is asked for again.  Fails with ETCDREG_E_SYSTEM or _NOMEM;
 * `list` is then not complete.
 */
int sockdiag_dump(struct sockdiag *diag, unsigned what, struct sockdiag_list *list,
		  struct etcdreg_err *err);

/* The same for one port, which costs little however many sockets there are. */
int sockdiag_dump_port(struct sockdiag *diag, unsigned what, uint16_t port,
		       struct sockdiag_list *list, struct etcdreg_err *err);

#endif
