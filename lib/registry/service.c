/* SPDX-License-Identifier: MIT */
/* Documents and keys of services. */
#define _GNU_SOURCE
#include "service.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/buf.h"
#include "lib/base/cleanup.h"
#include "lib/base/codec.h"
#include "lib/base/control_chars.h"
#include "lib/base/err.h"
#include "lib/base/hostname.h"
#include "lib/base/json.h"

#define PROTOCOL_MAX 32
#define TEXT_MAX 8192 /* bytes of any text that is made here */

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/*
 * Returns the length of the UTF-8 sequence at `s`.  Returns 0 if it is invalid: incomplete, longer
 * than necessary, a surrogate, or beyond U+10FFFF.
 */
static size_t utf8_len(const char *s)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t len = u[0] < 0x80   ? 1
		     : u[0] < 0xc2 ? 0
		     : u[0] < 0xe0 ? 2
		     : u[0] < 0xf0 ? 3
		     : u[0] < 0xf5 ? 4
				   : 0;

	for (size_t i = 1; i < len; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) ||
	    (u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f))
		return 0;
	return len;
}

int service_check_name(const char *name, struct etcdreg_err *err)
{
	size_t len = name ? strlen(name) : 0;

	if (len == 0)
		return err_set(err, ETCDREG_E_INVALID,
			       "the service's name is empty; give 1 to %d bytes", SERVICE_NAME_MAX);
	if (len > SERVICE_NAME_MAX)
		return err_set(err, ETCDREG_E_INVALID,
			       "the service's name '%.32s...' is longer than %d bytes", name,
			       SERVICE_NAME_MAX);
	for (const char *s = name; *s != '\0';) {
		size_t n = utf8_len(s);

		if (n == 0 || is_control(*s))
			return err_set(err, ETCDREG_E_INVALID,
				       "the service's name '%s' is not printable UTF-8", name);
		s += n;
	}
	return 0;
}

static int check_hostname(const char *hostname, struct etcdreg_err *err)
{
	size_t len = strlen(hostname);

	if (hostname_is_name(hostname, len) || hostname_family(hostname, len, NULL) == AF_INET6)
		return 0;
	return err_set(err, ETCDREG_E_INVALID, "hostname '%s' is not an address or a host name",
		       hostname);
}

static int check_protocol(const char *protocol, struct etcdreg_err *err)
{
	size_t len = strlen(protocol);

	if (len == 0 || len > PROTOCOL_MAX || !strchr(LETTERS, protocol[0]) ||
	    strspn(protocol, LETTERS DIGITS "+.-") != len)
		return err_set(err, ETCDREG_E_INVALID,
			       "protocol '%s' is not a URL scheme; use a letter, then letters, "
			       "digits, '+', '.' or '-', at most %d",
			       protocol, PROTOCOL_MAX);
	return 0;
}

static int check(const struct service *s, struct etcdreg_err *err)
{
	int r = service_check_name(s->name, err);

	if (r < 0)
		return r;
	r = check_hostname(s->hostname, err);
	if (r < 0)
		return r;
	if (s->port > UINT16_MAX)
		return err_set(err, ETCDREG_E_INVALID, "port %u is not 1-65535", s->port);
	if (s->meta && strlen(s->meta) > SERVICE_META_MAX)
		return err_set(err, ETCDREG_E_INVALID, "meta is longer than %d bytes",
			       SERVICE_META_MAX);
	return check_protocol(s->protocol, err);
}

static void add_normalised(struct buf *b, const char *name)
{
	while (*name != '\0') {
		size_t len = utf8_len(name);

		if (len == 1 && (strchr(LETTERS DIGITS "-", *name)))
			buf_add(b, name, 1);
		else
			buf_puts(b, len == 4 ? "--" : "-");
		name += len ? len : 1;
	}
}

