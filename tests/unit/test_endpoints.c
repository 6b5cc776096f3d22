/* SPDX-License-Identifier: MIT */
/*
 * Which services are wanted, given processes and the sockets that listen; and how the agent handles
 * the events of each service.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/worker/outcomes.h"

/* A machine: its model, the kernel's list of sockets, and a registry that records its calls. */
struct machine {
	struct model model;
	struct endpoints endpoints;
	struct sockdiag_list kernel;
	char asked[4096];
	int join_result;
	uint64_t now_ms, last_pid;
};

static void note(struct machine *machine, const char *verb, const struct etcdreg_service *s)
{
	size_t len = strlen(machine->asked);

	(void)snprintf(machine->asked + len, sizeof(machine->asked) - len, "%s %s %s://%s:%u%s;",
		       verb, s->name, s->protocol, s->hostname, s->port, s->meta ? s->meta : "");
}

static int join(void *arg, const struct etcdreg_service *service, struct etcdreg_err *err)
{
	struct machine *machine = arg;

	note(machine, "join", service);
	(void)snprintf(err->msg, sizeof(err->msg), "no good");
	return machine->join_result;
}

static int leave(void *arg, const struct etcdreg_service *service, struct etcdreg_err *err)
{
	(void)err;
	note(arg, "leave", service);
	return 0;
}

static int set_up(void **state)
{
	struct machine *machine = calloc(1, sizeof(*machine));
	const struct endpoints_ops ops = {.join = join, .leave = leave, .arg = machine};

	*state = machine;
	machine->now_ms = 100000;
	return !machine || model_init(&machine->model) < 0 ||
	       endpoints_init(&machine->endpoints, &ops) < 0;
}

static int tear_down(void **state)
{
	struct machine *machine = *state;

	endpoints_release(&machine->endpoints);
	model_release(&machine->model);
	sockdiag_list_release(&machine->kernel);
	free(machine);
	return 0;
}

static struct process *start(struct machine *machine, const char *text)
{
	struct process *process = model_add_process(&machine->model, ++machine->last_pid, 0);
	struct names names;

	assert_non_null(process);
	assert_int_equal(names_parse(text, &names, NULL), 0);
	assert_int_equal(process_configure(process, &names, "", "http", ""), 0);
	return process;
}

static struct wire_socket socket_of(uint64_t inode, uint16_t port, uint16_t protocol)
{
	return (struct wire_socket){.cookie = inode + 1000,
				    .inode = inode,
				    .port = port,
				    .family = AF_INET,
				    .protocol = protocol};
}

static void open_socket(struct machine *machine, uint64_t inode, uint16_t port, uint16_t protocol)
{
	const struct wire_socket id = socket_of(inode, port, protocol);
	const struct sockdiag_socket entry = {
		.inode = inode,
		.cookie = id.cookie,
		.port = port,
		.protocol = protocol,
	};

	assert_int_equal(sockdiag_list_add(&machine->kernel, &entry), 0);
	sockdiag_list_sort(&machine->kernel);
}

/* `host` NULL: the process has no address to advertise. */
static struct holding *announce(struct machine *machine, struct process *process, uint64_t inode,
				uint16_t port, const char *host)
{
	const struct wire_socket id = socket_of(inode, port, IPPROTO_TCP);
	struct holding *holding;

	assert_int_equal(model_hold(&machine->model, process, &id, true, &holding), 0);
	holding->host = host ? strdup(host) : NULL;
	holding->host_error = host ? NULL : strdup("no address");
	return holding;
}

static struct holding *listen_on(struct machine *machine, struct process *process, uint64_t inode,
				 uint16_t port, const char *host)
{
	open_socket(machine, inode, port, IPPROTO_TCP);
	return announce(machine, process, inode, port, host);
}

static void close_socket(struct machine *machine, uint64_t inode)
{
	for (size_t i = 0; i < machine->kernel.len; i++)
		if (machine->kernel.entries[i].inode == inode)
			machine->kernel.entries[i] = machine->kernel.entries[--machine->kernel.len];
	sockdiag_list_sort(&machine->kernel);
}

