/* SPDX-License-Identifier: MIT */
/* The handle: its options, its thread, and join, leave, wait and close. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/config/config.h"
#include "lib/config/connstr.h"
#include "lib/config/credentials.h"
#include "lib/net/address.h"
#include "queries.h"
#include "reconcile.h"
#include "registry.h"
#include "service.h"
#include "session_source.h"
#include "sized.h"
#include "wanted.h"
#include "watch.h"

#define PORT_NEW 2379

static const struct sized options_sized = {
	.name = "etcdreg_options",
	.init = "ETCDREG_OPTIONS_INIT",
	.size = sizeof(struct etcdreg_options),
	.first_size = SIZED_END(struct etcdreg_options, event_arg),
};

static const struct sized service_sized = {
	.name = "etcdreg_service",
	.init = "ETCDREG_SERVICE_INIT",
	.size = sizeof(struct etcdreg_service),
	.first_size = SIZED_END(struct etcdreg_service, tag),
};

/* A join or leave on its way to the thread. */
struct change {
	struct change *next;
	struct wanted_service *entry;
};

struct etcdreg {
	/* Constant once it is open. */
	struct session_source source; /* of the thread, the queries and the watches */
	struct config own_config;     /* what etcdreg_open() loads; zero after registry_open() */
	struct connstr own_connstr;   /* the same */
	struct credentials credentials;
	struct queries *queries;
	pthread_t thread;

	/* The thread's own; `session` is interrupted by etcdreg_close() too. */
	struct session *session;
	struct reconcile *reconcile;

	/* Protected by `lock`, which is never held during I/O or a callback. */
	pthread_mutex_t lock;
	pthread_cond_t progress; /* for those who wait for the thread */
	struct change *first;
	struct change **last;
	bool settled;           /* nothing is left to do, as of the latest step */
	struct etcdreg_err err; /* of the latest attempt that failed; code 0: none */
	bool closing;
	bool abandoned; /* stop at once, whatever is left */
	bool stopped;
	char *hostname; /* of services without one; NULL: not needed so far */
};

/* `deadline` is a time of now_ms(); UINT64_MAX: no end.  False: it has passed. */
static bool wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t deadline)
{
	struct timespec ts = {
		.tv_sec = (time_t)(deadline / 1000),
		.tv_nsec = (long)(deadline % 1000) * 1000000,
	};

	if (deadline == UINT64_MAX)
		return pthread_cond_wait(cond, lock) == 0;
	return pthread_cond_timedwait(cond, lock, &ts) == 0;
}

static void free_changes(struct change *change)
{
	while (change) {
		struct change *next = change->next;

		wanted_service_free(change->entry);
		free(change);
		change = next;
	}
}

static void apply_changes(struct etcdreg *reg, struct change *change)
{
	while (change) {
		struct change *next = change->next;

		reconcile_apply(reg->reconcile, change->entry);
		free(change);
		change = next;
	}
}

static struct change *take_changes(struct etcdreg *reg)
{
	struct change *changes = reg->first;

	reg->first = NULL;
	reg->last = &reg->first;
	return changes;
}

/* With the lock held: what the step has come to. */
static void publish(struct etcdreg *reg)
{
	reg->settled = !reg->first && reconcile_is_settled(reg->reconcile);
	reg->err = *reconcile_error(reg->reconcile);
	pthread_cond_broadcast(&reg->progress);
}

static bool is_finished(const struct etcdreg *reg)
{
	return reg->abandoned ||
	       (reg->closing && !reg->first && reconcile_is_empty(reg->reconcile));
}

/*
 * Until a change or a closing has been announced with wake(), or the watch has something to tell.
 */
static void rest_until(struct etcdreg *reg, uint64_t next)
{
	uint64_t now = now_ms();

	if (next > now)
		cluster_wait(session_cluster(reg->session), next - now);
}

static void wake(struct etcdreg *reg)
{
	cluster_wake(session_cluster(reg->session));
}

/* With the lock held, which it gives back while it works. */
static void work(struct etcdreg *reg)
{
	bool leaving = false;

	while (!is_finished(reg)) {
		struct change *changes = take_changes(reg);
		bool closing = reg->closing;
		uint64_t next;

		pthread_mutex_unlock(&reg->lock);
		apply_changes(reg, changes);
		if (closing && !leaving)
			reconcile_leave_all(reg->reconcile);
		leaving = closing;
		next = reconcile_step(reg->reconcile);
		pthread_mutex_lock(&reg->lock);
		publish(reg);
		if (reg->first || reg->closing != leaving || is_finished(reg))
			continue;
		pthread_mutex_unlock(&reg->lock);
		rest_until(reg, next);
		pthread_mutex_lock(&reg->lock);
	}
}

static void *run(void *arg)
{
	struct etcdreg *reg = arg;

	pthread_mutex_lock(&reg->lock);
	work(reg);
	reg->stopped = true;
	pthread_cond_broadcast(&reg->progress);
	pthread_mutex_unlock(&reg->lock);
	return NULL;
}

static int start_thread(struct etcdreg *reg, struct etcdreg_err *err)
{
	sigset_t all, old;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&reg->thread, NULL, run, reg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r != 0)
		return err_set(err, ETCDREG_E_SYSTEM, "no thread can be started: %s", strerror(r));
	pthread_setname_np(reg->thread, "etcd-registry");
	return 0;
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
	return r == 0 ? 0 : err_set(err, ETCDREG_E_SYSTEM, "no lock can be had: %s", strerror(r));
}

