/* SPDX-License-Identifier: MIT */
/*
 * Tests of lib/registry/reconcile.c against a fake etcd: its requests, their times, and its events.
 */
#include "fake_store.h"

#include "fake_clock.h"

#include "lib/base/array.h"
#include "lib/base/clock.h"
#include "lib/registry/reconcile.h"
#include "lib/registry/wanted.h"

static struct fake_etcd *fake;
static struct line *line;
static struct reconcile *rec;
static struct buf told; /* "REGISTERED web; ..." since the last check */

static const struct fake_rule healthy[] = {
	RULE_VERSION,
	{"/lease/grant", 200, GRANTED("5"), 0},
	{PUT_NEW, 200, COMPARED, 0},
	{DELETE_TWO, 200, COMPARED, 0},
	{"/kv/txn", 200, WRITTEN, 0},
	{"/lease/keepalive", 200, KEPT, 0},
	{"/kv/lease/revoke", 200, DONE, 0},
	{"/kv/deleterange", 200, DONE, 0},
	{0},
};

static const struct fake_rule down[] = {{"", 503, "{}", 0}, {0}};

static void take_event(const struct etcdreg_event *event, void *arg)
{
	static const char *const names[] = {"REGISTERED", "LOST", "LEFT", "RETRYING", "UP"};

	assert_ptr_equal(arg, &told);
	assert_int_equal(event->type == ETCDREG_RETRYING, event->err != NULL);
	buf_printf(&told, "%s %s; ", names[event->type],
		   event->service ? event->service->name : "-");
}

#define assert_told(text)                          \
	do {                                       \
		assert_string_equal(told.s, text); \
		buf_release(&told);                \
	} while (0)

static int set_up(void **state)
{
	(void)state;
	buf_init(&told, 4096);
	fake = fake_start();
	fake_rules(fake, healthy);
	line = line_new(fake, "?ttl=3");
	rec = reconcile_new(line->session, take_event, &told);
	return rec ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	reconcile_free(rec);
	line_free(line);
	fake_stop(fake);
	buf_release(&told);
	return 0;
}

static void want_with_meta(const char *name, const char *meta, bool wanted)
{
	struct etcdreg_service from = {.name = name, .hostname = "a", .port = 80, .meta = meta};
	struct wanted_service *e;
	struct service service;

	assert_int_equal(service_init(&service, &from, NULL, "", NULL), 0);
	e = wanted_service_new(&service, wanted);
	assert_non_null(e);
	reconcile_apply(rec, e);
}

static void want(const char *name, bool wanted)
{
	want_with_meta(name, NULL, wanted);
}

/* Runs until nothing more is due now.  Returns when the next step is due. */
static uint64_t run_what_is_due(void)
{
	uint64_t next;

	do
		next = reconcile_step(rec);
	while (next <= now_ms());
	return next;
}

static void sleep_until(uint64_t time)
{
	uint64_t now = now_ms();

	if (now < time)
		clock_ahead_ms += time - now;
}

static void joins_and_leaves(void **state)
{
	(void)state;
	assert_true(reconcile_is_settled(rec) && reconcile_is_empty(rec));
	want("web", true);
	assert_false(reconcile_is_settled(rec));
	run_what_is_due();
	assert_told("REGISTERED web; ");
	assert_true(reconcile_is_settled(rec));
	want("web", false);
	assert_false(reconcile_is_settled(rec));
	run_what_is_due();
	assert_told("LEFT web; ");
	assert_true(reconcile_is_settled(rec) && reconcile_is_empty(rec));
	assert_int_equal(reconcile_step(rec), UINT64_MAX);
}

#define MEMBERS "{" HEADER ",\"members\":[{\"clientURLs\":[\"http://127.0.0.1:1\"]}]}"