/* Does one turn of the worker.  Returns the calls to the registry. */
static const char *turn(struct machine *machine)
{
	machine->asked[0] = '\0';
	(void)model_mark(&machine->model, &machine->kernel);
	LIST_FOR_EACH_SAFE (link, &machine->model.socks) {
		struct sock *sock = LIST_ENTRY(link, struct sock, in_model);

		sock->surveyed = true;
		if (!sock_listens(sock))
			model_drop_sock(&machine->model, sock);
	}
	model_judge(&machine->model, machine->now_ms);
	endpoints_update(&machine->endpoints, &machine->model, &machine->kernel, machine->now_ms);
	return machine->asked;
}

static uint64_t tag_of(const struct process *process, size_t item)
{
	return process->claims[item].tag;
}

static void tell(struct machine *machine, enum etcdreg_event_type type, uint64_t tag,
		 const char *error)
{
	endpoints_event(&machine->endpoints, type, tag, error);
}

static void assert_outcome(struct machine *machine, const struct holding *holding, unsigned what,
			   const char *part)
{
	char text[WIRE_TEXT_MAX];

	assert_int_equal(outcome_of(&machine->endpoints, holding, machine->now_ms, text), what);
	if (!strstr(text, part))
		fail_msg("'%s' is not in '%s'", part, text);
}

static void a_listener_is_joined_once_and_left(void **state)
{
	struct machine *m = *state;
	struct process *p = start(m, "web");
	struct holding *h = listen_on(m, p, 1, 80, "10.0.0.1");

	assert_string_equal(turn(m), "join web http://10.0.0.1:80;");
	assert_string_equal(turn(m), "");
	assert_outcome(m, h, 0, "");
	tell(m, ETCDREG_REGISTERED, tag_of(p, 0), NULL);
	assert_outcome(m, h, WIRE_REGISTERED, "");
	close_socket(m, 1);
	assert_string_equal(turn(m), "leave web http://10.0.0.1:80;");
	assert_int_equal(m->endpoints.leaving, 1);
	assert_string_equal(turn(m), "");
	tell(m, ETCDREG_LEFT, p->claims[0].left_tag, NULL);
	assert_int_equal(m->endpoints.leaving, 0);
	assert_true(list_empty(&m->endpoints.all));
}

static void a_bare_name_moves_on_to_the_next_port(void **state)
{
	struct machine *m = *state;
	struct process *p = start(m, "web,admin:9090");
	struct holding *admin = listen_on(m, p, 1, 9090, "10.0.0.1");
	struct holding *loopback = listen_on(m, p, 2, 70, NULL);
	struct holding *first = listen_on(m, p, 3, 80, "10.0.0.1");
	struct holding *second = listen_on(m, p, 4, 81, "10.0.0.1");

	assert_string_equal(turn(m), "join web http://10.0.0.1:80;"
				     "join admin http://10.0.0.1:9090;");
	tell(m, ETCDREG_REGISTERED, tag_of(p, 0), NULL);
	tell(m, ETCDREG_REGISTERED, tag_of(p, 1), NULL);
	assert_outcome(m, admin, WIRE_REGISTERED, "");
	assert_outcome(m, first, WIRE_REGISTERED, "");
	assert_outcome(m, second, WIRE_UNNAMED, "");
	assert_outcome(m, loopback, WIRE_UNNAMED, "");
	close_socket(m, 3);
	assert_string_equal(turn(m), "leave web http://10.0.0.1:80;join web http://10.0.0.1:81;");
	assert_outcome(m, second, 0, "");
	close_socket(m, 4);
	assert_string_equal(turn(m), "leave web http://10.0.0.1:81;");
	assert_outcome(m, loopback, WIRE_FAILED, "web: not registered: port 70: no address");
}

