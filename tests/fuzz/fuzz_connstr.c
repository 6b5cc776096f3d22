/* SPDX-License-Identifier: MIT */
/*
 * The connection string.  An accepted string keeps its meaning when it is written again from its
 * parts.  A refusal does not show a password: SECRET between a ':' and an '@'.
 */
#include "fuzz.h"

#include "lib/base/buf.h"
#include "lib/base/cleanup.h"
#include "lib/base/err.h"
#include "lib/config/config.h"
#include "lib/config/connstr.h"
#include "lib/net/http.h"

#define SECRET "S3CR3T"
#define TEXT_MAX 65536

static bool is_secret(const char *text)
{
	const char *at = strstr(text, SECRET);

	return at && at > text && at[-1] == ':' && !strstr(at + 1, SECRET) && strchr(at, '@');
}

static void add_hosts(struct buf *b, const struct connstr *cs)
{
	for (size_t i = 0; i < cs->hosts_len; i++) {
		const struct connstr_host *host = &cs->hosts[i];

		buf_puts(b, i > 0 ? "," : "");
		buf_printf(b, strchr(host->host, ':') ? "[%s]" : "%s", host->host);
		if (host->port != 0)
			buf_printf(b, ":%u", host->port);
	}
}

static char *write_parts(const struct connstr *cs)
{
	CLEANUP(buf) struct buf b = BUF_INIT(TEXT_MAX);

	buf_printf(&b, "%s://", cs->scheme);
	if (cs->user)
		http_escape(&b, cs->user, "");
	if (cs->password) {
		buf_puts(&b, ":");
		http_escape(&b, cs->password, "");
	}
	if (cs->user)
		buf_puts(&b, "@");
	add_hosts(&b, cs);
	buf_puts(&b, "/");
	http_escape(&b, cs->namespace, "/");
	return buf_detach(&b);
}

static bool is_same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void check_same(const struct connstr *a, const struct connstr *b)
{
	FUZZ_MUST(is_same(a->scheme, b->scheme) && is_same(a->namespace, b->namespace));
	FUZZ_MUST(is_same(a->user, b->user) && is_same(a->password, b->password));
	FUZZ_MUST(a->hosts_len == b->hosts_len);
	for (size_t i = 0; i < a->hosts_len; i++)
		FUZZ_MUST(is_same(a->hosts[i].host, b->hosts[i].host) &&
			  a->hosts[i].port == b->hosts[i].port);
}

static void check_bounds(const struct connstr *cs, const struct config *cfg)
{
	FUZZ_MUST(is_same(cs->scheme, "http") || is_same(cs->scheme, "https"));
	FUZZ_MUST(cs->hosts_len >= 1 && cs->hosts_len <= CONNSTR_HOSTS_MAX);
	for (size_t i = 0; i < cs->hosts_len; i++)
		FUZZ_MUST(cs->hosts[i].port <= UINT16_MAX && cs->hosts[i].host[0] != '\0');
	FUZZ_MUST(cs->namespace[0] != '/' && !strstr(cs->namespace, "//"));
	FUZZ_MUST(cs->user || !cs->password);
	FUZZ_MUST(cfg->ttl_s >= 3 && cfg->ttl_s <= 3600);
	FUZZ_MUST(cfg->timeout_ms >= 100 && cfg->timeout_ms <= 60000);
	FUZZ_MUST(strlen(cfg->user) <= 256 && strlen(cfg->password) <= 256);
}

static void check_round_trip(const struct connstr *cs)
{
	CLEANUP(free) char *text = write_parts(cs);
	CLEANUP(connstr) struct connstr again = {0};
	struct etcdreg_err err;

	FUZZ_MUST(text);
	FUZZ_MUST(connstr_parse(text, &again, NULL, &err) == 0);
	check_same(cs, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(free) char *text = fuzz_text(data, size);
	CLEANUP(connstr) struct connstr cs = {0};
	CLEANUP(config) struct config cfg = {0};
	struct etcdreg_err err = {0};
	int r = config_init(&cfg, &err);

	FUZZ_MUST(r == 0);
	r = connstr_parse(text, &cs, &cfg, &err);
	fuzz_check_result(r, &err);
	if (r < 0) {
		FUZZ_MUST(!is_secret(text) || !strstr(err.msg, SECRET));
		return 0;
	}
	check_bounds(&cs, &cfg);
	check_round_trip(&cs);
	return 0;
}
