/* SPDX-License-Identifier: MIT */
/* Reads and writes the hosts of URLs. */
#define _GNU_SOURCE
#include "hostname.h"

#include <arpa/inet.h>
#include <string.h>

#define NAME_MAX_LEN 253 /* bytes of a DNS name */

int hostname_family(const char *s, size_t len, uint8_t ret[HOSTNAME_BYTES])
{
	char text[INET6_ADDRSTRLEN];
	uint8_t bytes[HOSTNAME_BYTES] = {0};
	int family = AF_INET;

	if (len >= sizeof(text))
		return 0;
	memcpy(text, s, len);
	text[len] = '\0';
	if (inet_pton(AF_INET, text, bytes) != 1) {
		family = AF_INET6;
		if (inet_pton(AF_INET6, text, bytes) != 1)
			return 0;
	}
	if (ret)
		memcpy(ret, bytes, sizeof(bytes));
	return family;
}

bool hostname_is_name(const char *s, size_t len)
{
	if (len == 0 || len > NAME_MAX_LEN)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = s[i];

		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') &&
		    c != '.' && c != '-' && c != '_')
			return false;
	}
	return true;
}

bool hostname_split(const char *text, size_t len, struct hostname_parts *ret)
{
	bool in_brackets = len > 0 && text[0] == '[';
	const char *host = text + in_brackets, *end = text + len;
	const char *host_end = memchr(host, in_brackets ? ']' : ':', (size_t)(end - host));
	const char *rest;

	if (!host_end && in_brackets)
		return false;
	if (!host_end)
		host_end = end;
	if (host_end == host)
		return false;
	rest = host_end + in_brackets;
	*ret = (struct hostname_parts){
		.host = host,
		.host_len = (size_t)(host_end - host),
		.rest = rest,
		.rest_len = (size_t)(end - rest),
		.in_brackets = in_brackets,
	};
	return true;
}

void hostname_add(struct buf *b, const char *hostname, unsigned port)
{
	buf_printf(b, strchr(hostname, ':') ? "[%s]" : "%s", hostname);
	if (port != 0)
		buf_printf(b, ":%u", port);
}