static void what_no_item_names_is_unnamed(void **state)
{
	struct machine *m = *state;
	struct process *p = start(m, "web:80,dns:53/udp");
	struct holding *h = listen_on(m, p, 1, 53, "10.0.0.1");

	assert_string_equal(turn(m), "");
	assert_outcome(m, h, WIRE_UNNAMED, "");
}

static void one_port_may_have_two_names(void **state)
{
	struct machine *m = *state;
	struct process *p = start(m, "shop:80,blog:80");
	struct holding *h = listen_on(m, p, 1, 80, "10.0.0.1");

	assert_string_equal(turn(m), "join shop http://10.0.0.1:80;join blog http://10.0.0.1:80;");
	tell(m, ETCDREG_REGISTERED, tag_of(p, 0), NULL);
	assert_outcome(m, h, 0, "");
	tell(m, ETCDREG_REGISTERED, tag_of(p, 1), NULL);
	assert_outcome(m, h, WIRE_REGISTERED, "");
}

static void two_sockets_of_one_port_are_one_endpoint(void **state)
{
	struct machine *m = *state;
	struct process *a = start(m, "web"), *b = start(m, "web:80");

	listen_on(m, a, 1, 80, "10.0.0.1");
	listen_on(m, b, 2, 80, "10.0.0.1");
	assert_string_equal(turn(m), "join web http://10.0.0.1:80;");
	close_socket(m, 1);
	process_bury(a);
	assert_string_equal(turn(m), "");
	close_socket(m, 2);
	process_bury(b);
	assert_string_equal(turn(m), "leave web http://10.0.0.1:80;");
}

static void two_families_of_one_port_are_one_endpoint(void **state)
{
	struct machine *m = *state;
	struct process *p = start(m, "web:80");
	struct holding *v6;

	listen_on(m, p, 1, 80, "10.0.0.1");
	v6 = listen_on(m, p, 2, 80, "fd00::1");
	assert_string_equal(turn(m), "join web http://10.0.0.1:80;");
	tell(m, ETCDREG_REGISTERED, tag_of(p, 0), NULL);
	assert_outcome(m, v6, WIRE_REGISTERED, "");
	close_socket(m, 1);
	assert_string_equal(turn(m), "leave web http://10.0.0.1:80;join web http://fd00::1:80;");
}

static void a_dead_process_leaves_what_the_kernel_still_lists(void **state)
{
	struct machine *m = *state;
	struct process *p = start(m, "web");

	listen_on(m, p, 1, 80, "10.0.0.1");
	turn(m);
	process_bury(p);
	assert_string_equal(turn(m), "");
	close_socket(m, 1);
	assert_string_equal(turn(m), "leave web http://10.0.0.1:80;");
}

static void a_found_holder_keeps_the_name_of_the_dead(void **state)
{
	struct machine *m = *state;
	struct process *p = start(m, "web"), *worker;
	const struct wire_socket id = socket_of(1, 80, IPPROTO_TCP);
	struct holding *holding;

	listen_on(m, p, 1, 80, "10.0.0.1");
	turn(m);
	process_bury(p);
	worker = model_add_process(&m->model, 4711, MODEL_ANY_UID);
	assert_int_equal(model_hold(&m->model, worker, &id, false, &holding), 0);
	assert_string_equal(turn(m), "");
	assert_true(sock_is_held(holding->sock));
	process_bury(worker);
	assert_string_equal(turn(m), "");
	assert_true(process_is_idle(worker));
	assert_false(process_is_idle(p));
}

static void a_goodbye_takes_out_and_the_kernel_may_bring_back(void **state)
{
	struct machine *m = *state;
	struct process *p = start(m, "web");

	listen_on(m, p, 1, 80, "10.0.0.1");
	turn(m);
	assert_true(outcome_left(&m->endpoints, p));
	p->state = PROCESS_LEAVING;
	assert_string_equal(turn(m), "leave web http://10.0.0.1:80;");
	assert_false(outcome_left(&m->endpoints, p));
	tell(m, ETCDREG_LEFT, p->claims[0].left_tag, NULL);
	assert_true(outcome_left(&m->endpoints, p));
	process_bury(p);
	assert_string_equal(turn(m), "join web http://10.0.0.1:80;");
}

