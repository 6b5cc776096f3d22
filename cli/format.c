/* SPDX-License-Identifier: MIT */
/* --format: check a format, and print a service with it. */
#define _GNU_SOURCE
#include "format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/err.h"
#include "lib/base/json.h"
#include "terminal.h"

#define FIELDS "{name}, {hostname}, {host}, {port}, {url}, {json} or {.MEMBER}"
#define QUOTED_MAX 64

/* Literal text, or the name of a field. */
struct part {
	const char *s;
	size_t len;
	bool is_field;
};

struct subject {
	const struct etcdreg_entry *entry;
	const char *change;
};

static void put_name(const struct subject *subject)
{
	terminal_value(subject->entry->name);
}

static void put_hostname(const struct subject *subject)
{
	terminal_value(subject->entry->hostname);
}

static void put_host(const struct subject *subject)
{
	terminal_value(subject->entry->host);
}

static void put_port(const struct subject *subject)
{
	if (subject->entry->port != 0)
		printf("%u", subject->entry->port);
}

static void put_url(const struct subject *subject)
{
	terminal_value(subject->entry->url);
}

static void put_json(const struct subject *subject)
{
	terminal_json(subject->entry->json);
}

static void put_change(const struct subject *subject)
{
	terminal_value(subject->change);
}

static const struct field {
	const char *name;
	void (*put)(const struct subject *subject);
	bool of_changes;
} fields[] = {
	{"name", put_name, false},    {"hostname", put_hostname, false}, {"host", put_host, false},
	{"port", put_port, false},    {"url", put_url, false},           {"json", put_json, false},
	{"change", put_change, true},
};

static const struct field *find_field(const struct part *part)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (strlen(fields[i].name) == part->len &&
		    memcmp(fields[i].name, part->s, part->len) == 0)
			return &fields[i];
	}
	return NULL;
}

static bool is_member(const struct part *part)
{
	return part->len > 0 && part->s[0] == '.';
}

/* ".a.b", and no name between the dots is empty. */
static bool is_path(const struct part *part)
{
	return part->s[part->len - 1] != '.' && !memmem(part->s, part->len, "..", 2);
}

static struct part text_of(const char *s, size_t len)
{
	return (struct part){.s = s, .len = len};
}

/* Reads the next part of *s, which is not empty, and steps over it.  False: it is not valid. */
static bool take_part(const char **s, struct part *ret)
{
	const char *at = *s;
	const char *end;

	if (strncmp(at, "{{", 2) == 0 || strncmp(at, "}}", 2) == 0 || strncmp(at, "\\\\", 2) == 0) {
		*ret = text_of(at, 1);
		*s += 2;
	} else if (strncmp(at, "\\t", 2) == 0) {
		*ret = text_of("\t", 1);
		*s += 2;
	} else if (*at == '{') {
		end = strpbrk(at + 1, "{}");
		if (!end || *end == '{')
			return false;
		*ret = (struct part){.s = at + 1, .len = (size_t)(end - at - 1), .is_field = true};
		*s = end + 1;
	} else {
		*ret = text_of(at, strcspn(at, "{}\\\n"));
		*s += ret->len;
		return ret->len > 0;
	}
	return true;
}

static int refuse(const char *at, struct etcdreg_err *err)
{
	switch (*at) {
	case '\\':
		return err_set(err, ETCDREG_E_CONFIG,
			       "'%.2s' is not valid; use \\t for a tab, \\\\ for a backslash", at);
	case '\n':
		return err_set(err, ETCDREG_E_CONFIG, "a format must not contain a newline");
	default:
		return err_set(err, ETCDREG_E_CONFIG,
			       "unmatched brace at '%.*s'; double a brace to print it", QUOTED_MAX,
			       at);
	}
}

static int check_field(const struct part *part, bool has_changes, struct etcdreg_err *err)
{
	const struct field *field = find_field(part);

	if (is_member(part) ? is_path(part) : field && (has_changes || !field->of_changes))
		return 0;
	return err_set(err, ETCDREG_E_CONFIG, "unknown field '{%.*s}'; use %s" FIELDS,
		       part->len < QUOTED_MAX ? (int)part->len : QUOTED_MAX, part->s,
		       has_changes ? "{change}, " : "");
}

int format_check(const char *format, bool has_changes, struct etcdreg_err *err)
{
	while (*format != '\0') {
		struct part part;
		int r;

		if (!take_part(&format, &part))
			return refuse(format, err);
		r = part.is_field ? check_field(&part, has_changes, err) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static const struct json *find_member(const struct json *node, const struct part *path)
{
	CLEANUP(free) char *names = strndup(path->s + 1, path->len - 1);
	char *rest = names;

	while (rest && node)
		node = json_get(node, strsep(&rest, "."));
	return names ? node : NULL;
}

static void put_member(const struct etcdreg_entry *entry, const struct part *path)
{
	struct json *root = json_parse(entry->json, strlen(entry->json));
	const struct json *member = find_member(root, path);
	CLEANUP(free) char *value = member ? json_value(member) : NULL;

	if (value)
		terminal_value(value);
	json_free(root);
}

void format_print(const char *format, const struct etcdreg_entry *entry, const char *change)
{
	const struct subject subject = {entry, change};
	struct part part;

	while (*format != '\0' && take_part(&format, &part)) {
		if (!part.is_field)
			fwrite(part.s, 1, part.len, stdout);
		else if (is_member(&part))
			put_member(entry, &part);
		else
			find_field(&part)->put(&subject);
	}
	putchar('\n');
}
