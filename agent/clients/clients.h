/* SPDX-License-Identifier: MIT */
/*
 * clients.h - the connections of the agent: accept them, check credentials, limits and messages.
 *
 * This module decides who may connect, and checks that each message is whole and in order.  The
 * caller's functions decide what a message means.  A client that breaks a rule is closed, with a
 * log line at debug; no other client is affected.
 *
 * Nothing blocks: an answer for which the client's socket has no room is dropped.  A closed client
 * stays in memory until clients_sweep(), which the caller calls between two turns of the loop.
 */
#ifndef ETCDREG_AGENT_CLIENTS_CLIENTS_H
#define ETCDREG_AGENT_CLIENTS_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/base/list.h"
#include "agent/base/loop.h"
#include "lib/etcd-registry.h"
#include "messages.h"

enum {
	CLIENTS_MAX = 4096,           /* fewer if RLIMIT_NOFILE is low */
	CLIENTS_OF_USER_MAX = 2048,   /* at most half of all; not for root and the own uid */
	USER_MESSAGES_MAX = 4096,     /* of all its clients in a turn; the rest wait */
	USER_DESCRIPTORS_MAX = 16384, /* of its processes; read in a second to find holders */
};

struct process;
struct clients;

/* The share of one uid.  Exists while the uid has a client. */
struct user {
	struct list in_users;
	uid_t uid;
	unsigned clients;
	unsigned messages;    /* left to it in this turn */
	unsigned descriptors; /* left to it in this second */
};

struct client {
	struct list in_clients;
	struct source source; /* the connection */
	struct clients *clients;
	struct user *user;
	uid_t uid;
	pid_t pid;               /* 0: in a pid namespace that is not visible here */
	struct process *process; /* set by hello(); NULL before */
	bool greeted;            /* HELLO was accepted */
	uint64_t since_ms;       /* when it connected */
};

struct clients_ops {
	/*
	 * Decides on a HELLO.  Takes ownership of `pidfd`, the descriptor that came with it (-1:
	 * none).  On failure the client is closed.  It first gets err's text, unless the code is
	 * ETCDREG_E_PROTO.
	 */
	int (*hello)(struct client *client, const struct message *message, int pidfd,
		     struct etcdreg_err *err);
	/* Handles any later message. */
	void (*message)(struct client *client, const struct message *message);
	/*
	 * Called when the connection is over, whichever side ended it.  Not called for a client
	 * whose HELLO was not accepted.
	 */
	void (*closed)(struct client *client);
};

struct clients {
	struct loop *loop;
	const struct clients_ops *ops;
	void *arg;    /* the caller's own */
	bool any_uid; /* serve every uid; false: only the own one and root */
	struct list open, closed, users;
	size_t len; /* of open */
	size_t max;
	uint64_t refused_ms; /* when the log last had a line about a refusal; 0: never */
};

void clients_init(struct clients *clients, struct loop *loop, const struct clients_ops *ops,
		  void *arg, bool any_uid);

/* Closes all clients without calling closed(). */
void clients_release(struct clients *clients);

enum clients_accepted {
	CLIENTS_ALL,
	CLIENTS_MAX_REACHED, /* others may be waiting */
	CLIENTS_NO_ROOM,     /* descriptors or memory have run out: the rest must wait */
};

/* Accepts waiting clients, at most `max`. */
enum clients_accepted clients_accept(struct clients *clients, int listen_fd, size_t max);

/* Frees the closed clients.  Gives each uid its messages of the next turn. */
void clients_sweep(struct clients *clients);

/*
 * Closes clients that have sent no HELLO for 10 s.  Gives each uid its descriptors of the next
 * second.  Must be called every second.
 */
void clients_expire(struct clients *clients, uint64_t now_ms);

/* Sends without blocking.  Drops the answer if the socket has no room for it. */
void client_send(struct client *client, const struct answer *answer);

/* Closes the connection and calls closed().  Answers that were sent before still arrive. */
void client_close(struct client *client);

#endif
