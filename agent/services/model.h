/* SPDX-License-Identifier: MIT */
/*
 * model.h - the tables of processes, of their sockets, and of which process holds which socket.  No
 * I/O.
 *
 *	process ---< holding >--- sock            one holding per process and socket
 *
 * The kernel says whether a socket listens (sockdiag.h), and model_mark() notes it.  Two kinds of
 * sockets are trusted to listen while a holder lives: a new one until the next dump, and a foreign
 * one.  No dump has shown a foreign socket, and its process is not known to be in this network
 * namespace.  The rest follows from that and from the holders:
 *
 *	it serves    if it listens, and one of its holders runs or no known holder is left
 *	             (since it listens, an unknown process holds it)
 *	it is gone   if it does not listen: the owner of the model drops it
 *
 * Ownership: the model owns everything in it.  It copies names and texts, or takes them over where
 * a function says so.  It only refers to pidfds and clients: the caller takes them back before it
 * drops an element.  One thread.  Times are CLOCK_MONOTONIC milliseconds.
 */
#ifndef ETCDREG_AGENT_SERVICES_MODEL_H
#define ETCDREG_AGENT_SERVICES_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/base/hashmap.h"
#include "agent/base/list.h"
#include "agent/base/loop.h"
#include "agent/kernel/sockdiag.h"
#include "lib/etcd-registry.h"
#include "lib/wire.h"
#include "names.h"

enum { MODEL_SOCKETS_MAX = 256 }; /* that one process can announce */

enum process_state {
	PROCESS_RUNNING,
	PROCESS_STOPPED, /* connected, but silent for a TTL */
	PROCESS_LEAVING, /* in exit(), and no child has its sockets: they no longer count */
	PROCESS_DEAD,
};

/* The state of one item of a process's names (endpoints.h). */
struct claim {
	struct holding *lead; /* its address is advertised; NULL: the item claims nothing now */
	uint64_t tag;         /* of its endpoint; 0: none */
	uint64_t left_tag;    /* of its previous endpoint, for which a goodbye may wait; 0: none */
};

struct process {
	struct list in_model;
	struct hash_node by_id;
	struct source exit; /* its pidfd; fd -1: none */
	uint64_t id;        /* the same for all pidfds of the process; 0: not known */
	pid_t pid;          /* in the agent's pid namespace; 0: not known */
	uid_t uid;
	enum process_state state;
	bool announced; /* it said HELLO; else the agent found it in /proc */
	bool owes_left; /* its goodbye has no answer yet */
	bool hint_logged;
	struct client *client; /* its latest connection; NULL: none */
	uint64_t heard_ms;     /* its latest message */
	struct names names;
	struct claim *claims; /* one for each of names.items */
	char *host;           /* setting: the address to advertise */
	char *protocol;
	char *meta;
	struct list holdings; /* oldest first */
	unsigned holdings_len;
};

struct sock {
	struct list in_model;
	struct hash_node by_inode;
	struct wire_socket id;
	struct list holders;
	bool listed;   /* the latest dump has it */
	bool surveyed; /* a dump was made since the agent knows it */
	bool foreign;  /* no dump has shown it: it may be in another network namespace */
	bool serves;   /* see above; set by model_judge() */
	bool suspect;  /* a holder had an event: the survey looks again soon */
	bool searched; /* /proc was searched for its holders */
	bool orphan_logged;
	uint64_t orphan_since_ms; /* 0: a process that announced it lives */
};

struct holding {
	struct list of_process, of_sock;
	struct process *process;
	struct sock *sock;
	bool announced;   /* by the process; else found in /proc, and it claims nothing */
	unsigned told;    /* the last enum wire_outcome_what that was sent; 0: none */
	char *host;       /* the address to advertise; NULL: none */
	char *host_error; /* why there is no address; NULL: not known yet */
};

struct model {
	struct list processes, socks;
	struct hashmap processes_by_id, socks_by_inode;
	size_t socks_len;
};

/* Fails with ETCDREG_E_NOMEM. */
int model_init(struct model *model);

/* Frees everything.  A zeroed model is fine. */
void model_release(struct model *model);

/* Adds a running process without settings and sockets.  NULL: out of memory. */
struct process *model_add_process(struct model *model, uint64_t id, uid_t uid);

#define MODEL_ANY_UID ((uid_t)-1)

/*
 * Returns the process with that id (not 0) that is not dead, or NULL.  A process that said HELLO is
 * found only by the uid that said it: another user with a pidfd of the process gets a struct
 * process of its own.  MODEL_ANY_UID finds any.
 */
struct process *model_find_process(const struct model *model, uint64_t id, uid_t uid);

/*
 * Replaces the settings of the process, which then counts as announced.  Takes over `names` and
 * copies the rest.  Fails with ETCDREG_E_NOMEM, and then changes nothing.
 */
int process_configure(struct process *process, struct names *names, const char *host,
		      const char *protocol, const char *meta);

/* Marks the process dead.  Forgets the sockets found in /proc, keeps those that it announced. */
void process_bury(struct process *process);

/* Returns whether the process can be dropped: it has no connection and no socket. */
bool process_is_idle(const struct process *process);

/* Frees the process and its holdings. */
void model_drop_process(struct model *model, struct process *process);

/* Returns the socket with that cookie, port and inode, or NULL. */
struct sock *model_find_sock(const struct model *model, const struct wire_socket *id);

/*
 * Notes that the process holds that socket.  Adds the socket if it is new.  A repetition changes
 * nothing, except that a holding found in /proc becomes an announced one.  Fails with
 * ETCDREG_E_NOMEM, or _INVALID if the process has announced MODEL_SOCKETS_MAX sockets.
 */
int model_hold(struct model *model, struct process *process, const struct wire_socket *id,
	       bool announced, struct holding **ret);

/* Returns whether the process holds exactly this socket, with every field of `id` the same. */
bool model_holds(const struct model *model, const struct process *process,
		 const struct wire_socket *id);

/* Frees the socket and all its holdings. */
void model_drop_sock(struct model *model, struct sock *sock);

/* Returns the enum sockdiag_what of the socket. */
unsigned model_kind(const struct wire_socket *id);

/* Returns the kinds of sockets that a dump must have: enum sockdiag_what, or-ed. */
unsigned model_kinds(const struct model *model);

/* Notes which sockets are in `list`.  Returns how many are not, without the foreign ones. */
size_t model_mark(struct model *model, const struct sockdiag_list *list);

/*
 * Returns whether `list` has a socket on that port and protocol (IPPROTO_*) that no process has
 * announced.
 */
bool model_has_newcomer(const struct model *model, const struct sockdiag_list *list, unsigned port,
			unsigned protocol);

/* Returns whether the socket listens or is trusted to listen, see above. */
bool sock_listens(const struct sock *sock);

/* Sets `serves` and `orphan_since_ms` of all sockets. */
void model_judge(struct model *model, uint64_t now_ms);

/* Returns whether a holder of the socket lives, announced or found. */
bool sock_is_held(const struct sock *sock);

#endif
