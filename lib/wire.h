/* SPDX-License-Identifier: MIT */
/*
 * wire.h - the messages between a preloaded process (shim/) and its agent (agent/).  Structs only,
 * no code: it is included by code that runs without a libc.
 *
 * The transport is a SOCK_SEQPACKET unix socket, so a message is a datagram: never partial, never
 * merged.  Both ends are on one machine, so integers are native; 32-bit hosts talk to a 64-bit
 * agent, so every struct is laid out without implicit padding and every size is checked by the
 * receiver.  A message that is shorter than its struct, longer than WIRE_MAX, of another magic or
 * version, or of an unknown type is refused: the agent closes that connection.
 *
 *     shim                                   agent
 *      | HELLO (settings, pidfd attached)      |     once, first
 *      | ------------------------------------> |
 *      |                  WELCOME (interval)   |     or REFUSED (why), and the connection is closed
 *      | <------------------------------------ |
 *      | LISTEN (one socket)                   |     one per socket, again after a reconnect
 *      | ------------------------------------> |
 *      |    OUTCOME (of that socket)           |     at least one per LISTEN, when it is known
 *      | <------------------------------------ |
 *      | BEAT                                  |     every interval
 *      | ------------------------------------> |
 *      | BYE                                   |     the process is exiting
 *      | ------------------------------------> |
 *      |                              LEFT     |     all that could be done is done
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
#define WIRE_TEXT_MAX 512 /* bytes of the longest text, its NUL included */

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
 * Who speaks.  A pidfd of the sender comes with it (SCM_RIGHTS); without one the agent goes by
 * SO_PEERCRED. `settings` is the process's settings of scope SERVICE in config.def: NUL-terminated
 * "VARIABLE=value" strings.
 */
struct wire_hello {
	struct wire_header header;
	uint32_t pid;          /* in the sender's pid namespace: for log lines only */
	uint32_t settings_len; /* bytes of settings, the last NUL included */
	char settings[];
};

/*
 * A socket that is listening (TCP, MPTCP) or bound (UDP), as the kernel described it to the host.
 */
struct wire_socket {
	uint64_t cookie; /* SO_COOKIE; 0: the kernel has none, the inode must do */
	uint64_t inode;
	uint16_t port;       /* host order, never 0 */
	uint16_t family;     /* AF_INET or AF_INET6 */
	uint16_t protocol;   /* IPPROTO_TCP, IPPROTO_UDP or IPPROTO_MPTCP (262) */
	uint16_t v6only;     /* 1: IPV6_V6ONLY is on */
	uint8_t address[16]; /* the first 4 for AF_INET; all zero: any address */
};

struct wire_listen {
	struct wire_header header;
	struct wire_socket socket;
};

struct wire_bye {
	struct wire_header header;
	uint32_t forked; /* 1: it has forked since it listened: a child may hold sockets */
	uint32_t pad;
};

struct wire_welcome {
	struct wire_header header;
	uint32_t interval_ms; /* time between two BEATs */
	uint32_t pad;
};

enum wire_outcome_what {
	WIRE_REGISTERED = 1, /* the socket's service is in etcd */
	WIRE_UNNAMED = 2,    /* no name claims this socket (now): nothing will happen for it */
	WIRE_FAILED = 3,     /* not in etcd yet; `text` says why.  The agent goes on trying */
	WIRE_GONE = 4,       /* the kernel no longer lists it: the agent has forgotten it */
};

struct wire_outcome {
	struct wire_header header;
	uint64_t cookie;
	uint64_t inode;
	uint32_t what;     /* enum wire_outcome_what */
	uint32_t text_len; /* bytes of text, its NUL included; 0: none */
	char text[];
};

struct wire_refused {
	struct wire_header header;
	uint32_t text_len; /* bytes of text, its NUL included */
	char text[];       /* one line for the host's stderr: what is wrong, never a secret */
};

_Static_assert(sizeof(struct wire_header) == 8, "one layout for 32-bit and 64-bit hosts");
_Static_assert(sizeof(struct wire_hello) == 16, "one layout for 32-bit and 64-bit hosts");
_Static_assert(sizeof(struct wire_socket) == 40, "one layout for 32-bit and 64-bit hosts");
_Static_assert(sizeof(struct wire_listen) == 48, "one layout for 32-bit and 64-bit hosts");
_Static_assert(sizeof(struct wire_outcome) == 32, "one layout for 32-bit and 64-bit hosts");
_Static_assert(sizeof(struct wire_refused) == 12, "one layout for 32-bit and 64-bit hosts");

#endif
