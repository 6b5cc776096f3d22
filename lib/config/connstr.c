/* SPDX-License-Identifier: MIT */
/* The connection string's parser. */
#define _GNU_SOURCE
#include "connstr.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/control_chars.h"
#include "lib/base/err.h"
#include "lib/base/hostname.h"
#include "lib/base/parse.h"
#include "lib/base/span.h"

static struct span span_until(const char **at, const char *stops)
{
	struct span span = {*at, strcspn(*at, stops)};

	*at += span.len;
	return span;
}

void connstr_release(struct connstr *cs)
{
	for (size_t i = 0; i < cs->hosts_len; i++)
		free(cs->hosts[i].host);
	free(cs->hosts);
	free(cs->scheme);
	free(cs->namespace);
	secret_free(cs->user);
	secret_free(cs->password);
	*cs = (struct connstr){0};
}

/* Reads "protocol://", if *at has it.  A later host may only repeat the first one's protocol. */
static int parse_scheme(const char **at, struct connstr *cs, struct etcdreg_err *err)
{
	const char *end = strstr(*at, "://");
	struct span scheme = {*at, end ? (size_t)(end - *at) : 0};

	/* With a colon it is user and password, which no message may quote. */
	if (!end || strcspn(*at, ",/@?:") < scheme.len)
		return 0;
	if (!span_equals(scheme, "http") && !span_equals(scheme, "https"))
		return err_set(err, ETCDREG_E_CONFIG, "protocol '%.*s' is not http or https",
			       SPAN_ARGS(scheme));
	if (cs->scheme && !span_equals(scheme, cs->scheme))
		return err_set(err, ETCDREG_E_CONFIG,
			       "protocols '%s' and '%.*s' are mixed; use one for all hosts",
			       cs->scheme, SPAN_ARGS(scheme));
	if (!cs->scheme)
		cs->scheme = strndup(scheme.s, scheme.len);
	*at = end + 3;
	return cs->scheme ? 0 : err_nomem(err);
}

/* User and password end at the last '@' before the path, since a password may hold '@'. */
static int parse_userinfo(const char **at, struct connstr *cs, struct etcdreg_err *err)
{
	size_t len = strcspn(*at, "/?");
	const char *end = memrchr(*at, '@', len);
	const char *colon;

	if (strchr(*at + len, '@'))
		return err_set(err, ETCDREG_E_CONFIG,
			       "'@' after the hosts; in a password, write '/' as %%2F and '?' as "
			       "%%3F; after the hosts, write '@' as %%40");
	if (!end)
		return 0;
	if (memchr(*at, ',', (size_t)(end - *at)))
		return err_set(err, ETCDREG_E_CONFIG,
			       "',' before '@'; write user and password once, before the first "
			       "host, and ',' in them as %%2C");
	colon = memchr(*at, ':', (size_t)(end - *at));
	cs->user = parse_percent(*at, (size_t)((colon ? colon : end) - *at));
	if (colon)
		cs->password = parse_percent(colon + 1, (size_t)(end - colon) - 1);
	if (!cs->user || cs->user[0] == '\0' || (colon && !cs->password))
		return err_set(err, ETCDREG_E_CONFIG,
			       "the user before '@' is empty, or a %% escape there is wrong; write "
			       "'%%' as %%25");
	*at = end + 1;
	return 0;
}

static bool is_host(const struct hostname_parts *parts)
{
	if (parts->in_brackets)
		return hostname_family(parts->host, parts->host_len, NULL) == AF_INET6;
	return hostname_is_name(parts->host, parts->host_len);
}

static int add_host(struct connstr *cs, struct span host, unsigned port, struct etcdreg_err *err)
{
	struct connstr_host added;

	if (cs->hosts_len == CONNSTR_HOSTS_MAX)
		return err_set(err, ETCDREG_E_CONFIG, "more than %d hosts; leave some out",
			       CONNSTR_HOSTS_MAX);
	if (!ARRAY_RESERVE(cs->hosts, cs->hosts_cap, cs->hosts_len))
		return err_nomem(err);
	added = (struct connstr_host){.host = strndup(host.s, host.len), .port = port};
	if (!added.host)
		return err_nomem(err);
	cs->hosts[cs->hosts_len++] = added;
	return 0;
}

/* Quotes one character only: the rest of the text may hold a password. */
static int host_missing(char next, struct etcdreg_err *err)
{
	if (next == '\0')
		return err_set(err, ETCDREG_E_CONFIG, "a host is missing at the end");
	return err_set(err, ETCDREG_E_CONFIG, "a host is missing before '%c'", next);
}

static int parse_host(const char **at, struct connstr *cs, struct etcdreg_err *err)
{
	struct hostname_parts parts;
	struct span text, rest;
	uint64_t port = 0;
	int r;

	*at += strspn(*at, " ");
	r = parse_scheme(at, cs, err);
	if (r < 0)
		return r;
	text = span_until(at, ",/?");
	if (text.len == 0)
		return host_missing(**at, err);
	if (!hostname_split(text.s, text.len, &parts) || !is_host(&parts))
		return err_set(err, ETCDREG_E_CONFIG,
			       "'%.*s' is not a host; write a name, an IPv4 address, or an IPv6 "
			       "address in brackets",
			       SPAN_ARGS(text));
	rest = (struct span){parts.rest, parts.rest_len};
	if (rest.len > 0 &&
	    (rest.s[0] != ':' || !parse_uint(rest.s + 1, rest.len - 1, 1, UINT16_MAX, &port)))
		return err_set(err, ETCDREG_E_CONFIG, "port '%.*s' of host '%.*s' is not 1-65535",
			       (int)rest.len - (rest.s[0] == ':'), rest.s + (rest.s[0] == ':'),
			       (int)parts.host_len, parts.host);
	return add_host(cs, (struct span){parts.host, parts.host_len}, (unsigned)port, err);
}

