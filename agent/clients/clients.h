/* SPDX-License-Identifier: MIT */
/*
 * clients.h - the connections: accepting, credentials, limits, one message after the other.  Who
 * may speak is checked here, and that each message is whole and in its order; what it means is the
 * business of the caller's functions.  A client that breaks a rule is closed with a line at debug,
 * and nobody else notices.
 *
 * Nothing blocks: what a client does not read in time is dropped.  A client that was closed stays
 * in memory until clients_sweep(), which belongs between two turns of the loop.
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
	CLIENTS_MAX = 4096,           /* fewer where descriptors are few */
	CLIENTS_OF_USER_MAX = 2048,   /* root and the own uid excepted */
	USER_MESSAGES_MAX = 4096,     /* of all its clients in a turn; the rest waits */
	USER_DESCRIPTORS_MAX = 16384, /* looked at in a second to find what it holds */
};

struct process;
struct clients;

/* What one uid has of the agent.  There while it has a client. */
struct user {
	struct list in_users;
	uid_t uid;
	unsigned clients;
	unsigned messages;    /* that are left to it in this turn */
	unsigned descriptors; /* that are left to it in this second */
};

struct client {
	struct list in_clients;
	struct source source; /* the connection */
	struct clients *clients;
	struct user *user;
	uid_t uid;
	pid_t pid;               /* 0: in a pid namespace that cannot be seen from here */
	struct process *process; /* set by hello(); NULL before */
	bool greeted;            /* HELLO was accepted */
	uint64_t since_ms;
};

struct clients_ops {
	/*
	 * HELLO.  `pidfd` is what came with it, -1 for nothing, and is taken over.  On failure the
	 * client is closed; it is told err's text, unless the code is ETCDREG_E_PROTO.
	 */
	int (*hello)(struct client *client, const struct message *message, int pidfd,
		     struct etcdreg_err *err);
	/* Any later message. */
	void (*message)(struct client *client, const struct message *message);
	/*
	 * The connection is over, whoever ended it.  Not called for a client whose HELLO was not
	 * accepted.
	 */
	void (*closed)(struct client *client);
};

struct clients {
	struct loop *loop;
	const struct clients_ops *ops;
	void *arg;    /* the caller's own */
	bool any_uid; /* serve whoever could connect, else the own uid and root */
	struct list open, closed, users;
	size_t len; /* of open */
	size_t max;
	uint64_t refused_ms; /* when a line said that one was refused; 0: never */
};

void clients_init(struct clients *clients, struct loop *loop, const struct clients_ops *ops,
		  void *arg, bool any_uid);

/* Closes all, without calling closed(). */
void clients_release(struct clients *clients);

enum clients_accepted {
	CLIENTS_ALL,
	CLIENTS_MAX_REACHED, /* others may be waiting */
	CLIENTS_NO_ROOM,     /* descriptors or memory have run out: the rest has to wait */
};

/* Accepts those that wait, but for what is more than `max`. */
enum clients_accepted clients_accept(struct clients *clients, int listen_fd, size_t max);

/* Frees the closed ones.  The next turn begins. */
void clients_sweep(struct clients *clients);

/* Closes those that have not said HELLO for too long.  To be called every second. */
void clients_expire(struct clients *clients, uint64_t now_ms);

/* Never blocks; the answer is dropped where there is no room for it. */
void client_send(struct client *client, const struct answer *answer);

/* What was sent still arrives.  closed() is called. */
void client_close(struct client *client);

#endif
