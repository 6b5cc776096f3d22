/* SPDX-License-Identifier: MIT */
/* `etcd-registry leave`: remove a service, no matter who registered it. */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "lib/base/cleanup.h"
#include "lib/base/err.h"
#include "lib/base/hostname.h"
#include "lib/base/parse.h"
#include "options.h"
#include "output.h"

/* Ends the host in `text` with a NUL.  service->hostname then points into `text`. */
static int parse_host_port(char *text, struct etcdreg_service *service, struct etcdreg_err *err)
{
	struct hostname_parts parts;
	uint64_t port;

	if (!hostname_split(text, strlen(text), &parts) || parts.rest[0] != ':')
		return err_set(err, ETCDREG_E_CONFIG, "'%s' is not HOST:PORT or [IPV6]:PORT", text);
	if (!parse_uint(parts.rest + 1, parts.rest_len - 1, 1, UINT16_MAX, &port))
		return err_set(err, ETCDREG_E_CONFIG, "'%s': the port is not 1-65535", text);
	text[parts.host - text + (ptrdiff_t)parts.host_len] = '\0';
	service->hostname = parts.host;
	service->port = (unsigned)port;
	return 0;
}

static bool has_url(struct etcdreg_entry *const *entries, const char *url)
{
	for (; *entries; entries++) {
		if (strcmp((*entries)->url, url) == 0)
			return true;
	}
	return false;
}

/* Sets *ret_found if the registry has a service of that name and URL. */
static int look_for(struct etcdreg *reg, const char *name, const char *url, bool *ret_found,
		    struct etcdreg_err *err)
{
	struct etcdreg_entry **entries;
	int r;

	r = etcdreg_list(reg, name, &entries, NULL, err);
	if (r < 0)
		return r;
	*ret_found = has_url(entries, url);
	etcdreg_list_free(entries);
	return 0;
}

static int take_out(struct options *opts, const struct etcdreg_service *service, const char *url)
{
	unsigned timeout_ms = opts->config.timeout_ms;
	struct etcdreg *reg;
	struct etcdreg_err err;
	bool found;
	int r;

	r = options_open(opts, NULL, NULL, &reg, &err);
	if (r < 0)
		return output_error(&err);
	r = look_for(reg, service->name, url, &found, &err);
	/* Even if the list does not have it: the list leaves out documents that are not valid. */
	if (r == 0)
		r = etcdreg_leave(reg, service, &err);
	if (r == 0)
		r = etcdreg_wait(reg, timeout_ms, &err);
	etcdreg_close(reg, 0);
	if (r < 0)
		return output_error(&err);
	if (!found)
		return output_failure(STATUS_NOTHING, "no service '%s' at %s found", service->name,
				      url);
	return STATUS_OK;
}

int leave_command(struct options *opts)
{
	struct etcdreg_service service = ETCDREG_SERVICE_INIT;
	CLEANUP(free) char *url = NULL;
	struct etcdreg_err err;

	if (options_complete(opts, &err) < 0)
		return output_error(&err);
	service.name = opts->operands[0];
	service.protocol = opts->config.protocol;
	if (asprintf(&url, "%s://%s", service.protocol, opts->operands[1]) < 0) {
		url = NULL;
		return output_failure(STATUS_FAILED, "out of memory");
	}
	if (parse_host_port(opts->operands[1], &service, &err) < 0)
		return options_refuse(opts->command, &err);
	return take_out(opts, &service, url);
}