static int parse_hosts(const char **at, struct connstr *cs, struct etcdreg_err *err)
{
	for (;;) {
		int r = parse_host(at, cs, err);

		if (r < 0)
			return r;
		/* In a list of URLs, each may end with a slash. */
		if (strncmp(*at, "/,", 2) == 0)
			++*at;
		if (**at != ',')
			return 0;
		++*at;
	}
}

static bool is_segment(struct span segment)
{
	for (size_t i = 0; i < segment.len; i++) {
		if (is_control(segment.s[i]))
			return false;
	}
	return segment.len > 0 && !span_equals(segment, ".") && !span_equals(segment, "..");
}

static int parse_namespace(const char **at, struct connstr *cs, struct etcdreg_err *err)
{
	struct span text;
	const char *segment;

	*at += strspn(*at, "/");
	text = span_until(at, "?");
	while (text.len > 0 && text.s[text.len - 1] == '/')
		text.len--;
	cs->namespace = parse_percent(text.s, text.len);
	if (!cs->namespace)
		return err_set(err, ETCDREG_E_CONFIG,
			       "namespace '%.*s' has a wrong %% escape; write '%%' as %%25",
			       SPAN_ARGS(text));
	segment = cs->namespace;
	while (text.len > 0) {
		if (!is_segment(span_until(&segment, "/")))
			return err_set(err, ETCDREG_E_CONFIG,
				       "namespace '%s' has a segment that is empty, '.', '..' "
				       "or not printable",
				       cs->namespace);
		if (*segment++ == '\0')
			break;
	}
	return 0;
}

static int set_option(struct config *cfg, struct span key, struct span text,
		      struct etcdreg_err *err)
{
	CLEANUP(free) char *value = parse_percent(text.s, text.len);
	enum config_id id = config_find_option(key.s, key.len);
	int r;

	if (span_equals(key, "refresh") || span_equals(key, "cache"))
		return 0;
	if (id == CONFIG_COUNT)
		return err_set(
			err, ETCDREG_E_CONFIG,
			"unknown option '%.*s'; etcd-registry help settings lists the options",
			SPAN_ARGS(key));
	if (!value)
		return err_set(err, ETCDREG_E_CONFIG,
			       "option '%.*s' has a wrong %% escape; write '%%' as %%25",
			       SPAN_ARGS(key));
	r = config_set_from(cfg, id, CONFIG_BY_QUERY, value, err);
	explicit_bzero(value, strlen(value));
	if (r < 0)
		return err_prefix(err, r, "option '%.*s': ", SPAN_ARGS(key));
	return 0;
}

static int parse_query(const char *at, struct config *cfg, struct etcdreg_err *err)
{
	while (*at != '\0') {
		struct span key, value = {"", 0};
		int r;

		at++;
		key = span_until(&at, "=&");
		if (*at == '=') {
			at++;
			value = span_until(&at, "&");
		}
		if (key.len == 0 && value.len == 0)
			continue;
		r = set_option(cfg, key, value, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* User and password are a pair: a password never goes with the user of another source. */
static int set_credentials(const struct connstr *cs, struct config *cfg, struct etcdreg_err *err)
{
	int r;

	if (!cs->user || cfg->source[CONFIG_user] > CONFIG_BY_QUERY)
		return 0;
	r = config_set_from(cfg, CONFIG_user, CONFIG_BY_QUERY, cs->user, err);
	if (r == 0 && cs->password)
		r = config_set_from(cfg, CONFIG_password, CONFIG_BY_QUERY, cs->password, err);
	if (r < 0)
		return err_prefix(err, r, "the user or password before '@' ");
	return 0;
}

static int parse_parts(const char *at, struct connstr *cs, struct config *cfg,
		       struct etcdreg_err *err)
{
	int r = parse_scheme(&at, cs, err);

	if (r < 0)
		return r;
	r = parse_userinfo(&at, cs, err);
	if (r < 0)
		return r;
	r = parse_hosts(&at, cs, err);
	if (r < 0)
		return r;
	r = parse_namespace(&at, cs, err);
	if (r < 0)
		return r;
	if (!cs->scheme && !(cs->scheme = strdup("http")))
		return err_nomem(err);
	r = parse_query(at, cfg, err);
	return r < 0 ? r : set_credentials(cs, cfg, err);
}

int connstr_parse(const char *text, struct connstr *ret, struct config *cfg,
		  struct etcdreg_err *err)
{
	CLEANUP(connstr) struct connstr cs = {0};
	CLEANUP(config) struct config unused = {0};
	int r;

	if (!cfg) {
		r = config_init(&unused, err);
		if (r < 0)
			return r;
		cfg = &unused;
	}
	r = parse_parts(text, &cs, cfg, err);
	if (r < 0)
		return r;
	*ret = STEAL(cs);
	return 0;
}

int connstr_load(struct connstr *ret, struct config *cfg, const char *name, struct etcdreg_err *err)
{
	int r = config_load_env(cfg, err);

	if (r < 0)
		return r;
	r = connstr_parse(cfg->url, ret, cfg, err);
	return r < 0 ? err_prefix(err, r, "%s: ", config_name(cfg, CONFIG_url, name)) : 0;
}