static void a_goodbye_does_not_wait_for_others(void **state)
{
	struct machine *m = *state;
	struct process *a = start(m, "web"), *b = start(m, "web");

	listen_on(m, a, 1, 80, "10.0.0.1");
	listen_on(m, b, 2, 80, "10.0.0.1");
	turn(m);
	a->state = PROCESS_LEAVING;
	assert_string_equal(turn(m), "");
	assert_true(outcome_left(&m->endpoints, a));
}

static void a_goodbye_does_not_wait_for_an_etcd_that_is_down(void **state)
{
	struct machine *m = *state;
	struct process *p = start(m, "web");

	listen_on(m, p, 1, 80, "10.0.0.1");
	turn(m);
	p->state = PROCESS_LEAVING;
	turn(m);
	assert_false(outcome_left(&m->endpoints, p));
	tell(m, ETCDREG_RETRYING, p->claims[0].left_tag, "refused");
	assert_true(outcome_left(&m->endpoints, p));
	tell(m, ETCDREG_RETRYING, 0, "down");
	assert_true(outcome_left(&m->endpoints, p));
}

static void a_successor_on_the_port_takes_over(void **state)
{
	struct machine *m = *state;
	struct process *a = start(m, "web"), *b = start(m, "web");
	struct holding *h;

	listen_on(m, a, 1, 80, "10.0.0.1");
	turn(m);
	tell(m, ETCDREG_REGISTERED, tag_of(a, 0), NULL);
	open_socket(m, 2, 80, IPPROTO_TCP);
	close_socket(m, 1);
	process_bury(a);
	assert_string_equal(turn(m), "");
	assert_int_equal(m->endpoints.leaving, 1);
	assert_false(endpoints_are_due(&m->endpoints, m->now_ms + 74));
	m->now_ms += 74;
	h = announce(m, b, 2, 80, "10.0.0.1");
	assert_string_equal(turn(m), "");
	assert_outcome(m, h, WIRE_REGISTERED, "");
	assert_int_equal(m->endpoints.leaving, 0);
	m->now_ms += 1000;
	assert_string_equal(turn(m), "");
	close_socket(m, 2);
	assert_string_equal(turn(m), "leave web http://10.0.0.1:80;");
}

static void nobody_waits_long_for_a_successor(void **state)
{
	struct machine *m = *state;
	struct process *p = start(m, "web");

	listen_on(m, p, 1, 80, "10.0.0.1");
	turn(m);
	open_socket(m, 2, 80, IPPROTO_TCP);
	close_socket(m, 1);
	assert_string_equal(turn(m), "");
	assert_false(outcome_left(&m->endpoints, p));
	m->now_ms += 75;
	assert_true(endpoints_are_due(&m->endpoints, m->now_ms));
	assert_string_equal(turn(m), "leave web http://10.0.0.1:80;");
	m->now_ms += 1000;
	assert_false(endpoints_are_due(&m->endpoints, m->now_ms));
}

static void a_stranger_elsewhere_is_no_successor(void **state)
{
	struct machine *m = *state;
	struct process *p = start(m, "web");

	listen_on(m, p, 1, 80, "10.0.0.1");
	turn(m);
	open_socket(m, 2, 81, IPPROTO_TCP);
	open_socket(m, 3, 80, IPPROTO_UDP);
	close_socket(m, 1);
	assert_string_equal(turn(m), "leave web http://10.0.0.1:80;");
}

static void a_stopped_process_is_out_unless_another_holds(void **state)
{
	struct machine *m = *state;
	struct process *a = start(m, "web"), *b = start(m, "web");
	const struct wire_socket id = socket_of(1, 80, IPPROTO_TCP);
	struct holding *holding;

	listen_on(m, a, 1, 80, "10.0.0.1");
	turn(m);
	a->state = PROCESS_STOPPED;
	assert_string_equal(turn(m), "leave web http://10.0.0.1:80;");
	assert_int_equal(model_hold(&m->model, b, &id, true, &holding), 0);
	holding->host = strdup("10.0.0.1");
	assert_string_equal(turn(m), "join web http://10.0.0.1:80;");
	b->state = PROCESS_STOPPED;
	assert_string_equal(turn(m), "leave web http://10.0.0.1:80;");
	a->state = PROCESS_RUNNING;
	assert_string_equal(turn(m), "join web http://10.0.0.1:80;");
}