static int set_option(struct config *cfg, enum config_id id, const char *value,
		      struct etcdreg_err *err)
{
	const struct config_row *row = &config_rows[id];
	int r = value ? config_set(cfg, id, value, err) : 0;

	if (r < 0)
		return err_prefix(err, r, "%s: ", row->option ? row->option : row->env);
	return 0;
}

static int set_number(struct config *cfg, enum config_id id, unsigned value, const char *unit,
		      struct etcdreg_err *err)
{
	char text[16];

	if (value == 0)
		return 0;
	snprintf(text, sizeof(text), "%u%s", value, unit);
	return set_option(cfg, id, text, err);
}

static int set_options(struct config *cfg, const struct etcdreg_options *options,
		       struct etcdreg_err *err)
{
	const struct {
		enum config_id id;
		const char *value;
	} texts[] = {
		{CONFIG_url, options->url},
		{CONFIG_api, options->api},
		{CONFIG_spread, options->spread},
		{CONFIG_cacert, options->cacert},
		{CONFIG_cert, options->cert},
		{CONFIG_key, options->key},
		{CONFIG_user, options->user},
		{CONFIG_password, options->password},
		{CONFIG_password_file, options->password_file},
	};
	int r;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		r = set_option(cfg, texts[i].id, texts[i].value, err);
		if (r < 0)
			return r;
	}
	r = set_number(cfg, CONFIG_ttl_s, options->ttl_s, "", err);
	return r < 0 ? r : set_number(cfg, CONFIG_timeout_ms, options->timeout_ms, "ms", err);
}

static int load_settings(struct config *cfg, struct connstr *cs,
			 const struct etcdreg_options *options, struct etcdreg_err *err)
{
	int r = config_init(cfg, err);

	if (r < 0)
		return r;
	r = set_options(cfg, options, err);
	if (r < 0)
		return r;
	r = config_load_env(cfg, err);
	if (r < 0)
		return r;
	r = connstr_parse(cfg->url, cs, cfg, err);
	return r < 0 ? err_prefix(err, r, "connection string: ") : 0;
}

/* One attempt over all nodes must leave time for another before the services expire. */
static void limit_timeout(struct etcdreg *reg)
{
	unsigned interval_ms = reg->source.config->ttl_s * 500;

	if (reg->source.config->timeout_ms > interval_ms)
		cluster_set_timeout(session_cluster(reg->session), interval_ms);
}

static int init(struct etcdreg *reg, const struct registry_options *options,
		struct etcdreg_err *err)
{
	int r;

	r = credentials_load(&reg->credentials, options->config, err);
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
	return r < 0 ? r : start_thread(reg, err);
}

static void release(struct etcdreg *reg)
{
	free_changes(reg->first);
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

/* The handle, or after a failure nothing of it. */
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
	r = load_settings(&reg->own_config, &reg->own_connstr, &given, err);
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

/* Chosen once, outside of the lock: a service must leave under the address that it joined with. */
static int default_hostname(struct etcdreg *reg, const char **ret, struct etcdreg_err *err)
{
	const struct connstr_host *etcd = &reg->source.connstr->hosts[0];
	char address[ADDRESS_MAX];
	bool known;

	pthread_mutex_lock(&reg->lock);
	known = reg->hostname;
	pthread_mutex_unlock(&reg->lock);
	if (!known)
		address_default(etcd->host, etcd->port ? etcd->port : PORT_NEW, address);
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

static int want(struct etcdreg *reg, const struct etcdreg_service *from, bool wanted,
		struct etcdreg_err *err)
{
	struct service service;
	struct change *change;
	int r = make_service(reg, from, &service, err);

	if (r < 0)
		return r;
	change = calloc(1, sizeof(*change));
	if (!change) {
		service_release(&service);
		return err_nomem(err);
	}
	change->entry = wanted_service_new(&service, wanted);
	if (!change->entry) {
		free(change);
		return err_nomem(err);
	}
	pthread_mutex_lock(&reg->lock);
	*reg->last = change;
	reg->last = &change->next;
	reg->settled = false;
	pthread_mutex_unlock(&reg->lock);
	wake(reg);
	return 0;
}

int etcdreg_join(struct etcdreg *reg, const struct etcdreg_service *service,
		 struct etcdreg_err *err)
{
	return want(reg, service, true, err);
}

int etcdreg_leave(struct etcdreg *reg, const struct etcdreg_service *service,
		  struct etcdreg_err *err)
{
	return want(reg, service, false, err);
}

int etcdreg_wait(struct etcdreg *reg, unsigned timeout_ms, struct etcdreg_err *err)
{
	uint64_t deadline = now_ms() + timeout_ms;
	struct etcdreg_err latest;
	bool settled;

	pthread_mutex_lock(&reg->lock);
	while (!reg->settled && wait_until(&reg->progress, &reg->lock, deadline))
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
	uint64_t deadline = now_ms() + timeout_ms;

	if (!reg)
		return;
	pthread_mutex_lock(&reg->lock);
	reg->closing = true;
	reg->abandoned = timeout_ms == 0;
	wake(reg);
	while (!reg->stopped && !reg->abandoned && wait_until(&reg->progress, &reg->lock, deadline))
		continue;
	reg->abandoned = true;
	pthread_mutex_unlock(&reg->lock);
	cluster_interrupt(session_cluster(reg->session));
	pthread_join(reg->thread, NULL);
	pthread_cond_destroy(&reg->progress);
	pthread_mutex_destroy(&reg->lock);
	release(reg);
}
