/* SPDX-License-Identifier: MIT */
/* Tests of agent/services/snapshot.c. */
#include "test.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "agent/services/snapshot.h"
#include "lib/base/cleanup.h"

enum { SNAPSHOT_MAX = 1 << 20 };

/* The knowledge of one worker.  It records joins and leaves. */
struct agent {
	struct model model;
	struct endpoints endpoints;
	char asked[512];
};

static void note(struct agent *agent, const char *verb, const struct etcdreg_service *s)
{
	size_t len = strlen(agent->asked);

	(void)snprintf(agent->asked + len, sizeof(agent->asked) - len, "%s %s %s:%u%s;", verb,
		       s->name, s->hostname, s->port, s->meta ? s->meta : "");
}

static int join(void *arg, const struct etcdreg_service *service, struct etcdreg_err *err)
{
	(void)err;
	note(arg, "join", service);
	return 0;
}

static int leave(void *arg, const struct etcdreg_service *service, struct etcdreg_err *err)
{
	(void)err;
	note(arg, "leave", service);
	return 0;
}

static struct agent *agent_new(void)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	const struct endpoints_ops ops = {.join = join, .leave = leave, .arg = agent};

	assert_non_null(agent);
	assert_int_equal(model_init(&agent->model), 0);
	assert_int_equal(endpoints_init(&agent->endpoints, &ops), 0);
	return agent;
}

static void agent_free(struct agent *agent)
{
	endpoints_release(&agent->endpoints);
	model_release(&agent->model);
	free(agent);
}

static void agent_release(struct agent **agent)
{
	agent_free(*agent);
}

static void decide(struct agent *agent)
{
	agent->asked[0] = '\0';
	model_judge(&agent->model, 1000);
	endpoints_update(&agent->endpoints, &agent->model, &(struct sockdiag_list){0}, 1000);
}

static struct process *start(struct agent *agent, uint64_t id, const char *text, const char *meta)
{
	struct process *process = model_add_process(&agent->model, id, 1000);
	struct names names;

	assert_non_null(process);
	process->pid = (pid_t)id;
	assert_int_equal(names_parse(text, &names, NULL), 0);
	assert_int_equal(process_configure(process, &names, "", "http", meta), 0);
	return process;
}

static struct sock *listen_on(struct agent *agent, struct process *process, uint64_t inode,
			      uint16_t port)
{
	const struct wire_socket id = {.cookie = inode + 1000,
				       .inode = inode,
				       .port = port,
				       .family = AF_INET,
				       .protocol = IPPROTO_TCP};
	struct holding *holding;

	assert_int_equal(model_hold(&agent->model, process, &id, true, &holding), 0);
	holding->host = strdup("10.0.0.1");
	holding->sock->listed = true;
	holding->sock->surveyed = true;
	return holding->sock;
}

static struct buf save(const struct agent *agent)
{
	struct buf buf = BUF_INIT(SNAPSHOT_MAX);

	snapshot_save(&buf, &agent->model, &agent->endpoints);
	assert_false(buf_failed(&buf));
	return buf;
}

static struct agent *agent_of_three(void)
{
	struct agent *agent = agent_new();
	struct process *two = start(agent, 11, "web, admin:81", "{\"a\":1}");
	struct process *dead = start(agent, 12, "left", "");

	(void)listen_on(agent, two, 1, 80);
	(void)listen_on(agent, two, 2, 81);
	(void)listen_on(agent, dead, 3, 82);
	process_bury(dead);
	decide(agent);
	return agent;
}

static void the_next_worker_wants_the_same(void **state)
{
	CLEANUP(agent) struct agent *before = agent_of_three();
	CLEANUP(agent) struct agent *after = agent_new();
	CLEANUP(buf) struct buf buf = save(before);
	CLEANUP(buf) struct buf again = BUF_INIT(SNAPSHOT_MAX);

	(void)state;
	assert_true(snapshot_load(buf.s, buf.len, &after->model, &after->endpoints));
	decide(after);
	assert_string_equal(after->asked, before->asked);
	assert_string_equal(after->asked, "join web 10.0.0.1:80{\"a\":1};"
					  "join admin 10.0.0.1:81{\"a\":1};"
					  "join left 10.0.0.1:82;");
	snapshot_save(&again, &after->model, &after->endpoints);
	assert_int_equal(again.len, buf.len);
	assert_memory_equal(again.s, buf.s, buf.len);
}

