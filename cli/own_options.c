/* SPDX-License-Identifier: MIT */
/* The table of the options that are not settings, and the checks of their values. */
#define _GNU_SOURCE
#include "own_options.h"

#include <string.h>

#include "agent/clients/listener.h"
#include "agent/clients/owner.h"
#include "format.h"
#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/parse.h"

#define WAIT_MAX_MS 86400000
#define MODE_DIGITS_MAX 4

static int set_port(struct options *opts, const char *value, struct etcdreg_err *err)
{
	uint64_t port;

	if (!parse_uint(value, strlen(value), 1, UINT16_MAX, &port))
		return err_set(err, ETCDREG_E_CONFIG, "--port: '%s' is not 1-65535", value);
	opts->port = (unsigned)port;
	return 0;
}

static int set_wait(struct options *opts, const char *value, struct etcdreg_err *err)
{
	uint64_t ms;

	if (!parse_duration_ms(value, strlen(value), &ms) || ms > WAIT_MAX_MS)
		return err_set(err, ETCDREG_E_CONFIG,
			       "--wait: '%s' is not a time of at most one day; write 30 or 500ms",
			       value);
	opts->wait_ms = (unsigned)ms;
	return 0;
}

static int set_format(struct options *opts, const char *value, struct etcdreg_err *err)
{
	int r = format_check(value, opts->command->has_changes, err);

	opts->format = value;
	return r < 0 ? err_prefix(err, r, "--format: ") : 0;
}

static int set_socket(struct options *opts, const char *value, struct etcdreg_err *err)
{
	int r = listener_check_name(value, err);

	opts->agent.socket = value;
	return r < 0 ? err_prefix(err, r, "--socket: ") : 0;
}

static int set_listen_fd(struct options *opts, const char *value, struct etcdreg_err *err)
{
	uint64_t fd;

	if (!parse_uint(value, strlen(value), 0, INT32_MAX, &fd))
		return err_set(err, ETCDREG_E_CONFIG, "--listen-fd: '%s' is not a descriptor",
			       value);
	opts->agent.listen_fd = (int)fd;
	return 0;
}

static bool parse_mode(const char *text, mode_t *ret)
{
	mode_t mode = 0;

	if (!text[0] || strlen(text) > MODE_DIGITS_MAX || strspn(text, "01234567") != strlen(text))
		return false;
	for (; *text; text++)
		mode = mode * 8 + (mode_t)(*text - '0');
	if (mode > 0777)
		return false;
	*ret = mode;
	return true;
}

static int set_mode(struct options *opts, const char *value, struct etcdreg_err *err)
{
	if (!parse_mode(value, &opts->agent.mode))
		return err_set(err, ETCDREG_E_CONFIG, "--mode: '%s' is not an octal mode, 0-777",
			       value);
	return 0;
}

static int set_owner(struct options *opts, const char *value, struct etcdreg_err *err)
{
	int r = owner_parse(value, &opts->agent.owner, err);

	return r < 0 ? err_prefix(err, r, "--owner: ") : 0;
}

const struct own_option own_options[] = {
	{OWN_PORT, "port", NULL, "PORT", set_port, "port of the service, 1-65535"},
	{OWN_WAIT, "wait", NULL, "TIME", set_wait,
	 "wait up to this long for the service to appear"},
	{OWN_VERBOSE, "verbose", "-v", NULL, NULL, "print every field of each document"},
	{OWN_FORMAT, "format", NULL, "FORMAT", set_format,
	 "print one line of text for each service: '{host}', '{name}\\t{.MEMBER}'"},
	{OWN_JSON, "json", NULL, NULL, NULL, "print JSON, exactly as the registry holds it"},
	{OWN_SOCKET, "socket", NULL, "PATH|@NAME", set_socket,
	 "listen on this socket until SIGTERM or SIGINT; SIGHUP reopens the log file"},
	{OWN_MODE, "mode", NULL, "OCTAL", set_mode,
	 "permissions of PATH; every user who may connect may register [0660]"},
	{OWN_OWNER, "owner", NULL, "USER[:GROUP]", set_owner,
	 "owner of PATH, by name or number [the user who runs the agent]"},
	{OWN_LISTEN_FD, "listen-fd", NULL, "N", set_listen_fd,
	 "serve the listening SOCK_SEQPACKET socket N until no process needs it"},
	{OWN_HELP, "help", "-h", NULL, NULL, "print this help"},
};

const size_t own_options_len = ARRAY_LEN(own_options);
