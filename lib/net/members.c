/* SPDX-License-Identifier: MIT */
/* The members of the cluster, as its nodes list them. */
#define _GNU_SOURCE
#include "members.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/config/connstr.h"
#include "nodes.h"

#define REFRESH_MS 30000
#define RETRY_MS 5000

struct members {
	pthread_mutex_t lock; /* protects all below */
	uint64_t due_ms;
	unsigned version; /* counts the lists */
	struct member_list list;
};

void member_list_release(struct member_list *list)
{
	while (list->len > 0)
		free(list->bases[--list->len]);
}

/* Accepts one protocol, host and port, and nothing else. */
static bool parse_url(const char *url, struct connstr *ret)
{
	if (!strstr(url, "://") || strpbrk(url, "@?,") || connstr_parse(url, ret, NULL, NULL) < 0)
		return false;
	return ret->hosts[0].port != 0 && ret->namespace[0] == '\0';
}

static int add_url(struct member_list *list, const char *url, struct etcdreg_err *err)
{
	CLEANUP(connstr) struct connstr cs = {0};
	char *base;

	if (!url || list->len == MEMBERS_MAX || !parse_url(url, &cs))
		return 0;
	base = nodes_base(cs.scheme, cs.hosts[0].host, cs.hosts[0].port);
	if (!base)
		return err_nomem(err);
	list->bases[list->len++] = base;
	return 0;
}

int members_read(const struct json *answer, void *arg, struct etcdreg_err *err)
{
	const struct json *member = json_first(json_get(answer, "members"));
	struct member_list *list = arg;

	member_list_release(list);
	if (!member)
		return err_set(err, ETCDREG_E_PROTO, "the answer lists no 'members'");
	for (; member; member = json_next(member)) {
		const struct json *url = json_first(json_get(member, "clientURLs"));

		if (json_is_true(json_get(member, "isLearner")))
			continue;
		for (; url; url = json_next(url)) {
			int r = add_url(list, json_text(url), err);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

struct members *members_new(void)
{
	struct members *m = calloc(1, sizeof(*m));

	if (m)
		pthread_mutex_init(&m->lock, NULL);
	return m;
}

void members_free(struct members *m)
{
	if (!m)
		return;
	member_list_release(&m->list);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

uint64_t members_due_ms(struct members *m)
{
	uint64_t due;

	pthread_mutex_lock(&m->lock);
	due = m->due_ms;
	pthread_mutex_unlock(&m->lock);
	return due;
}

bool members_claim(struct members *m)
{
	uint64_t now = now_ms();
	bool is_due;

	pthread_mutex_lock(&m->lock);
	is_due = m->due_ms <= now;
	if (is_due)
		m->due_ms = now + REFRESH_MS;
	pthread_mutex_unlock(&m->lock);
	return is_due;
}

void members_retry(struct members *m)
{
	pthread_mutex_lock(&m->lock);
	m->due_ms = now_ms() + RETRY_MS;
	pthread_mutex_unlock(&m->lock);
}

static bool is_loopback(const char *base)
{
	CLEANUP(connstr) struct connstr cs = {0};

	return parse_url(base, &cs) && address_is_loopback(cs.hosts[0].host);
}

static bool is_https(const char *base)
{
	return strncmp(base, "https:", 6) == 0;
}

/* Returns whether a client that reaches `node` may use `base`. */
static bool is_admissible(const char *base, const char *node)
{
	return (is_https(base) || !is_https(node)) && (!is_loopback(base) || is_loopback(node));
}

static void admit(struct member_list *list, const char *node)
{
	size_t len = 0;

	for (size_t i = 0; i < list->len; i++) {
		if (is_admissible(list->bases[i], node))
			list->bases[len++] = list->bases[i];
		else
			free(list->bases[i]);
	}
	list->len = len;
}

void members_publish(struct members *m, const char *node, struct member_list *list)
{
	admit(list, node);
	pthread_mutex_lock(&m->lock);
	member_list_release(&m->list);
	m->list = STEAL(*list);
	m->version++;
	pthread_mutex_unlock(&m->lock);
}

static bool copy(const struct member_list *from, struct member_list *ret)
{
	for (size_t i = 0; i < from->len; i++) {
		ret->bases[i] = strdup(from->bases[i]);
		if (!ret->bases[i])
			return false;
		ret->len++;
	}
	return true;
}

bool members_take(struct members *m, unsigned *version, struct member_list *ret)
{
	struct member_list list = {0};
	bool is_new;

	pthread_mutex_lock(&m->lock);
	is_new = m->version != *version && copy(&m->list, &list);
	if (is_new)
		*version = m->version;
	pthread_mutex_unlock(&m->lock);
	if (is_new)
		*ret = list;
	else
		member_list_release(&list);
	return is_new;
}