static void processes_are_who_they_were(void **state)
{
	CLEANUP(agent) struct agent *before = agent_of_three();
	CLEANUP(agent) struct agent *after = agent_new();
	CLEANUP(buf) struct buf buf = save(before);
	struct process *process;

	(void)state;
	assert_true(snapshot_load(buf.s, buf.len, &after->model, &after->endpoints));
	process = model_find_process(&after->model, 11, 1000);
	assert_non_null(process);
	assert_int_equal(process->pid, 11);
	assert_int_equal(process->exit.fd, -1);
	assert_true(process->announced);
	assert_int_equal(process->state, PROCESS_RUNNING);
	assert_null(model_find_process(&after->model, 11, 1001));
	assert_null(model_find_process(&after->model, 12, 1000));
	assert_int_equal(after->model.socks_len, 3);
}

/*
 * A service leaves if its socket closes while no worker runs, or if it was leaving when the worker
 * was killed.
 */
static void what_is_not_wanted_any_more_leaves(void **state)
{
	CLEANUP(agent) struct agent *before = agent_of_three();
	CLEANUP(agent) struct agent *after = agent_new();
	CLEANUP(buf) struct buf buf = {0};

	(void)state;
	model_drop_sock(&before->model,
			LIST_ENTRY(before->model.socks.next, struct sock, in_model));
	decide(before);
	assert_string_equal(before->asked, "leave web 10.0.0.1:80{\"a\":1};");
	buf = save(before);
	assert_true(snapshot_load(buf.s, buf.len, &after->model, &after->endpoints));
	decide(after);
	assert_non_null(strstr(after->asked, "leave web 10.0.0.1:80"));
	assert_int_equal(after->endpoints.leaving, 1);
}

static void what_was_found_in_proc_is_not_kept(void **state)
{
	CLEANUP(agent) struct agent *before = agent_of_three();
	CLEANUP(agent) struct agent *after = agent_new();
	CLEANUP(buf) struct buf buf = {0};
	struct process *found = model_add_process(&before->model, 99, MODEL_ANY_UID);
	struct sock *sock = LIST_ENTRY(before->model.socks.prev, struct sock, in_model);
	struct holding *holding;

	(void)state;
	assert_int_equal(model_hold(&before->model, found, &sock->id, false, &holding), 0);
	buf = save(before);
	assert_true(snapshot_load(buf.s, buf.len, &after->model, &after->endpoints));
	assert_null(model_find_process(&after->model, 99, MODEL_ANY_UID));
	assert_int_equal(after->model.socks_len, 3);
}

/*
 * A snapshot that is cut off is refused, or lacks whole elements.  Nothing is read beyond its end.
 */
static void damaged_bytes_harm_nobody(void **state)
{
	CLEANUP(agent) struct agent *before = agent_of_three();
	CLEANUP(buf) struct buf buf = save(before);
	size_t accepted = 0;

	(void)state;
	for (size_t len = 0; len < buf.len; len++) {
		CLEANUP(agent) struct agent *after = agent_new();
		char *cut = malloc(len ? len : 1);

		assert_non_null(cut);
		memcpy(cut, buf.s, len);
		accepted += snapshot_load(cut, len, &after->model, &after->endpoints);
		decide(after);
		free(cut);
	}
	assert_int_equal(accepted, 5);
	for (size_t at = 0; at < buf.len; at++) {
		CLEANUP(agent) struct agent *after = agent_new();

		buf.s[at] = (char)~buf.s[at];
		(void)snapshot_load(buf.s, buf.len, &after->model, &after->endpoints);
		decide(after);
		buf.s[at] = (char)~buf.s[at];
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_worker_wants_the_same),
		cmocka_unit_test(processes_are_who_they_were),
		cmocka_unit_test(what_is_not_wanted_any_more_leaves),
		cmocka_unit_test(what_was_found_in_proc_is_not_kept),
		cmocka_unit_test(damaged_bytes_harm_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
