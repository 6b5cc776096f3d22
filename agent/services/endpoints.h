/* SPDX-License-Identifier: MIT */
/*
 * endpoints.h - decide which endpoints belong in etcd, and keep the state of each.  No I/O: the
 * caller's two functions join and leave them.
 *
 * An endpoint is one service in etcd.  Its identity is the registry's: name, host, port and
 * protocol of the url.  Behind it is a set of sockets, of one process or of several (SO_REUSEPORT,
 * inherited sockets).  It is wanted while a name of a process claims at least one socket that
 * serves.  If processes claim it with different documents (ETCD_REGISTRY_META), the process that
 * came last decides.
 *
 * An item of a process's names (names.h) is one claim and makes at most one endpoint.  The lead of
 * a claim is the oldest of its sockets that has an address.  The endpoint advertises that address,
 * and the other sockets on that port are behind it too.
 *
 * In a rolling restart a process may end after its successor listens on the port, but before the
 * agent hears of the successor.  So an endpoint lingers for 75 ms if the kernel lists a socket on
 * its port and transport protocol that no process has announced.  A process that announces that
 * socket in time takes the endpoint over unchanged.  Nothing else delays a leave.
 *
 * An endpoint that no process claims any more stays, leaving, until the registry reports that it is
 * out of etcd.  Each join has a tag of its own, by which the registry's events find the endpoint.
 * Events with an older tag are about the past and are ignored.
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
	ENDPOINT_LINGERING, /* still joined, but no process claims it */
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
	const char *meta_wanted; /* borrowed, only during endpoints_update() */
	unsigned port;
	unsigned transport; /* IPPROTO_* of the socket that claimed it last */
	unsigned claims;
	enum endpoint_state state;
	bool registered;
	bool refused; /* the library refused to join it, and does not try again */
	char *error;  /* of the latest failed attempt, or of the refusal; else NULL */
	uint64_t joined_ms;
	uint64_t linger_until_ms; /* in ENDPOINT_LINGERING */
};

/* The caller's functions.  They keep the contracts of etcdreg_join() and etcdreg_leave(). */
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
	uint64_t due_ms;  /* when the next endpoint stops lingering; 0: none lingers */
	char *down;       /* the latest error while etcd is known to be down; else NULL */
	unsigned reasons; /* errors since etcd last answered */
	struct endpoints_ops ops;
};

/* Fails with ETCDREG_E_NOMEM. */
int endpoints_init(struct endpoints *endpoints, const struct endpoints_ops *ops);

/* Frees the endpoints without leaving them.  A zeroed struct is fine. */
void endpoints_release(struct endpoints *endpoints);

/*
 * Decides every claim in the model, then joins and leaves the endpoints that changed.  Call
 * model_judge() before, and this function again at due_ms.  `kernel` is the latest dump.
 */
void endpoints_update(struct endpoints *endpoints, struct model *model,
		      const struct sockdiag_list *kernel, uint64_t now_ms);

bool endpoints_are_due(const struct endpoints *endpoints, uint64_t now_ms);

/* Returns whether no process claims the endpoint, although it may still be in etcd. */
bool endpoint_is_leaving(const struct endpoint *endpoint);

/*
 * Adds an endpoint that a previous worker may have put into etcd.  Copies `service` without its
 * tag.  The next endpoints_update() joins the endpoint if a process claims it, and leaves it if
 * not.  Fails with ETCDREG_E_NOMEM.
 */
int endpoints_restore(struct endpoints *endpoints, const struct etcdreg_service *service);

/*
 * Takes one event of the registry.  `error` is the text of an ETCDREG_RETRYING.  tag 0: the event
 * is about no single service.
 */
void endpoints_event(struct endpoints *endpoints, enum etcdreg_event_type type, uint64_t tag,
		     const char *error);

/* Returns the endpoint with that tag, or NULL. */
struct endpoint *endpoints_find(const struct endpoints *endpoints, uint64_t tag);

#endif
