/* SPDX-License-Identifier: MIT */
/* The endpoints that belong in etcd. */
#include "endpoints.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"
#include "claims.h"
#include "lib/base/cleanup.h"
#include "lib/base/hash.h"

/*
 * A successor's announcement comes 1 to 4 ms after its predecessor's end, and 47 ms on two cores
 * with a dozen busy processes.  A service that nobody continues must leave etcd within 100 ms.
 */
enum { LINGER_MS = 75 };

/* Warnings in one outage.  Further errors are logged at debug. */
enum { REASONS_TOLD = 5 };

int endpoints_init(struct endpoints *endpoints, const struct endpoints_ops *ops)
{
	*endpoints = (struct endpoints){.ops = *ops};
	list_init(&endpoints->all);
	if (hashmap_init(&endpoints->by_key) < 0)
		return ETCDREG_E_NOMEM;
	if (hashmap_init(&endpoints->by_tag) < 0) {
		hashmap_release(&endpoints->by_key);
		return ETCDREG_E_NOMEM;
	}
	return 0;
}

static void free_endpoint(struct endpoint *endpoint)
{
	free(endpoint->name);
	free(endpoint->host);
	free(endpoint->protocol);
	free(endpoint->meta);
	free(endpoint->error);
	free(endpoint);
}

static void endpoint_release(struct endpoint **endpoint)
{
	if (*endpoint)
		free_endpoint(*endpoint);
}

bool endpoint_is_leaving(const struct endpoint *endpoint)
{
	return endpoint->state == ENDPOINT_LINGERING || endpoint->state == ENDPOINT_LEAVING;
}

static void set_state(struct endpoints *endpoints, struct endpoint *endpoint,
		      enum endpoint_state state)
{
	endpoints->leaving -= endpoint_is_leaving(endpoint);
	endpoint->state = state;
	endpoints->leaving += endpoint_is_leaving(endpoint);
}

static void drop_endpoint(struct endpoints *endpoints, struct endpoint *endpoint)
{
	set_state(endpoints, endpoint, ENDPOINT_NEW);
	list_remove(&endpoint->in_endpoints);
	hashmap_remove(&endpoints->by_key, &endpoint->by_key);
	hashmap_remove(&endpoints->by_tag, &endpoint->by_tag);
	free_endpoint(endpoint);
}

void endpoints_release(struct endpoints *endpoints)
{
	if (!endpoints->by_tag.buckets)
		return;
	LIST_FOR_EACH_SAFE (link, &endpoints->all)
		drop_endpoint(endpoints, LIST_ENTRY(link, struct endpoint, in_endpoints));
	hashmap_release(&endpoints->by_key);
	hashmap_release(&endpoints->by_tag);
	free(endpoints->down);
}

static struct etcdreg_service service_of(const struct endpoint *endpoint)
{
	return (struct etcdreg_service){
		.size = sizeof(struct etcdreg_service),
		.name = endpoint->name,
		.hostname = endpoint->host,
		.port = endpoint->port,
		.protocol = endpoint->protocol,
		.meta = endpoint->meta[0] ? endpoint->meta : NULL,
		.tag = endpoint->tag,
	};
}

static void set_error(char **error, const char *text)
{
	free(*error);
	*error = text ? strdup(text) : NULL;
}

static uint64_t key_of(const struct etcdreg_service *service)
{
	uint64_t hash = hash_bytes(HASH_START, &service->port, sizeof(service->port));

	hash = hash_text(hash, service->name);
	hash = hash_text(hash, service->hostname);
	return hash_text(hash, service->protocol);
}

static struct endpoint *find_endpoint(const struct endpoints *endpoints,
				      const struct etcdreg_service *service)
{
	struct hash_node *node = hashmap_first(&endpoints->by_key, key_of(service));

	for (; node; node = hashmap_next(node)) {
		struct endpoint *endpoint = HASH_ENTRY(node, struct endpoint, by_key);

		if (endpoint->port == service->port && strcmp(endpoint->name, service->name) == 0 &&
		    strcmp(endpoint->host, service->hostname) == 0 &&
		    strcmp(endpoint->protocol, service->protocol) == 0)
			return endpoint;
	}
	return NULL;
}

static struct endpoint *add_endpoint(struct endpoints *endpoints,
				     const struct etcdreg_service *service)
{
	CLEANUP(endpoint) struct endpoint *endpoint = calloc(1, sizeof(*endpoint));
	struct endpoint *added;

	if (!endpoint)
		return NULL;
	endpoint->name = strdup(service->name);
	endpoint->host = strdup(service->hostname);
	endpoint->protocol = strdup(service->protocol);
	endpoint->meta = strdup(service->meta ? service->meta : "");
	endpoint->port = service->port;
	endpoint->tag = ++endpoints->last_tag;
	if (!endpoint->name || !endpoint->host || !endpoint->protocol || !endpoint->meta)
		return NULL;
	added = STEAL(endpoint);
	list_append(&endpoints->all, &added->in_endpoints);
	hashmap_add(&endpoints->by_key, &added->by_key, key_of(service));
	hashmap_add(&endpoints->by_tag, &added->by_tag, added->tag);
	return added;
}