/*
 * The first reason may be gone long before etcd answers, but the log must not get a hundred of
 * them.
 */
static void the_first_reasons_of_an_outage_are_told(void **state)
{
	char path[] = "/tmp/test-endpoints-XXXXXX", spec[64], text[8192], reason[16];
	FILE *file = fdopen(mkstemp(path), "re");
	size_t lines = 0;

	assert_non_null(file);
	(void)snprintf(spec, sizeof(spec), "warn:%s", path);
	assert_int_equal(log_open(spec, NULL), 0);
	for (int outage = 0; outage < 2; outage++) {
		for (int i = 0; i < 20; i++) {
			(void)snprintf(reason, sizeof(reason), "reason %d", i);
			tell(*state, ETCDREG_RETRYING, 0, reason);
		}
		tell(*state, ETCDREG_UP, 0, NULL);
	}
	log_close();
	while (fgets(text, sizeof(text), file))
		lines += strstr(text, "still trying") != NULL;
	fclose(file);
	(void)unlink(path);
	assert_int_equal(lines, 2 * 5);
}

static void news_of_an_older_join_is_ignored(void **state)
{
	struct machine *m = *state;
	struct process *p = start(m, "web");
	struct holding *h = listen_on(m, p, 1, 80, "10.0.0.1");
	uint64_t old_tag;

	turn(m);
	old_tag = tag_of(p, 0);
	p->state = PROCESS_STOPPED;
	turn(m);
	p->state = PROCESS_RUNNING;
	assert_string_equal(turn(m), "join web http://10.0.0.1:80;");
	assert_int_not_equal(tag_of(p, 0), old_tag);
	tell(m, ETCDREG_REGISTERED, old_tag, NULL);
	assert_outcome(m, h, 0, "");
	tell(m, ETCDREG_LEFT, old_tag, NULL);
	assert_non_null(endpoints_find(&m->endpoints, tag_of(p, 0)));
	tell(m, ETCDREG_REGISTERED, tag_of(p, 0), NULL);
	assert_outcome(m, h, WIRE_REGISTERED, "");
}

static void failures_are_told_in_a_line(void **state)
{
	struct machine *m = *state;
	struct process *p = start(m, "web");
	struct holding *h = listen_on(m, p, 1, 80, "10.0.0.1");

	turn(m);
	tell(m, ETCDREG_RETRYING, 0, "http://etcd:2379: connection refused");
	assert_outcome(m, h, WIRE_FAILED,
		       "etcd-registry: web: not registered yet: "
		       "http://etcd:2379: connection refused; still trying");
	tell(m, ETCDREG_REGISTERED, tag_of(p, 0), NULL);
	assert_outcome(m, h, WIRE_REGISTERED, "");
	tell(m, ETCDREG_LOST, tag_of(p, 0), NULL);
	assert_outcome(m, h, 0, "");
	tell(m, ETCDREG_RETRYING, tag_of(p, 0), "permission denied");
	assert_outcome(m, h, WIRE_FAILED, "permission denied");
}

static void a_join_while_etcd_is_down_fails_after_a_second(void **state)
{
	struct machine *m = *state;
	struct process *p = start(m, "web");
	struct holding *h;

	tell(m, ETCDREG_RETRYING, 0, "no route");
	h = listen_on(m, p, 1, 80, "10.0.0.1");
	turn(m);
	assert_outcome(m, h, 0, "");
	m->now_ms += 1000;
	assert_outcome(m, h, WIRE_FAILED, "no route");
	tell(m, ETCDREG_UP, 0, NULL);
	assert_outcome(m, h, 0, "");
}

