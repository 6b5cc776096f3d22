/* SPDX-License-Identifier: MIT */
/* `etcd-registry join`: register a service, and hold it until a signal. */
#define _GNU_SOURCE
#include <sys/socket.h>

#include "command.h"
#include "lib/base/err.h"
#include "lib/net/address.h"
#include "options.h"
#include "output.h"
#include "signals.h"

/* Written by the handle's thread alone; main reads it after etcdreg_close(). */
struct told {
	struct etcdreg_err error; /* the latest that was printed; code 0: none */
	bool left;
};

static void tell(const struct etcdreg_event *event, void *arg)
{
	struct told *told = arg;

	switch (event->type) {
	case ETCDREG_FAILOVER:
		output_message("%s; using another node", event->err->msg);
		break;
	case ETCDREG_RETRYING:
		/* etcdreg_close() ended this attempt, and hold() reports the result. */
		if (event->err->code != ETCDREG_E_TIMEOUT)
			output_retry(event->err, &told->error);
		return;
	case ETCDREG_REGISTERED:
		output_message("'%s' is registered", event->service->name);
		break;
	case ETCDREG_LOST:
		output_message("'%s' is lost from etcd; registering it again",
			       event->service->name);
		break;
	case ETCDREG_LEFT:
		output_message("'%s' is removed", event->service->name);
		told->left = true;
		break;
	case ETCDREG_UP:
		output_message("etcd answers again");
		break;
	}
	told->error.code = 0;
}

static int hold(struct options *opts, const struct etcdreg_service *service)
{
	const unsigned timeout_ms = opts->config.exit_timeout_ms;
	const sigset_t ending = signals_block();
	struct told told = {.left = false};
	struct etcdreg *reg;
	struct etcdreg_err err;
	int r;

	r = options_open(opts, tell, &told, &reg, &err);
	if (r < 0)
		return output_error(&err);
	r = etcdreg_join(reg, service, &err);
	if (r < 0) {
		etcdreg_close(reg, 0);
		return output_error(&err);
	}
	signals_wait(&ending);
	etcdreg_close(reg, timeout_ms);
	if (told.left || timeout_ms == 0)
		return STATUS_OK;
	return output_failure(STATUS_FAILED,
			      "cannot remove '%s' within %u ms: etcd keeps it until its TTL ends",
			      service->name, timeout_ms);
}

/* Turns an interface or a network into an address.  Without a setting the library chooses one. */
static int choose_host(const char *setting, char ret[static ADDRESS_MAX], const char **ret_host,
		       struct etcdreg_err *err)
{
	const struct address_hint either_family = {.family = AF_INET6};
	int r;

	if (*setting == '\0') {
		*ret_host = NULL;
		return 0;
	}
	r = address_advertise(setting, &either_family, ret, err);
	if (r == 0)
		*ret_host = ret;
	else if (r == ETCDREG_E_NOTFOUND)
		r = err->code = ETCDREG_E_CONFIG;
	return r;
}

int join_command(struct options *opts)
{
	const struct config *cfg = &opts->config;
	struct etcdreg_service service = ETCDREG_SERVICE_INIT;
	struct etcdreg_err err;
	char host[ADDRESS_MAX];

	if (opts->port == 0) {
		err_set(&err, ETCDREG_E_CONFIG, "no port to register; give --port");
		return options_refuse(opts->command, &err);
	}
	if (options_complete(opts, &err) < 0 ||
	    choose_host(cfg->host, host, &service.hostname, &err) < 0)
		return output_error(&err);
	service.name = opts->operands[0];
	service.port = opts->port;
	service.protocol = cfg->protocol;
	service.meta = *cfg->meta != '\0' ? cfg->meta : NULL;
	return hold(opts, &service);
}
