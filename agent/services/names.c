/* SPDX-License-Identifier: MIT */
/* The grammar of ETCD_REGISTRY_NAME. */
#include "names.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/control_chars.h"
#include "lib/base/err.h"
#include "lib/base/parse.h"
#include "lib/base/span.h"

enum { NAME_MAX_LEN = 255 };

static struct span span_trim(struct span span)
{
	while (span.len > 0 && (span.s[0] == ' ' || span.s[0] == '\t')) {
		span.s++;
		span.len--;
	}
	while (span.len > 0 && (span.s[span.len - 1] == ' ' || span.s[span.len - 1] == '\t'))
		span.len--;
	return span;
}

/*
 * Splits at the first `c`: returns what is before it, leaves in *rest what is after it (s == NULL:
 * no `c`).
 */
static struct span span_split(struct span span, char c, struct span *rest)
{
	const char *at = memchr(span.s, c, span.len);

	*rest = (struct span){0};
	if (!at)
		return span;
	*rest = (struct span){at + 1, (size_t)(span.s + span.len - at - 1)};
	return (struct span){span.s, (size_t)(at - span.s)};
}

static int check_name(struct span name, struct span item, struct etcdreg_err *err)
{
	if (name.len == 0)
		return err_set(err, ETCDREG_E_CONFIG, "'%.*s': the name before ':' is missing",
			       SPAN_ARGS(item));
	if (name.len > NAME_MAX_LEN)
		return err_set(err, ETCDREG_E_CONFIG, "'%.40s...': a name has at most %d bytes",
			       name.s, NAME_MAX_LEN);
	for (size_t i = 0; i < name.len; i++) {
		char c = name.s[i];

		if (is_control(c))
			return err_set(err, ETCDREG_E_CONFIG,
				       "'%.*s': a name must not contain control characters",
				       SPAN_ARGS(name));
		if (c == '/')
			return err_set(err, ETCDREG_E_CONFIG,
				       "'%.*s': a name must not contain '/'; for UDP "
				       "write NAME:PORT/udp",
				       SPAN_ARGS(name));
	}
	return 0;
}

static int parse_port(struct span text, struct span item, struct name_item *ret,
		      struct etcdreg_err *err)
{
	struct span transport;
	struct span port = span_split(text, '/', &transport);
	uint64_t number;

	if (!parse_uint(port.s, port.len, 1, 65535, &number))
		return err_set(err, ETCDREG_E_CONFIG, "'%.*s': port '%.*s' is not 1-65535",
			       SPAN_ARGS(item), SPAN_ARGS(port));
	if (!transport.s || span_equals(transport, "tcp"))
		ret->protocol = IPPROTO_TCP;
	else if (span_equals(transport, "udp"))
		ret->protocol = IPPROTO_UDP;
	else
		return err_set(err, ETCDREG_E_CONFIG, "'%.*s': '/%.*s' is neither /tcp nor /udp",
			       SPAN_ARGS(item), SPAN_ARGS(transport));
	ret->port = (uint16_t)number;
	return 0;
}

static int parse_item(struct span item, struct name_item *ret, struct etcdreg_err *err)
{
	struct span port;
	struct span name = span_split(item, ':', &port);
	int r;

	if (item.len == 0)
		return err_set(err, ETCDREG_E_CONFIG,
			       "an item is empty: write NAME or NAME:PORT between commas");
	r = check_name(name, item, err);
	if (r < 0)
		return r;
	*ret = (struct name_item){.protocol = IPPROTO_TCP};
	if (port.s) {
		r = parse_port(port, item, ret, err);
		if (r < 0)
			return r;
	}
	ret->name = strndup(name.s, name.len);
	if (!ret->name)
		return err_nomem(err);
	return 0;
}

static int check_unique(const struct names *names, struct etcdreg_err *err)
{
	const struct name_item *last = &names->items[names->len - 1];

	for (const struct name_item *item = names->items; item < last; item++) {
		if (item->port == 0 && last->port == 0)
			return err_set(err, ETCDREG_E_CONFIG,
				       "'%s': only one name may have no port, and '%s' has none; "
				       "write %s:PORT",
				       last->name, item->name, last->name);
		if (item->port == last->port && item->protocol == last->protocol &&
		    strcmp(item->name, last->name) == 0)
			return err_set(err, ETCDREG_E_CONFIG, "'%s:%u' is listed twice; remove one",
				       last->name, last->port);
	}
	return 0;
}

static size_t count_items(const char *text)
{
	size_t len = 1;

	for (; *text; text++)
		len += *text == ',';
	return len;
}

int names_parse(const char *text, struct names *ret, struct etcdreg_err *err)
{
	CLEANUP(names) struct names names = {0};
	struct span rest = {text, strlen(text)};

	names.items = calloc(count_items(text), sizeof(*names.items));
	if (!names.items)
		return err_nomem(err);
	while (rest.s) {
		struct span item = span_trim(span_split(rest, ',', &rest));
		int r = parse_item(item, &names.items[names.len], err);

		if (r < 0)
			return r;
		names.len++;
		r = check_unique(&names, err);
		if (r < 0)
			return r;
	}
	*ret = STEAL(names);
	return 0;
}

void names_release(struct names *names)
{
	for (size_t i = 0; i < names->len; i++)
		free(names->items[i].name);
	free(names->items);
	*names = (struct names){0};
}

bool names_item_matches(const struct name_item *item, uint16_t port, uint16_t protocol)
{
	bool udp = protocol == IPPROTO_UDP;

	return item->port != 0 && item->port == port && udp == (item->protocol == IPPROTO_UDP);
}

bool names_claim(const struct names *names, uint16_t port, uint16_t protocol)
{
	for (size_t i = 0; i < names->len; i++)
		if (names_item_matches(&names->items[i], port, protocol))
			return true;
	return false;
}
