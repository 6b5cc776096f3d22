/* SPDX-License-Identifier: MIT */
/* The nodes of a cluster: those of the connection string and those that the cluster names. */
#define _GNU_SOURCE
#include "nodes.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/cleanup.h"
#include "lib/base/hostname.h"

#define PORT_NEW 2379
#define PORT_OLD 4001
#define BASE_MAX 512

char *nodes_base(const char *scheme, const char *host, unsigned port)
{
	CLEANUP(buf) struct buf b = BUF_INIT(BASE_MAX);

	buf_printf(&b, "%s://", scheme);
	hostname_add(&b, host, port);
	return buf_detach(&b);
}

static bool has(const struct nodes *n, const char *base)
{
	for (size_t i = 0; i < n->len; i++) {
		if (strcasecmp(n->all[i].base, base) == 0)
			return true;
	}
	return false;
}

const struct node *nodes_find(const struct nodes *n, unsigned id)
{
	for (size_t i = 0; i < n->len; i++) {
		if (n->all[i].id == id)
			return &n->all[i];
	}
	return NULL;
}

/* Takes over `base`.  The caller has made room for it. */
static void append(struct nodes *n, char *base, bool fallback)
{
	struct node node = {.base = base, .fallback = fallback, .id = n->next_id};

	if (has(n, base)) {
		free(base);
		return;
	}
	n->all[n->len++] = node;
	n->next_id++;
}

static bool add_host(struct nodes *n, const char *scheme, const struct connstr_host *h)
{
	char *base = nodes_base(scheme, h->host, h->port ? h->port : PORT_NEW);

	if (!base)
		return false;
	append(n, base, false);
	if (h->port != 0)
		return true;
	base = nodes_base(scheme, h->host, PORT_OLD);
	if (base)
		append(n, base, true);
	return base;
}

bool nodes_init(struct nodes *n, const struct connstr *cs)
{
	*n = (struct nodes){.all = calloc(cs->hosts_len * 2, sizeof(*n->all))};
	if (!n->all)
		return false;
	for (size_t i = 0; i < cs->hosts_len; i++) {
		if (!add_host(n, cs->scheme, &cs->hosts[i]))
			return false;
	}
	n->configured_len = n->len;
	return true;
}

void nodes_start_at(struct nodes *n, uint32_t number)
{
	size_t hosts = 0;

	for (size_t i = 0; i < n->configured_len; i++)
		hosts += !n->all[i].fallback;
	if (hosts > 0)
		number %= (uint32_t)hosts;
	for (size_t i = 0; i < n->configured_len; i++) {
		if (!n->all[i].fallback && number-- == 0)
			n->current = i;
	}
}

void nodes_release(struct nodes *n)
{
	for (size_t i = 0; i < n->len; i++)
		free(n->all[i].base);
	free(n->all);
	*n = (struct nodes){0};
}

static bool is_among(const char *base, char *const *bases, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (strcasecmp(base, bases[i]) == 0)
			return true;
	}
	return false;
}

static void drop_others(struct nodes *n, char *const *bases, size_t len)
{
	size_t kept = n->configured_len;

	for (size_t i = kept; i < n->len; i++) {
		if (is_among(n->all[i].base, bases, len))
			n->all[kept++] = n->all[i];
		else
			free(n->all[i].base);
	}
	n->len = kept;
}

bool nodes_learn(struct nodes *n, char **bases, size_t len)
{
	struct node *all = reallocarray(n->all, n->len + len, sizeof(*all));
	const struct node *current;
	unsigned id;

	if (!all)
		return false;
	n->all = all;
	id = all[n->current].id;
	drop_others(n, bases, len);
	for (size_t i = 0; i < len; i++)
		append(n, STEAL(bases[i]), false);
	current = nodes_find(n, id);
	n->current = current ? (size_t)(current - n->all) : 0;
	return true;
}
