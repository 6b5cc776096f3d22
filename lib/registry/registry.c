/* SPDX-License-Identifier: MIT */
/* Opens and closes a handle. */
#define _GNU_SOURCE
#include "registry.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "registry_private.h"
#include "settings.h"
#include "sized.h"
#include "watch.h"

static const struct sized options_sized = {
	.name = "etcdreg_options",
	.init = "ETCDREG_OPTIONS_INIT",
	.size = sizeof(struct etcdreg_options),
	.first_size = SIZED_END(struct etcdreg_options, event_arg),
};

static void free_updates(struct update *update)
{
	while (update) {
		struct update *next = update->next;

		wanted_service_free(update->service);
		free(update);
		update = next;
	}
}

static int init_locks(struct etcdreg *reg, struct etcdreg_err *err)
{
	pthread_condattr_t monotonic;
	int r = pthread_condattr_init(&monotonic);

	if (r == 0) {
		pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
		pthread_mutex_init(&reg->lock, NULL);
		pthread_cond_init(&reg->progress, &monotonic);
		pthread_condattr_destroy(&monotonic);
	}
	return r == 0 ? 0 : err_set(err, ETCDREG_E_SYSTEM, "cannot create a lock: %s", strerror(r));
}

/* An attempt on all nodes must leave time for a second one before the services expire. */
static void limit_timeout(struct etcdreg *reg)
{
	unsigned interval_ms = reg->source.config->ttl_s * 500;

	if (reg->source.config->timeout_ms > interval_ms)
		cluster_set_timeout(session_cluster(reg->session), interval_ms);
}

static int init(struct etcdreg *reg, const struct registry_options *options,
		struct etcdreg_err *err)
{
	int r = credentials_load(&reg->credentials, options->config, err);

	if (r < 0)
		return r;
	reg->source = (struct session_source){
		.connstr = options->connstr,
		.config = options->config,
		.credentials = &reg->credentials,
		.members = members_new(),
	};
	if (!reg->source.members)
		return err_nomem(err);
	r = session_source_open(&reg->source, &reg->session, err);
	if (r < 0)
		return r;
	limit_timeout(reg);
	session_keep_leases(reg->session, options->leases);
	reg->reconcile = reconcile_new(reg->session, options->on_event, options->event_arg);
	reg->queries = queries_new(&reg->source);
	reg->last = &reg->first;
	reg->settled = true;
	if (!reg->reconcile || !reg->queries)
		return err_nomem(err);
	r = init_locks(reg, err);
	return r < 0 ? r : registry_start_thread(reg, err);
}

static void release(struct etcdreg *reg)
{
	free_updates(reg->first);
	queries_free(reg->queries);
	reconcile_free(reg->reconcile);
	session_free(reg->session);
	members_free(reg->source.members);
	credentials_release(&reg->credentials);
	connstr_release(&reg->own_connstr);
	config_release(&reg->own_config);
	free(reg->hostname);
	free(reg);
}

/* Hands the handle out, or frees it if `r` is a failure.  Returns `r`. */
static int finish_open(struct etcdreg *reg, int r, struct etcdreg **ret_reg)
{
	if (r < 0)
		release(reg);
	else
		*ret_reg = reg;
	return r;
}

int registry_open(const struct registry_options *options, struct etcdreg **ret_reg,
		  struct etcdreg_err *err)
{
	struct etcdreg *reg = calloc(1, sizeof(*reg));

	if (!reg)
		return err_nomem(err);
	return finish_open(reg, init(reg, options, err), ret_reg);
}

int etcdreg_open(const struct etcdreg_options *options, struct etcdreg **ret_reg,
		 struct etcdreg_err *err)
{
	struct etcdreg_options given = ETCDREG_OPTIONS_INIT;
	struct etcdreg *reg;
	int r = options ? sized_copy(&options_sized, options, &given, err) : 0;

	if (r < 0)
		return r;
	reg = calloc(1, sizeof(*reg));
	if (!reg)
		return err_nomem(err);
	r = settings_load(&reg->own_config, &reg->own_connstr, &given, err);
	if (r == 0) {
		const struct registry_options loaded = {
			.config = &reg->own_config,
			.connstr = &reg->own_connstr,
			.on_event = given.on_event,
			.event_arg = given.event_arg,
		};

		r = init(reg, &loaded, err);
	}
	return finish_open(reg, r, ret_reg);
}

int etcdreg_lookup(struct etcdreg *reg, const char *name, struct etcdreg_entry **ret_entry,
		   struct etcdreg_err *err)
{
	return queries_lookup(reg->queries, name, ret_entry, err);
}

int etcdreg_list(struct etcdreg *reg, const char *name, struct etcdreg_entry ***ret_entries,
		 size_t *ret_len, struct etcdreg_err *err)
{
	return queries_list(reg->queries, name, ret_entries, ret_len, err);
}

int etcdreg_watch(struct etcdreg *reg, const char *name, struct etcdreg_watch **ret_watch,
		  struct etcdreg_err *err)
{
	return watch_new(&reg->source, name, ret_watch, err);
}

void etcdreg_close(struct etcdreg *reg, unsigned timeout_ms)
{
	if (!reg)
		return;
	registry_stop_thread(reg, timeout_ms);
	pthread_cond_destroy(&reg->progress);
	pthread_mutex_destroy(&reg->lock);
	release(reg);
}