int endpoints_restore(struct endpoints *endpoints, const struct etcdreg_service *service)
{
	return add_endpoint(endpoints, service) ? 0 : ETCDREG_E_NOMEM;
}

static uint64_t claim_endpoint(struct endpoints *endpoints, const struct process *process,
			       const struct name_item *item, const struct holding *lead)
{
	const struct etcdreg_service service = {
		.size = sizeof(service),
		.name = item->name,
		.hostname = lead->host,
		.port = lead->sock->id.port,
		.protocol = process->protocol,
		.meta = process->meta,
	};
	struct endpoint *endpoint = find_endpoint(endpoints, &service);

	if (!endpoint)
		endpoint = add_endpoint(endpoints, &service);
	if (!endpoint)
		return 0;
	endpoint->claims++;
	endpoint->transport = lead->sock->id.protocol;
	endpoint->meta_wanted = process->meta;
	return endpoint->tag;
}

static void update_claims(struct endpoints *endpoints, struct process *process)
{
	for (size_t i = 0; i < process->names.len; i++) {
		struct claim *claim = &process->claims[i];
		uint64_t tag = 0;

		claim->lead = claims_lead(process, &process->names.items[i]);
		if (claim->lead)
			tag = claim_endpoint(endpoints, process, &process->names.items[i],
					     claim->lead);
		if (claim->tag != tag && claim->tag != 0)
			claim->left_tag = claim->tag;
		claim->tag = tag;
	}
}

static void join_endpoint(struct endpoints *endpoints, struct endpoint *endpoint, uint64_t now_ms)
{
	struct etcdreg_err err;
	struct etcdreg_service service = service_of(endpoint);

	endpoint->registered = false;
	endpoint->joined_ms = now_ms;
	set_error(&endpoint->error, NULL);
	set_state(endpoints, endpoint, ENDPOINT_JOINED);
	endpoint->refused = endpoints->ops.join(endpoints->ops.arg, &service, &err) < 0;
	if (endpoint->refused) {
		set_error(&endpoint->error, err.msg);
		log_warn("%s at %s port %u: not registered: %s", endpoint->name, endpoint->host,
			 endpoint->port, err.msg);
		return;
	}
	log_debug("%s at %s port %u: registering", endpoint->name, endpoint->host, endpoint->port);
}

static void leave_endpoint(struct endpoints *endpoints, struct endpoint *endpoint)
{
	struct etcdreg_err err;
	struct etcdreg_service service = service_of(endpoint);

	endpoint->registered = false;
	set_error(&endpoint->error, NULL);
	log_debug("%s at %s port %u: removing from etcd", endpoint->name, endpoint->host,
		  endpoint->port);
	if (endpoints->ops.leave(endpoints->ops.arg, &service, &err) < 0) {
		log_warn("%s at %s port %u: not removed from etcd: %s", endpoint->name,
			 endpoint->host, endpoint->port, err.msg);
		drop_endpoint(endpoints, endpoint);
		return;
	}
	set_state(endpoints, endpoint, ENDPOINT_LEAVING);
}

/* Joins the service again under a new tag, and tells the tag to its claims. */
static void rejoin_endpoint(struct endpoints *endpoints, struct model *model,
			    struct endpoint *endpoint, uint64_t now_ms)
{
	uint64_t old_tag = endpoint->tag;

	hashmap_remove(&endpoints->by_tag, &endpoint->by_tag);
	endpoint->tag = ++endpoints->last_tag;
	hashmap_add(&endpoints->by_tag, &endpoint->by_tag, endpoint->tag);
	LIST_FOR_EACH (link, &model->processes) {
		struct process *process = LIST_ENTRY(link, struct process, in_model);

		for (size_t i = 0; i < process->names.len; i++)
			if (process->claims[i].tag == old_tag)
				process->claims[i].tag = endpoint->tag;
	}
	join_endpoint(endpoints, endpoint, now_ms);
}

static bool adopt_meta(struct endpoint *endpoint)
{
	char *meta;

	if (strcmp(endpoint->meta, endpoint->meta_wanted) == 0)
		return false;
	meta = strdup(endpoint->meta_wanted);
	if (!meta)
		return false;
	free(endpoint->meta);
	endpoint->meta = meta;
	return true;
}

static void settle_wanted(struct endpoints *endpoints, struct model *model,
			  struct endpoint *endpoint, uint64_t now_ms)
{
	bool changed = adopt_meta(endpoint);

	if (endpoint->state == ENDPOINT_NEW)
		join_endpoint(endpoints, endpoint, now_ms);
	else if (changed || endpoint->state == ENDPOINT_LEAVING)
		rejoin_endpoint(endpoints, model, endpoint, now_ms);
	else
		set_state(endpoints, endpoint, ENDPOINT_JOINED);
}