/* It asks once a service is in etcd, then not again for 30 s, and never writes for it. */
static void asks_for_the_members_when_idle(void **state)
{
	static const struct fake_rule rules[] = {
		RULE_VERSION,
		{"/lease/grant", 200, GRANTED("5"), 0},
		{"/kv/txn", 200, WRITTEN, 0},
		{"/lease/keepalive", 200, KEPT, 0},
		{"/timetolive", 200, TTL_LEFT("3"), 0},
		{"/cluster/member/list", 200, MEMBERS, 0},
		{0},
	};
	struct members *members = members_new();
	uint64_t started = now_ms();

	(void)state;
	fake_rules(fake, rules);
	session_share_members(line->session, members);
	assert_int_equal(reconcile_step(rec), UINT64_MAX);
	assert_int_equal(fake_count(fake, ""), 0);
	want("web", true);
	run_what_is_due();
	assert_int_equal(fake_count(fake, "/cluster/member/list {}"), 1);
	while (fake_count(fake, "/lease/keepalive") < 2)
		sleep_until(run_what_is_due());
	assert_int_equal(fake_count(fake, "/cluster/member/list"), 1);
	assert_true(members_due_ms(members) >= started + 30000);
	session_share_members(line->session, NULL);
	members_free(members);
}

/* A node that does not answer the request, or that has no member list, is not an outage. */
static void bears_without_a_list_of_members(void **state)
{
	static const struct {
		struct fake_rule list;
		unsigned retry_ms;
	} rows[] = {
		{{"/cluster/member/list", 404, "404 page not found\n", 0}, 30000},
		{{"/cluster/member/list", 403, V3_ERROR(7, "permission denied"), 0}, 30000},
		{{"/cluster/member/list", 200, NULL, 0}, 5000},
		{{"/cluster/member/list", 200, "{" HEADER "}", 0}, 30000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fake_rule rules[] = {
			rows[i].list,
			RULE_VERSION,
			{"/lease/grant", 200, GRANTED("5"), 0},
			{"/kv/txn", 200, WRITTEN, 0},
			{0},
		};
		struct members *members = members_new();
		uint64_t due;

		ROW("%zu", i);
		fake_rules(fake, rules);
		session_share_members(line->session, members);
		want(i % 2 ? "odd" : "even", true);
		run_what_is_due();
		assert_told(i % 2 ? "REGISTERED odd; " : "REGISTERED even; ");
		assert_int_equal(fake_count(fake, "/cluster/member/list"), 1);
		assert_int_equal(reconcile_error(rec)->code, 0);
		due = members_due_ms(members);
		assert_in_range(due, now_ms() + rows[i].retry_ms - SLOW_MACHINE_MS,
				now_ms() + rows[i].retry_ms);
		session_share_members(line->session, NULL);
		members_free(members);
	}
}

/* It asks for the list only if even a slow answer leaves enough time for the heartbeat. */
static void asks_for_no_members_before_a_heartbeat(void **state)
{
	static const struct fake_rule rules[] = {
		{"/cluster/member/list", 200, NULL, 0},
		{"/lease/keepalive", 200, KEPT, 0},
		{"/timetolive", 403, V3_ERROR(7, "permission denied"), 0},
		{0},
	};
	struct members *members = members_new();
	uint64_t due;

	(void)state;
	want("web", true);
	due = run_what_is_due();
	fake_rules(fake, rules);
	session_share_members(line->session, members);
	sleep_until(due - 300);
	assert_int_equal(reconcile_step(rec), due);
	assert_int_equal(fake_count(fake, ""), 0);
	sleep_until(due);
	reconcile_step(rec);
	assert_int_equal(fake_count(fake, "/lease/keepalive"), 1);
	assert_int_equal(fake_count(fake, "/cluster/member/list"), 0);
	due = now_ms();
	reconcile_step(rec);
	assert_int_equal(fake_count(fake, "/cluster/member/list"), 1);
	assert_true(now_ms() - due < 1500);
	session_share_members(line->session, NULL);
	members_free(members);
}

static void deletes_before_it_puts(void **state)
{
	(void)state;
	want("old", true);
	run_what_is_due();
	buf_release(&told);
	want("new", true);
	want("old", false);
	run_what_is_due();
	assert_told("LEFT old; REGISTERED new; ");
}

static void tells_every_join(void **state)
{
	(void)state;
	want("web", true);
	run_what_is_due();
	want("web", true);
	run_what_is_due();
	assert_told("REGISTERED web; REGISTERED web; ");
	assert_int_equal(fake_count(fake, "/kv/txn"), 1);
	want_with_meta("web", "{\"v\":2}", true);
	run_what_is_due();
	assert_told("REGISTERED web; ");
	assert_int_equal(fake_count(fake, "/kv/txn"), 2);
}

static void takes_a_leave_back(void **state)
{
	(void)state;
	want("web", true);
	run_what_is_due();
	want("web", false);
	want("web", true);
	run_what_is_due();
	assert_told("REGISTERED web; REGISTERED web; ");
	assert_int_equal(fake_count(fake, "delete"), 0);
}

static void repairs_what_is_lost(void **state)
{
	static const struct fake_rule lost[] = {
		{"/lease/keepalive", 200, KEEPALIVE_LOST, 0},
		{"/lease/grant", 200, GRANTED("6"), 0},
		{PUT_NEW, 200, COMPARED, 0},
		{0},
	};

	(void)state;
	want("a", true);
	want("b", true);
	sleep_until(run_what_is_due());
	fake_rules(fake, lost);
	buf_release(&told);
	run_what_is_due();
	assert_told("LOST a; LOST b; REGISTERED a; REGISTERED b; ");
}

static void repairs_a_key_that_was_deleted(void **state)
{
	static const struct fake_rule deleted[] = {
		{"/lease/keepalive", 200, KEPT, 0},
		{"/timetolive", 200, "{" HEADER ",\"TTL\":\"3\",\"keys\":[]}", 0},
		{PUT_NEW, 200, COMPARED_NOT(RANGE_NOTHING "," RANGE_NOTHING), 0},
		{"/kv/txn", 200, FOUND("5"), 1},
		{"/kv/txn", 200, WRITTEN, 0},
		{0},
	};

	(void)state;
	want("a", true);
	want("b", true);
	sleep_until(run_what_is_due());
	fake_rules(fake, deleted);
	buf_release(&told);
	run_what_is_due();
	assert_told("LOST b; REGISTERED b; ");
}

#define WEB64 "L3NlcnZpY2VzL3dlYi8yYTE0NjU3YzZhYTU2MTljNDRhYmI5YzczZDg3NGY2MzQxYjE5M2I0"

/* Reads the watch until the expected events have come, for a limited time. */
static void run_until_told(const char *text)
{
	uint64_t end = now_ms() + SLOW_MACHINE_MS;

	while (!strstr(told.s, text) && now_ms() < end) {
		run_what_is_due();
		cluster_wait(session_cluster(line->session), 10);
	}
	assert_told(text);
}

static void watch_web(void)
{
	static const struct fake_rule watched[] = {
		RULE_VERSION,
		{"/watch", FAKE_STREAM, CREATED, 0},
		{"/lease/grant", 200, GRANTED("5"), 0},
		{"/kv/txn", 200, WRITTEN, 0},
		{"/lease/keepalive", 200, KEPT, 0},
		{"/timetolive", 200, "{" HEADER ",\"TTL\":\"3\",\"keys\":[\"" WEB64 "\"]}", 0},
		{0},
	};

	fake_rules(fake, watched);
	want("web", true);
	run_until_told("REGISTERED web; ");
	while (fake_count(fake, "/timetolive") == 0) {
		run_what_is_due();
		cluster_wait(session_cluster(line->session), 10);
	}
}

/* It repairs four deletes at once.  If the deletes go on, it repairs once per interval of 1.5 s. */
static void repairs_at_once_but_not_for_ever(void **state)
{
	uint64_t started = now_ms();

	(void)state;
	watch_web();
	for (int i = 0; i < 4; i++) {
		fake_push(fake, EVENT(DELETE, WEB64, "6"));
		run_until_told("LOST web; REGISTERED web; ");
	}
	assert_true(now_ms() < started + 1500);
	fake_push(fake, EVENT(DELETE, WEB64, "6"));
	while (reconcile_is_settled(rec) && now_ms() < started + 1500) {
		run_what_is_due();
		cluster_wait(session_cluster(line->session), 10);
	}
	assert_false(reconcile_is_settled(rec));
	run_until_told("LOST web; REGISTERED web; ");
	assert_true(now_ms() >= started + 1500);
	assert_int_equal(fake_count(fake, "/watch"), 1);
}

static void does_not_repair_what_it_deletes(void **state)
{
	(void)state;
	watch_web();
	want("web", false);
	run_what_is_due();
	assert_told("LEFT web; ");
	assert_int_equal(fake_count(fake, "/kv/txn"), 2);
	watch_web();
	fake_push(fake, EVENT(DELETE, WEB64, "4")); /* its own delete, late */
	for (int i = 0; i < 10; i++) {
		run_what_is_due();
		cluster_wait(session_cluster(line->session), 10);
	}
	assert_int_equal(fake_count(fake, "/kv/txn"), 1);
	assert_told("");
}

static void tells_an_outage_once(void **state)
{
	(void)state;
	fake_rules(fake, down);
	want("web", true);
	for (int i = 0; i < 3; i++)
		sleep_until(run_what_is_due());
	assert_told("RETRYING -; RETRYING web; ");
	assert_int_equal(reconcile_error(rec)->code, ETCDREG_E_UNREACH);
	fake_rules(fake, healthy);
	run_what_is_due();
	assert_told("UP -; REGISTERED web; ");
	assert_int_equal(reconcile_error(rec)->code, 0);
}

static void tells_an_outage_again_when_its_reason_changes(void **state)
{
	static const struct fake_rule other[] = {{"", 502, "{}", 0}, {0}};

	(void)state;
	fake_rules(fake, down);
	want("web", true);
	sleep_until(run_what_is_due());
	fake_rules(fake, other);
	run_what_is_due();
	assert_told("RETRYING -; RETRYING web; RETRYING -; RETRYING web; ");
}

static void probes_every_half_second(void **state)
{
	uint64_t failed, next;

	(void)state;
	fake_rules(fake, down);
	want("web", true);
	next = run_what_is_due();
	for (int i = 0; i < 3; i++) {
		failed = now_ms();
		assert_true(next >= failed + 300 && next <= failed + 700);
		sleep_until(next);
		next = run_what_is_due();
	}
	assert_int_equal(fake_count(fake, ""), 4);
}

/* This event is the agent's answer to a process that exits, so it must come at once. */
static void answers_at_once_while_etcd_is_down(void **state)
{
	uint64_t next;

	(void)state;
	want("a", true);
	want("b", true);
	run_what_is_due();
	fake_rules(fake, down);
	buf_release(&told);
	want("a", false);
	run_what_is_due();
	assert_told("RETRYING -; RETRYING a; ");
	want("b", false);
	next = run_what_is_due();
	assert_told("RETRYING b; ");
	assert_int_equal(fake_calls(fake), 1);
	sleep_until(next);
	fake_rules(fake, healthy);
	run_what_is_due();
	assert_told("UP -; LEFT a; LEFT b; ");
}

/* No request was ever sent for this service, so it leaves without etcd. */
static void leaves_at_once_what_never_got_there(void **state)
{
	(void)state;
	fake_rules(fake, down);
	want("web", true);
	run_what_is_due();
	buf_release(&told);
	want("web", false);
	run_what_is_due();
	assert_told("LEFT web; ");
	assert_true(reconcile_is_empty(rec));
}

/* The lease expired during the outage, and all its keys with it.  Nothing is left to delete. */
static void drops_deletes_when_the_lease_has_expired(void **state)
{
	static const struct fake_rule expired[] = {{"/lease/keepalive", 200, KEEPALIVE_LOST, 0},
						   {0}};

	(void)state;
	want("a", true);
	want("b", true);
	run_what_is_due();
	fake_rules(fake, down);
	want("a", false);
	want("b", false);
	run_what_is_due();
	sleep_until(now_ms() + 3100);
	fake_rules(fake, expired);
	buf_release(&told);
	run_what_is_due();
	assert_told("UP -; LEFT a; LEFT b; ");
	assert_int_equal(fake_count(fake, "delete"), 0);
}

static void lets_one_refused_key_wait_alone(void **state)
{
	static const struct fake_rule refused[] = {
		RULE_VERSION,
		{"/lease/grant", 200, GRANTED("5"), 0},
		RULE_REFUSED(PUT_NEW),
		{"/kv/txn", 403, V3_ERROR(7, "etcdserver: permission denied"), 1},
		{"/kv/txn", 200, WRITTEN, 0},
		{0},
	};
	uint64_t next;

	(void)state;
	fake_rules(fake, refused);
	want("denied", true);
	want("web", true);
	next = run_what_is_due();
	assert_told("RETRYING denied; REGISTERED web; ");
	assert_int_equal(reconcile_error(rec)->code, ETCDREG_E_DENIED);
	assert_false(reconcile_is_settled(rec));
	assert_true(next <= now_ms() + 1500);
	want("denied", false);
	run_what_is_due();
	assert_told("LEFT denied; ");
}

static void backs_off_from_a_key_that_is_refused(void **state)
{
	static const struct fake_rule refused[] = {
		RULE_VERSION,
		{"/lease/grant", 200, GRANTED("5"), 0},
		{"/kv/txn", 400, V3_ERROR(3, "etcdserver: key is too long"), 0},
		{"/lease/keepalive", 200, KEPT, 0},
		{"/timetolive", 200, "{" HEADER ",\"TTL\":\"3\"}", 0},
		{0},
	};
	uint64_t started = now_ms();

	(void)state;
	fake_rules(fake, refused);
	want("web", true);
	while (now_ms() < started + 3000)
		sleep_until(run_what_is_due());
	assert_true(fake_count(fake, "/kv/txn") >= 3 && fake_count(fake, "/kv/txn") <= 5);
	assert_int_equal(fake_count(fake, "/lease/keepalive"), 1);
}

static void leaves_what_it_never_joined(void **state)
{
	(void)state;
	want("web", false);
	run_what_is_due();
	assert_told("LEFT web; ");
	assert_int_equal(fake_count(fake, "/kv/deleterange"), 1);
}

static void leaves_all_with_one_request(void **state)
{
	(void)state;
	want("a", true);
	want("b", true);
	run_what_is_due();
	buf_release(&told);
	fake_rules(fake, healthy);
	reconcile_leave_all(rec);
	run_what_is_due();
	assert_told("LEFT a; LEFT b; ");
	assert_int_equal(fake_calls(fake), 1);
	assert_true(reconcile_is_empty(rec));
}

/*
 * If the user may not revoke the lease, the keys are deleted: together or, if that fails, one by
 * one.
 */
static void leaves_all_without_the_lease(void **state)
{
	static const struct {
		struct fake_rule together;
		size_t deletes;
	} rows[] = {
		{{DELETE_TWO, 200, COMPARED, 0}, 1},
		{{DELETE_TWO, 200, COMPARED_NOT(""), 0}, 3},
		{RULE_REFUSED(DELETE_TWO), 3},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fake_rule refused[] = {
			RULE_REFUSED("/kv/lease/revoke"),
			rows[i].together,
			{"delete_range", 200, DONE, 0},
			{0},
		};

		ROW("%zu", i);
		fake_rules(fake, healthy);
		want("a", true);
		want("b", true);
		run_what_is_due();
		buf_release(&told);
		fake_rules(fake, refused);
		reconcile_leave_all(rec);
		run_what_is_due();
		assert_told("LEFT a; LEFT b; ");
		assert_int_equal(fake_count(fake, "delete_range"), rows[i].deletes);
	}
}

/* Each service gets its own event, in the order of the joins. */
static void joins_and_leaves_together(void **state)
{
	(void)state;
	want("a", true);
	want("b", true);
	run_what_is_due();
	assert_told("REGISTERED a; REGISTERED b; ");
	assert_int_equal(fake_count(fake, "/kv/txn"), 1);
	want("a", false);
	want("b", false);
	run_what_is_due();
	assert_told("LEFT a; LEFT b; ");
	assert_int_equal(fake_count(fake, "/kv/txn"), 2);
	assert_true(reconcile_is_empty(rec));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(joins_and_leaves),
		TEST(asks_for_the_members_when_idle),
		TEST(bears_without_a_list_of_members),
		TEST(asks_for_no_members_before_a_heartbeat),
		TEST(deletes_before_it_puts),
		TEST(tells_every_join),
		TEST(takes_a_leave_back),
		TEST(repairs_what_is_lost),
		TEST(repairs_a_key_that_was_deleted),
		TEST(repairs_at_once_but_not_for_ever),
		TEST(does_not_repair_what_it_deletes),
		TEST(tells_an_outage_once),
		TEST(tells_an_outage_again_when_its_reason_changes),
		TEST(probes_every_half_second),
		TEST(answers_at_once_while_etcd_is_down),
		TEST(leaves_at_once_what_never_got_there),
		TEST(drops_deletes_when_the_lease_has_expired),
		TEST(lets_one_refused_key_wait_alone),
		TEST(backs_off_from_a_key_that_is_refused),
		TEST(leaves_what_it_never_joined),
		TEST(leaves_all_with_one_request),
		TEST(leaves_all_without_the_lease),
		TEST(joins_and_leaves_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
