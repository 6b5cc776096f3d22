/* SPDX-License-Identifier: MIT */
/*
 * model.h - what the agent knows: processes, the sockets they announced, and who holds which.  Pure
 * tables, no I/O.
 *
 *	process ---< holding >--- sock            one holding per process and socket
 *
 * Whether a socket listens is the kernel's word (sockdiag.h), told with model_mark().  A foreign
 * one, which no dump has ever shown and whose process is not known to be in this network namespace,
 * is trusted to listen while a process that announced it lives; so is a new one until the next
 * dump.  What a socket is good for follows from that and its holders:
 *
 *	it serves    if it listens, and one of its holders runs or none of those known is left
 *	             (somebody holds it, since it listens)
 *	it is gone   if it does not listen: the owner of the model drops it
 *
 * Ownership: the model owns everything in it; names and texts are copied or taken over as said.
 * What belongs to the outside (pidfds, clients) is only referred to: it must be given back before
 * an element is dropped.  One thread.  Times are CLOCK_MONOTONIC milliseconds.
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

enum { MODEL_SOCKETS_MAX = 256 }; /* announced by one process */

enum process_state {
	PROCESS_RUNNING,
	PROCESS_STOPPED, /* connected, but its beats stopped */
	PROCESS_LEAVING, /* is exiting, and no child has its sockets: they count no more */
	PROCESS_DEAD,
};

/* What became of one item of a process's names: endpoints.h. */
struct claim {
	struct holding *lead; /* whose address is advertised; NULL: it claims nothing now */
	uint64_t tag;         /* the endpoint; 0: none */
	uint64_t left_tag;    /* the endpoint before, which a goodbye may wait for; 0: none */
};

struct process {
	struct list in_model;
	struct hash_node by_id;
	struct source exit; /* its pidfd; fd -1: none */
	uint64_t id;        /* the same for all pidfds of the process; 0: not known */
	pid_t pid;          /* in the agent's pid namespace; 0: not known */
	uid_t uid;
	enum process_state state;
	bool announced; /* it said HELLO; else it was found in /proc */
	bool owes_left; /* its goodbye has not been answered */
	bool hint_logged;
	struct client *client; /* its latest connection; NULL: none */
	uint64_t heard_ms;     /* its latest message */
	struct names names;
	struct claim *claims; /* names.len */
	char *host;           /* settings: the address to advertise */
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
	bool listed;   /* by the latest dump */
	bool surveyed; /* a dump was made since it is known */
	bool foreign;  /* none has shown it: it may be of another network namespace */
	bool serves;   /* see above; set by model_judge() */
	bool suspect;  /* something happened to a holder: it is looked at again soon */
	bool searched; /* its holders were looked for in /proc */
	bool orphan_logged;
	uint64_t orphan_since_ms; /* 0: a process that announced it is there */
};

struct holding {
	struct list of_process, of_sock;
	struct process *process;
	struct sock *sock;
	bool announced;   /* else found in /proc: it holds the socket, and claims nothing */
	unsigned told;    /* the last enum wire_outcome_what that was told; 0: none */
	char *host;       /* to advertise; NULL: none */
	char *host_error; /* why there is none; NULL: it is not known yet */
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

/* A process without settings and sockets, running.  NULL: no memory. */
struct process *model_add_process(struct model *model, uint64_t id, uid_t uid);

#define MODEL_ANY_UID ((uid_t)-1)

/*
 * The process with that id (not 0) which is not dead, or NULL.  Who says HELLO must be of the uid
 * that said it before: another user with a pidfd of the process gets a process of its own.
 */
struct process *model_find_process(const struct model *model, uint64_t id, uid_t uid);

/*
 * Replaces the settings; takes over `names`, copies the rest.  Fails with ETCDREG_E_NOMEM and has
 * then done nothing.
 */
int process_configure(struct process *process, struct names *names, const char *host,
		      const char *protocol, const char *meta);

/* It is dead: what it was found to hold is forgotten, what it announced stays. */
void process_bury(struct process *process);

/* Nobody needs it any more: not connected, and without a socket. */
bool process_is_idle(const struct process *process);

/* Frees it, its holdings included. */
void model_drop_process(struct model *model, struct process *process);

/* The socket that a process announced; NULL: not known. */
struct sock *model_find_sock(const struct model *model, const struct wire_socket *id);

/*
 * The process holds that socket, which becomes known with it.  A second time changes nothing,
 * except that what was found becomes what was announced.  Fails with ETCDREG_E_NOMEM, or _INVALID
 * when the process has announced MODEL_SOCKETS_MAX.
 */
int model_hold(struct model *model, struct process *process, const struct wire_socket *id,
	       bool announced, struct holding **ret);

/* Is the very same known of it already? */
bool model_holds(const struct model *model, const struct process *process,
		 const struct wire_socket *id);

/* Frees the socket and all its holdings. */
void model_drop_sock(struct model *model, struct sock *sock);

/* The enum sockdiag_what of a socket. */
unsigned model_kind(const struct wire_socket *id);

/* The kinds of sockets that a dump must have: enum sockdiag_what, or-ed. */
unsigned model_kinds(const struct model *model);

/* Notes which sockets `list` has.  Returns how many it should have, and has not. */
size_t model_mark(struct model *model, const struct sockdiag_list *list);

/*
 * Does `list` have a socket on that port and protocol (IPPROTO_*) that nobody has announced?
 */
bool model_has_newcomer(const struct model *model, const struct sockdiag_list *list, unsigned port,
			unsigned protocol);

bool sock_listens(const struct sock *sock);

/* All sockets: serves, and since when it is an orphan. */
void model_judge(struct model *model, uint64_t now_ms);

/* Does a holder that announced the socket, or one that was found, still live? */
bool sock_is_held(const struct sock *sock);

#endif