/* Returns whether an endpoint without claims waits for a new socket on its port. */
static bool lingers(struct endpoints *endpoints, struct endpoint *endpoint,
		    const struct model *model, const struct sockdiag_list *kernel, uint64_t now_ms)
{
	if (endpoint->state == ENDPOINT_JOINED &&
	    model_has_newcomer(model, kernel, endpoint->port, endpoint->transport)) {
		log_debug("%s at %s port %u: kept for the new socket on that port", endpoint->name,
			  endpoint->host, endpoint->port);
		endpoint->linger_until_ms = now_ms + LINGER_MS;
		set_state(endpoints, endpoint, ENDPOINT_LINGERING);
	}
	if (endpoint->state != ENDPOINT_LINGERING || now_ms >= endpoint->linger_until_ms)
		return false;
	if (endpoints->due_ms == 0 || endpoint->linger_until_ms < endpoints->due_ms)
		endpoints->due_ms = endpoint->linger_until_ms;
	return true;
}

static void settle_endpoint(struct endpoints *endpoints, struct model *model,
			    const struct sockdiag_list *kernel, struct endpoint *endpoint,
			    uint64_t now_ms)
{
	if (endpoint->claims > 0)
		settle_wanted(endpoints, model, endpoint, now_ms);
	else if (endpoint->state != ENDPOINT_LEAVING &&
		 !lingers(endpoints, endpoint, model, kernel, now_ms))
		leave_endpoint(endpoints, endpoint);
}

void endpoints_update(struct endpoints *endpoints, struct model *model,
		      const struct sockdiag_list *kernel, uint64_t now_ms)
{
	endpoints->due_ms = 0;
	LIST_FOR_EACH (link, &endpoints->all)
		LIST_ENTRY(link, struct endpoint, in_endpoints)->claims = 0;
	LIST_FOR_EACH (link, &model->processes)
		update_claims(endpoints, LIST_ENTRY(link, struct process, in_model));
	LIST_FOR_EACH_SAFE (link, &endpoints->all)
		settle_endpoint(endpoints, model, kernel,
				LIST_ENTRY(link, struct endpoint, in_endpoints), now_ms);
}

bool endpoints_are_due(const struct endpoints *endpoints, uint64_t now_ms)
{
	return endpoints->due_ms != 0 && now_ms >= endpoints->due_ms;
}

struct endpoint *endpoints_find(const struct endpoints *endpoints, uint64_t tag)
{
	struct hash_node *node = tag ? hashmap_first(&endpoints->by_tag, tag) : NULL;

	return node ? HASH_ENTRY(node, struct endpoint, by_tag) : NULL;
}

/* Each call has another reason.  The lasting one may come second or third: log several. */
static void set_down(struct endpoints *endpoints, const char *error)
{
	if (!endpoints->down)
		endpoints->reasons = 0;
	log_line(endpoints->reasons < REASONS_TOLD ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG,
		 "%s; still trying", error);
	endpoints->reasons++;
	set_error(&endpoints->down, error);
	LIST_FOR_EACH (link, &endpoints->all) {
		struct endpoint *endpoint = LIST_ENTRY(link, struct endpoint, in_endpoints);

		if (endpoint->state == ENDPOINT_JOINED && !endpoint->registered)
			set_error(&endpoint->error, error);
	}
}

static void set_up(struct endpoints *endpoints)
{
	if (endpoints->down)
		log_warn("etcd answers again");
	set_error(&endpoints->down, NULL);
}

static void set_failed(struct endpoint *endpoint, const char *error, bool down)
{
	log_line(endpoint->error || down ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
		 "%s at %s port %u: %s; still trying", endpoint->name, endpoint->host,
		 endpoint->port, error);
	set_error(&endpoint->error, error);
}

static void set_registered(struct endpoint *endpoint, bool registered)
{
	log_info("%s at %s port %u: %s", endpoint->name, endpoint->host, endpoint->port,
		 registered ? "registered" : "missing from etcd, registering again");
	endpoint->registered = registered;
	set_error(&endpoint->error, NULL);
}

static void endpoint_event(struct endpoints *endpoints, struct endpoint *endpoint,
			   enum etcdreg_event_type type, const char *error)
{
	if (type == ETCDREG_RETRYING) {
		set_failed(endpoint, error, endpoints->down != NULL);
	} else if (type == ETCDREG_LEFT && endpoint->state == ENDPOINT_LEAVING) {
		log_info("%s at %s port %u: removed from etcd", endpoint->name, endpoint->host,
			 endpoint->port);
		drop_endpoint(endpoints, endpoint);
	} else if (endpoint->state != ENDPOINT_LEAVING && type == ETCDREG_REGISTERED) {
		set_registered(endpoint, true);
	} else if (endpoint->state != ENDPOINT_LEAVING && type == ETCDREG_LOST) {
		set_registered(endpoint, false);
	}
}

void endpoints_event(struct endpoints *endpoints, enum etcdreg_event_type type, uint64_t tag,
		     const char *error)
{
	struct endpoint *endpoint = endpoints_find(endpoints, tag);

	if (type == ETCDREG_RETRYING && tag == 0)
		set_down(endpoints, error);
	else if (type == ETCDREG_UP || type == ETCDREG_REGISTERED)
		set_up(endpoints);
	if (endpoint)
		endpoint_event(endpoints, endpoint, type, error);
}
