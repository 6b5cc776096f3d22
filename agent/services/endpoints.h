/* SPDX-License-Identifier: MIT */
/*
 * endpoints.h - which services are wanted, given the model; and what became of them.  No I/O:
 * joining and leaving goes through two functions of the caller.
 *
 * An endpoint is one service in etcd: (name, host, port, protocol of the url), the registry's
 * identity, and behind it a set of sockets, of one process or of several (SO_REUSEPORT, inherited
 * sockets).  It is wanted while a process's name claims at least one socket that serves.  When
 * claims differ in the document's own fields (ETCD_REGISTRY_META), the process that came last
 * decides.
 *
 * An item of a process's names (names.h) is one claim and makes at most one endpoint.  The
 * advertised address is that of the oldest of its sockets that has one, its lead; the others on
 * that port are behind the same endpoint.
 *
 * In a rolling restart the predecessor may end when its successor on the port listens and has not
 * been heard of yet.  So an endpoint lingers for 75 ms while the kernel lists a socket on its port
 * and transport protocol that nobody has announced; who announces it in that time takes the
 * endpoint over as it is.  Nothing else delays a leave.
 *
 * An endpoint that is not wanted any more stays, leaving, until the registry says that it is out.
 * Each time it is joined it gets a new tag, by which the registry's events find it; events with an
 * old tag are about the past and ignored.
 */
#ifndef ETCDREG_AGENT_SERVICES_ENDPOINTS_H
#define ETCDREG_AGENT_SERVICES_ENDPOINTS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/etcd-registry.h"
#include "model.h"

enum endpoint_state {
	ENDPOINT_NEW, /* not joined yet */
	ENDPOINT_JOINED,
	ENDPOINT_LINGERING, /* as joined, though nobody wants it */
	ENDPOINT_LEAVING,
};

struct endpoint {
	struct list in_endpoints;
	struct hash_node by_key, by_tag;
	uint64_t tag;
	char *name;
	char *host;
	char *protocol;
	char *meta;              /* "": none */
	const char *meta_wanted; /* borrowed, within endpoints_update() */
	unsigned port;
	unsigned transport; /* IPPROTO_* of the socket that claimed it last */
	unsigned claims;
	enum endpoint_state state;
	bool registered;
	bool refused; /* the library would not take it: nothing will be tried */
	char *error;  /* the latest attempt failed, or why it was refused; else NULL */
	uint64_t joined_ms;
	uint64_t linger_until_ms; /* of ENDPOINT_LINGERING */
};

/* As etcdreg_join() and etcdreg_leave(). */
struct endpoints_ops {
	int (*join)(void *arg, const struct etcdreg_service *service, struct etcdreg_err *err);
	int (*leave)(void *arg, const struct etcdreg_service *service, struct etcdreg_err *err);
	void *arg;
};

struct endpoints {
	struct list all;
	struct hashmap by_key, by_tag;
	uint64_t last_tag;
	size_t leaving;   /* endpoints in ENDPOINT_LINGERING or _LEAVING */
	uint64_t due_ms;  /* when the next one stops lingering; 0: none does */
	char *down;       /* etcd is known to be down: the error; NULL: it is not */
	unsigned reasons; /* that it has been down for, since it last answered */
	struct endpoints_ops ops;
};

/* Fails with ETCDREG_E_NOMEM. */
int endpoints_init(struct endpoints *endpoints, const struct endpoints_ops *ops);

/* Frees everything, and leaves nothing.  A zeroed struct is fine. */
void endpoints_release(struct endpoints *endpoints);

/*
 * Decides every claim in the model (which must have been judged), then joins and leaves what has
 * changed.  `kernel` is the latest dump.  To be called again at due_ms.
 */
void endpoints_update(struct endpoints *endpoints, struct model *model,
		      const struct sockdiag_list *kernel, uint64_t now_ms);

bool endpoints_are_due(const struct endpoints *endpoints, uint64_t now_ms);

/* Is it not wanted, and not out yet? */
bool endpoint_is_leaving(const struct endpoint *endpoint);

/*
 * Adds an endpoint that a previous worker may have put into etcd.  Copies `service` without its
 * tag.  The next endpoints_update() joins the endpoint if a process claims it, and leaves it if
 * not.  Fails with ETCDREG_E_NOMEM.
 */
int endpoints_restore(struct endpoints *endpoints, const struct etcdreg_service *service);

/*
 * What the registry's events callback was told; `error` is that of an ETCDREG_RETRYING.  tag 0: no
 * service.
 */
void endpoints_event(struct endpoints *endpoints, enum etcdreg_event_type type, uint64_t tag,
		     const char *error);

/* The endpoint with that tag, or NULL. */
struct endpoint *endpoints_find(const struct endpoints *endpoints, uint64_t tag);

#endif
