/* SPDX-License-Identifier: MIT */
/*
 * fuzz_store.h - a store whose etcd is the fuzzer, for either API.  Include it once.
 *
 * The first record of the input (fake_http.h) contains the steps, a letter each: see do_step().  A
 * 'u' at its start adds a user.  If the API needs it, the first answer is that of /version.
 */
#ifndef ETCDREG_TESTS_FUZZ_FUZZ_STORE_H
#define ETCDREG_TESTS_FUZZ_FUZZ_STORE_H

#include "fake_http.h"

#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/registry/entry.h"
#include "lib/registry/service.h"
#include "lib/registry/watch.h"
#include "lib/store/session.h"

#define STEPS_MAX 24
#define CHANGES_MAX 64
#define FOLDER "services/ns/web/"

struct script {
	struct connstr connstr;
	struct config config;
	struct credentials credentials;
	struct session *session;
	struct store *store;
	struct store_key keys[2];
	struct store_follow follow;
	struct etcdreg_watch *watch;
	long known;    /* services that the watch has reported */
	bool complete; /* it has reported a change since it began */
};

static void drop_keys(struct script *s)
{
	static const char *const paths[] = {FOLDER "a", FOLDER "b"};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		s->keys[i] = (struct store_key){.path = paths[i], .document = "{\"name\":\"web\"}"};
	s->keys[0].next = &s->keys[1];
}

static void stop_following(struct script *s)
{
	cluster_stream_close(s->follow.stream);
	s->follow.stream = NULL;
}

static void check_entry(const struct etcdreg_entry *e)
{
	FUZZ_MUST(e->port <= UINT16_MAX && strcmp(e->name, "web") == 0);
	for (const char *c = e->json; *c != '\0'; c++)
		FUZZ_MUST((unsigned char)*c >= 0x20);
}

static int take_document(const char *path, const char *text, void *arg, struct etcdreg_err *err)
{
	struct etcdreg_entry entry;

	(void)arg;
	(void)err;
	if (entry_is_of(FOLDER, "web", path))
		FUZZ_MUST(strncmp(path, FOLDER, strlen(FOLDER)) == 0);
	if (entry_read(text, "web", &entry) == ENTRY_READ)
		check_entry(&entry);
	entry_release(&entry);
	return 0;
}

static int take_change(const struct store_change *change, void *arg, struct etcdreg_err *err)
{
	return change->document ? take_document(change->path, change->document, arg, err) : 0;
}

static int ask_members(struct script *s, struct etcdreg_err *err)
{
	CLEANUP(member_list) struct member_list list = {0};
	int r = s->store->ops->members(s->store, &list, err);

	FUZZ_MUST(list.len <= MEMBERS_MAX);
	for (size_t i = 0; i < list.len; i++) {
		CLEANUP(connstr) struct connstr cs = {0};

		FUZZ_MUST(connstr_parse(list.bases[i], &cs, NULL, NULL) == 0);
		FUZZ_MUST(cs.hosts_len == 1 && cs.hosts[0].port != 0 && !cs.user);
	}
	return r;
}

static int follow(struct script *s, struct etcdreg_err *err)
{
	const struct store_ops *ops = s->store->ops;
	int r;

	if (!s->follow.stream)
		return ops->follow(s->store, FOLDER, &s->follow, err);
	cluster_wait(session_cluster(s->session), 0);
	r = ops->read_follow(s->store, &s->follow, take_change, NULL, err);
	if (r < 0)
		stop_following(s);
	return r;
}

/* Checks that each change is possible after the earlier ones. */
static void check_change(struct script *s, const struct etcdreg_change *change)
{
	check_entry(change->entry);
	FUZZ_MUST(change->type != ETCDREG_FOUND || !s->complete);
	s->complete |= change->type == ETCDREG_ADDED;
	s->known += change->type == ETCDREG_FOUND || change->type == ETCDREG_ADDED;
	FUZZ_MUST(s->known > 0);
	s->known -= change->type == ETCDREG_REMOVED;
}

static int watch_next(struct script *s, struct etcdreg_err *err)
{
	const struct session_source source = {
		.connstr = &s->connstr,
		.config = &s->config,
		.credentials = &s->credentials,
	};
	const struct etcdreg_change *change;
	int r = 0;

	if (!s->watch)
		r = watch_new(&source, "web", &s->watch, err);
	for (size_t i = 0; i < CHANGES_MAX && r == 0; i++) {
		r = etcdreg_watch_next(s->watch, 0, &change, err);
		if (r == 0)
			check_change(s, change);
	}
	return r;
}

static int list(struct script *s, struct etcdreg_err *err)
{
	int64_t revision;
	const struct store_query query = {
		.folder = FOLDER,
		.each = take_document,
		.ret_revision = &revision,
	};

	return s->store->ops->list(s->store, &query, err);
}

static int tend_watch(struct script *s)
{
	if (s->store->ops->watch)
		(void)s->store->ops->watch(s->store, s->keys);
	return 0;
}

static int notice(struct script *s)
{
	cluster_wait(session_cluster(s->session), 0);
	if (s->store->ops->notice)
		s->store->ops->notice(s->store, s->keys);
	return 0;
}

static int do_step(struct script *s, char step, struct etcdreg_err *err)
{
	const struct store_ops *ops = s->store->ops;

	switch (step) {
	case 'p':
		return ops->put(s->store, &s->keys[0], err);
	case 'P':
		return ops->put(s->store, &s->keys[1], err);
	case 'r':
		return ops->remove(s->store, &s->keys[0], err);
	case 'R':
		return ops->remove_all(s->store, s->keys, err);
	case 'h':
		return ops->heartbeat(s->store, s->keys, err);
	case 'l':
		return list(s, err);
	case 'v':
		return ops->check(s->store, FOLDER, &s->follow, err);
	case 'm':
		return ask_members(s, err);
	case 'f':
		return follow(s, err);
	case 'w':
		return tend_watch(s);
	case 'n':
		return notice(s);
	case 'W':
		return watch_next(s, err);
	default:
		return 0;
	}
}

static void run_step(struct script *s, char step)
{
	struct etcdreg_err err = {0};
	bool is_new = false;
	int r = session_store(s->session, &s->store, &is_new, &err);

	if (r == 0 && is_new) {
		stop_following(s);
		drop_keys(s);
	}
	if (r == 0)
		r = do_step(s, step, &err);
	fuzz_check_result(r, &err);
}

static void script_release(struct script *s)
{
	etcdreg_watch_close(s->watch);
	stop_following(s);
	session_free(s->session);
	config_release(&s->config);
	connstr_release(&s->connstr);
	FUZZ_MUST(!fake.streams);
}

/* `api` is part of the connection string. */
static void run_script(const char *api, const uint8_t *data, size_t size)
{
	static char user[] = "bob", password[] = "hunter2";
	char text[64];
	size_t len;
	const char *steps = fake_begin(data, size, &len);
	CLEANUP(script) struct script s = {0};

	(void)snprintf(text, sizeof(text), "http://a:1,b:2/ns?api=%s", api);
	FUZZ_MUST(config_init(&s.config, NULL) == 0);
	FUZZ_MUST(connstr_parse(text, &s.connstr, &s.config, NULL) == 0);
	if (len > 0 && steps[0] == 'u')
		s.credentials = (struct credentials){user, password};
	FUZZ_MUST(session_new(&s.connstr, &s.config, &s.credentials, &s.session, NULL) == 0);
	for (size_t i = 0; i < len && i < STEPS_MAX; i++)
		run_step(&s, steps[i]);
}

#endif
