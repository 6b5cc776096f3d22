/* SPDX-License-Identifier: MIT */
/* Join, leave and wait: updates of the wanted set, which the thread applies. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/net/address.h"
#include "registry_private.h"
#include "service.h"
#include "sized.h"

#define DEFAULT_PORT 2379

static const struct sized service_sized = {
	.name = "etcdreg_service",
	.init = "ETCDREG_SERVICE_INIT",
	.size = sizeof(struct etcdreg_service),
	.first_size = SIZED_END(struct etcdreg_service, tag),
};

/*
 * Chooses the hostname once, since a service must leave under the address that it joined with.  May
 * resolve the name of etcd's host, so it does not hold the lock meanwhile.
 */
static int default_hostname(struct etcdreg *reg, const char **ret, struct etcdreg_err *err)
{
	const struct connstr_host *etcd = &reg->source.connstr->hosts[0];
	char address[ADDRESS_MAX];
	bool known;

	pthread_mutex_lock(&reg->lock);
	known = reg->hostname;
	pthread_mutex_unlock(&reg->lock);
	if (!known)
		address_default(etcd->host, etcd->port ? etcd->port : DEFAULT_PORT, address);
	pthread_mutex_lock(&reg->lock);
	if (!reg->hostname)
		reg->hostname = strdup(address);
	*ret = reg->hostname;
	pthread_mutex_unlock(&reg->lock);
	return *ret ? 0 : err_nomem(err);
}

static int make_service(struct etcdreg *reg, const struct etcdreg_service *from,
			struct service *ret, struct etcdreg_err *err)
{
	struct etcdreg_service known;
	const char *hostname = NULL;
	int r = sized_copy(&service_sized, from, &known, err);

	if (r == 0 && !known.hostname)
		r = default_hostname(reg, &hostname, err);
	if (r < 0)
		return r;
	return service_init(ret, &known, hostname, reg->source.connstr->namespace, err);
}

static int add_update(struct etcdreg *reg, const struct etcdreg_service *from, bool wanted,
		      struct etcdreg_err *err)
{
	struct service service;
	struct update *update;
	int r = make_service(reg, from, &service, err);

	if (r < 0)
		return r;
	update = calloc(1, sizeof(*update));
	if (!update) {
		service_release(&service);
		return err_nomem(err);
	}
	update->service = wanted_service_new(&service, wanted);
	if (!update->service) {
		free(update);
		return err_nomem(err);
	}
	pthread_mutex_lock(&reg->lock);
	*reg->last = update;
	reg->last = &update->next;
	reg->settled = false;
	pthread_mutex_unlock(&reg->lock);
	registry_wake_thread(reg);
	return 0;
}

int etcdreg_join(struct etcdreg *reg, const struct etcdreg_service *service,
		 struct etcdreg_err *err)
{
	return add_update(reg, service, true, err);
}

int etcdreg_leave(struct etcdreg *reg, const struct etcdreg_service *service,
		  struct etcdreg_err *err)
{
	return add_update(reg, service, false, err);
}

int etcdreg_wait(struct etcdreg *reg, unsigned timeout_ms, struct etcdreg_err *err)
{
	uint64_t deadline = now_ms() + timeout_ms;
	struct etcdreg_err latest;
	bool settled;

	pthread_mutex_lock(&reg->lock);
	while (!reg->settled && registry_wait_for_progress(reg, deadline))
		continue;
	settled = reg->settled;
	latest = reg->err;
	pthread_mutex_unlock(&reg->lock);
	if (settled)
		return 0;
	if (latest.code == 0)
		return err_set(err, ETCDREG_E_TIMEOUT, "no answer from etcd within %u ms",
			       timeout_ms);
	return err_set(err, latest.code, "%s", latest.msg);
}
