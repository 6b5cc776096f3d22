/* SPDX-License-Identifier: MIT */
/*
 * wire.h - the messages between a preloaded process (shim/) and its agent (agent/).  It has structs
 * and no code, because the shim runs without a libc.
 *
 * The transport is a SOCK_SEQPACKET unix socket: messages are never split and never merged.  Both
 * ends are on one machine, so integers have native byte order.  A 32-bit host talks to a 64-bit
 * agent, so no struct has implicit padding, and the receiver checks every size.
 *
 * The agent closes the connection after an invalid message: one that is shorter than its struct or
 * longer than WIRE_MAX, or has another magic, another version or an unknown type.
 *
 *     shim                                   agent
 *      | HELLO (settings, pidfd attached)      |     first message, once
 *      | ------------------------------------> |
 *      |                  WELCOME (interval)   |     or REFUSED (text), then the agent closes
 *      | <------------------------------------ |
 *      | LISTEN (one socket)                   |     one for each socket, again after a reconnect
 *      | ------------------------------------> |
 *      |    OUTCOME (of that socket)           |     at least one for each LISTEN
 *      | <------------------------------------ |
 *      | BEAT                                  |     every interval
 *      | ------------------------------------> |
 *      | BYE                                   |     the process is exiting
 *      | ------------------------------------> |
 *      |                              LEFT     |     the agent has removed what it could
 *      | <------------------------------------ |
 *
 * The shim may send HELLO and LISTENs at once, without waiting for WELCOME.
 */
#ifndef ETCDREG_LIB_WIRE_H
#define ETCDREG_LIB_WIRE_H

#include <stdint.h>

#define WIRE_MAGIC 0x47455245u
#define WIRE_VERSION 1
#define WIRE_MAX 16384    /* bytes of the longest message */
#define WIRE_TEXT_MAX 512 /* bytes of the longest text, including its NUL */

enum wire_type {
	/* shim to agent */
	WIRE_HELLO = 1,
	WIRE_LISTEN = 2,
	WIRE_BEAT = 3,
	WIRE_BYE = 4,
	/* agent to shim */
	WIRE_WELCOME = 65,
	WIRE_REFUSED = 66,
	WIRE_OUTCOME = 67,
	WIRE_LEFT = 68,
};

struct wire_header {
	uint32_t magic;   /* WIRE_MAGIC */
	uint16_t version; /* WIRE_VERSION */
	uint16_t type;    /* enum wire_type; BEAT and LEFT are this header and nothing else */
};

/*
 * Identifies the sender.  A pidfd of the sender is attached (SCM_RIGHTS); without one, the agent
 * uses SO_PEERCRED.  `settings` has the sender's settings of scope SERVICE in config.def, as
 * NUL-terminated strings "VARIABLE=value".
 */
struct wire_hello {
	struct wire_header header;
	uint32_t pid;          /* in the sender's pid namespace; only for the log */
	uint32_t settings_len; /* bytes of settings, including the last NUL */
	char settings[];
};

/* A listening socket (TCP, MPTCP) or a bound one (UDP), as the kernel describes it to the host. */
struct wire_socket {
	uint64_t cookie; /* SO_COOKIE; 0: the kernel has none, only the inode identifies it */
	uint64_t inode;
	uint16_t port;       /* host byte order, never 0 */
	uint16_t family;     /* AF_INET or AF_INET6 */
	uint16_t protocol;   /* IPPROTO_TCP, IPPROTO_UDP or IPPROTO_MPTCP (262) */
	uint16_t v6only;     /* 1: IPV6_V6ONLY is on */
	uint8_t address[16]; /* AF_INET: in the first 4 bytes; all zero: any address */
};

struct wire_listen {
	struct wire_header header;
	struct wire_socket socket;
};

struct wire_bye {
	struct wire_header header;
	uint32_t forked; /* 1: the host forked since it listened; a child may hold sockets */
	uint32_t pad;
};

struct wire_welcome {
	struct wire_header header;
	uint32_t interval_ms; /* the time between two BEATs */
	uint32_t pad;
};

enum wire_outcome_what {
	WIRE_REGISTERED = 1, /* the socket's service is in etcd */
	WIRE_UNNAMED = 2,    /* no name claims this socket at present, so there is no service */
	WIRE_FAILED = 3,     /* not in etcd yet; `text` says why.  The agent retries */
	WIRE_GONE = 4,       /* the kernel no longer lists the socket; the agent forgot it */
};

struct wire_outcome {
	struct wire_header header;
	uint64_t cookie;
	uint64_t inode;
	uint32_t what;     /* enum wire_outcome_what */
	uint32_t text_len; /* bytes of text, including its NUL; 0: none */
	char text[];
};

struct wire_refused {
	struct wire_header header;
	uint32_t text_len; /* bytes of text, including its NUL */
	char text[];       /* one line for the host's stderr: the reason, without secrets */
};

_Static_assert(sizeof(struct wire_header) == 8, "one layout for 32-bit and 64-bit hosts");
_Static_assert(sizeof(struct wire_hello) == 16, "one layout for 32-bit and 64-bit hosts");
_Static_assert(sizeof(struct wire_socket) == 40, "one layout for 32-bit and 64-bit hosts");
_Static_assert(sizeof(struct wire_listen) == 48, "one layout for 32-bit and 64-bit hosts");
_Static_assert(sizeof(struct wire_outcome) == 32, "one layout for 32-bit and 64-bit hosts");
_Static_assert(sizeof(struct wire_refused) == 12, "one layout for 32-bit and 64-bit hosts");

#endif