char *service_folder(const char *namespace, const char *name)
{
	CLEANUP(buf) struct buf b = BUF_INIT(TEXT_MAX);

	buf_puts(&b, "services/");
	if (namespace[0] != '\0')
		buf_printf(&b, "%s/", namespace);
	if (name) {
		add_normalised(&b, name);
		buf_puts(&b, "/");
	}
	return buf_detach(&b);
}

static char *host_of(const struct service *s)
{
	CLEANUP(buf) struct buf b = BUF_INIT(TEXT_MAX);

	hostname_add(&b, s->hostname, s->port);
	return buf_detach(&b);
}

static char *url_of(const struct service *s)
{
	CLEANUP(buf) struct buf b = BUF_INIT(TEXT_MAX);

	buf_printf(&b, "%s://%s", s->protocol, s->host);
	return buf_detach(&b);
}

static int make_path(struct service *s, const char *namespace, struct etcdreg_err *err)
{
	CLEANUP(free) char *folder = service_folder(namespace, s->name);
	CLEANUP(buf) struct buf identity = BUF_INIT(TEXT_MAX);
	CLEANUP(buf) struct buf path = BUF_INIT(TEXT_MAX);
	char sha1[CODEC_SHA1_HEX];

	buf_printf(&identity, "%s-%s", s->name, s->url);
	if (!folder || buf_failed(&identity))
		return err_nomem(err);
	if (codec_sha1_hex(identity.s, identity.len, sha1) < 0)
		return err_set(err, ETCDREG_E_SYSTEM,
			       "cannot make the key of service '%s': libcrypto does not offer "
			       "SHA-1; check OpenSSL's configuration",
			       s->name);
	buf_printf(&path, "%s%s", folder, sha1);
	s->path = buf_detach(&path);
	return s->path ? 0 : err_nomem(err);
}

static int make_document(struct service *s, struct etcdreg_err *err)
{
	struct json_document document = {
		.name = s->name,
		.hostname = s->hostname,
		.host = s->host,
		.url = s->url,
		.port = s->port,
	};

	return json_write_document(&document, s->meta, &s->document, err);
}

/* Drops the brackets of an IPv6 address. */
static char *copy_hostname(const char *hostname)
{
	struct hostname_parts parts;

	if (hostname_split(hostname, strlen(hostname), &parts) && parts.rest_len == 0)
		return strndup(parts.host, parts.host_len);
	return strdup(hostname);
}

int service_init(struct service *ret, const struct etcdreg_service *from, const char *hostname,
		 const char *namespace, struct etcdreg_err *err)
{
	CLEANUP(service)
	struct service s = {
		.size = from->size,
		.name = strdup(from->name ? from->name : ""),
		.hostname = copy_hostname(from->hostname ? from->hostname : hostname),
		.port = from->port,
		.protocol = strdup(from->protocol ? from->protocol : "http"),
		.meta = from->meta ? strdup(from->meta) : NULL,
		.tag = from->tag,
	};
	int r;

	if (!s.name || !s.hostname || !s.protocol || (from->meta && !s.meta))
		return err_nomem(err);
	r = check(&s, err);
	if (r < 0)
		return r;
	s.host = host_of(&s);
	s.url = s.host ? url_of(&s) : NULL;
	if (!s.url)
		return err_nomem(err);
	r = make_path(&s, namespace, err);
	if (r < 0)
		return r;
	r = make_document(&s, err);
	if (r < 0)
		return r;
	*ret = STEAL(s);
	return 0;
}

void service_release(struct service *s)
{
	free(s->name);
	free(s->hostname);
	free(s->protocol);
	free(s->meta);
	free(s->host);
	free(s->url);
	free(s->path);
	free(s->document);
	*s = (struct service){0};
}

struct service_view service_view(const struct service *s)
{
	return (struct service_view){
		.service =
			{
				.size = s->size,
				.name = s->name,
				.hostname = s->hostname,
				.port = s->port,
				.protocol = s->protocol,
				.meta = s->meta,
				.tag = s->tag,
			},
	};
}