static void a_refused_join_is_told_and_left(void **state)
{
	struct machine *m = *state;
	struct process *p = start(m, "web");
	struct holding *h = listen_on(m, p, 1, 80, "10.0.0.1");

	m->join_result = ETCDREG_E_INVALID;
	assert_string_equal(turn(m), "join web http://10.0.0.1:80;");
	assert_outcome(m, h, WIRE_FAILED, "etcd-registry: web: not registered: no good");
	assert_string_equal(turn(m), "");
}

static void the_latest_process_decides_on_meta(void **state)
{
	struct machine *m = *state;
	struct process *a = start(m, "web"), *b;
	struct names names;

	listen_on(m, a, 1, 80, "10.0.0.1");
	turn(m);
	b = start(m, "web");
	assert_int_equal(names_parse("web", &names, NULL), 0);
	assert_int_equal(process_configure(b, &names, "", "http", "{\"v\":2}"), 0);
	listen_on(m, b, 2, 80, "10.0.0.1");
	assert_string_equal(turn(m), "join web http://10.0.0.1:80{\"v\":2};");
	assert_string_equal(turn(m), "");
	assert_non_null(endpoints_find(&m->endpoints, tag_of(a, 0)));
	assert_int_equal(tag_of(a, 0), tag_of(b, 0));
}

static void a_new_socket_is_trusted_until_a_dump(void **state)
{
	struct machine *m = *state;
	struct process *p = start(m, "web");
	struct holding *h = listen_on(m, p, 1, 80, "10.0.0.1");

	close_socket(m, 1);
	assert_true(sock_listens(h->sock));
	h->sock->surveyed = true;
	assert_false(sock_listens(h->sock));
	h->sock->foreign = true;
	assert_true(sock_listens(h->sock));
	process_bury(p);
	assert_false(sock_listens(h->sock));
}

static void a_process_announces_so_many_sockets(void **state)
{
	struct machine *m = *state;
	struct process *p = start(m, "web");
	struct wire_socket id;
	struct holding *holding;

	for (unsigned i = 1; i <= MODEL_SOCKETS_MAX; i++)
		listen_on(m, p, i, (uint16_t)i, "10.0.0.1");
	id = socket_of(1, 1, IPPROTO_TCP);
	assert_int_equal(model_hold(&m->model, p, &id, true, &holding), 0);
	id = socket_of(1000, 1000, IPPROTO_TCP);
	assert_int_equal(model_hold(&m->model, p, &id, true, &holding), ETCDREG_E_INVALID);
	assert_int_equal(m->model.socks_len, MODEL_SOCKETS_MAX);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_listener_is_joined_once_and_left),
		TEST(a_bare_name_moves_on_to_the_next_port),
		TEST(what_no_item_names_is_unnamed),
		TEST(one_port_may_have_two_names),
		TEST(two_sockets_of_one_port_are_one_endpoint),
		TEST(two_families_of_one_port_are_one_endpoint),
		TEST(a_dead_process_leaves_what_the_kernel_still_lists),
		TEST(a_found_holder_keeps_the_name_of_the_dead),
		TEST(a_goodbye_takes_out_and_the_kernel_may_bring_back),
		TEST(a_goodbye_does_not_wait_for_others),
		TEST(a_goodbye_does_not_wait_for_an_etcd_that_is_down),
		TEST(a_successor_on_the_port_takes_over),
		TEST(nobody_waits_long_for_a_successor),
		TEST(a_stranger_elsewhere_is_no_successor),
		TEST(a_stopped_process_is_out_unless_another_holds),
		TEST(the_first_reasons_of_an_outage_are_told),
		TEST(news_of_an_older_join_is_ignored),
		TEST(failures_are_told_in_a_line),
		TEST(a_join_while_etcd_is_down_fails_after_a_second),
		TEST(a_refused_join_is_told_and_left),
		TEST(the_latest_process_decides_on_meta),
		TEST(a_new_socket_is_trusted_until_a_dump),
		TEST(a_process_announces_so_many_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
