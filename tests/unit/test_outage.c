/* SPDX-License-Identifier: MIT */
/*
 * Tests of lib/registry/outage.c, and of lib/registry/reconcile.c in an outage: etcd is away for
 * long, and many handles come back at once.  Time and random numbers are simulated here.
 */
#define FAKE_CONNS 32

#include "fake_store.h"

#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>

#include "lib/base/array.h"
#include "lib/registry/outage.h"
#include "lib/registry/reconcile.h"
#include "lib/registry/wanted.h"

#define HANDLES 20
#define TTL_S 10
#define HOUR_MS 3600000
#define LOST_MS 600000 /* how long the handles have no etcd */

static uint64_t clock_ms;
static uint64_t seed;

/* Replaces the libc's function, for libcurl too. */
int clock_gettime(clockid_t id, struct timespec *ts)
{
	if (clock_ms == 0)
		return (int)syscall(SYS_clock_gettime, id, ts);
	*ts = (struct timespec){.tv_sec = (time_t)(clock_ms / 1000),
				.tv_nsec = (long)(clock_ms % 1000) * 1000000};
	return 0;
}

ssize_t getrandom(void *bytes, size_t len, unsigned flags)
{
	unsigned char *at = bytes;

	(void)flags;
	for (size_t i = 0; i < len; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		at[i] = (unsigned char)(seed >> 56);
	}
	return (ssize_t)len;
}

struct handle {
	struct line *line;
	struct reconcile *rec;
	uint64_t next_ms;
	uint64_t longest_pause_ms;
	uint64_t registered_ms; /* 0: not yet */
	unsigned attempts;
};

static struct fake_etcd *fake;
static struct handle handles[HANDLES];

static const struct fake_rule down[] = {{"", 503, "{}", 0}, {0}};
static const struct fake_rule healthy[] = {
	RULE_VERSION, {"/lease/grant", 200, GRANTED("5"), 0}, {"/kv/txn", 200, WRITTEN, 0}, {0}};

static void note_event(const struct etcdreg_event *event, void *arg)
{
	struct handle *h = arg;

	if (event->type == ETCDREG_REGISTERED)
		h->registered_ms = clock_ms;
}

static void open_handle(struct handle *h, const char *options)
{
	const struct etcdreg_service from = {.name = "web", .hostname = "a", .port = 80};
	struct service service;

	*h = (struct handle){.line = line_new(fake, options), .next_ms = clock_ms};
	h->rec = reconcile_new(h->line->session, note_event, h);
	assert_int_equal(service_init(&service, &from, NULL, "", NULL), 0);
	reconcile_apply(h->rec, wanted_service_new(&service, true));
}

static int set_up(void **state)
{
	(void)state;
	clock_ms = 1000000;
	seed = 1;
	fake = fake_start();
	fake_rules(fake, down);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < HANDLES; i++) {
		if (!handles[i].rec)
			continue;
		reconcile_free(handles[i].rec);
		line_free(handles[i].line);
	}
	memset(handles, 0, sizeof(handles));
	fake_stop(fake);
	clock_ms = 0;
	return 0;
}

static void step(struct handle *h)
{
	h->next_ms = reconcile_step(h->rec);
	h->attempts++;
	if (h->next_ms - clock_ms > h->longest_pause_ms && h->registered_ms == 0)
		h->longest_pause_ms = h->next_ms - clock_ms;
}

/* Advances the time from each due step to the next. */
static void run_until(uint64_t end_ms)
{
	for (;;) {
		struct handle *first = &handles[0];

		for (size_t i = 1; i < HANDLES && handles[i].rec; i++) {
			if (handles[i].next_ms < first->next_ms)
				first = &handles[i];
		}
		if (first->next_ms >= end_ms)
			break;
		if (first->next_ms > clock_ms)
			clock_ms = first->next_ms;
		step(first);
	}
	clock_ms = end_ms;
}

static void tries_every_half_second_while_something_can_be_saved(void **state)
{
	(void)state;
	open_handle(&handles[0], "?ttl=10");
	run_until(clock_ms + TTL_S * 1000);
	assert_in_range(handles[0].attempts, 16, 27);
	assert_in_range(handles[0].longest_pause_ms, 500, 625);
}

static void tries_every_few_seconds_for_an_hour(void **state)
{
	uint64_t back_ms = clock_ms + HOUR_MS;

	(void)state;
	open_handle(&handles[0], "?ttl=10");
	run_until(back_ms);
	assert_in_range(handles[0].longest_pause_ms, 4500, 5000);
	assert_in_range(handles[0].attempts, HOUR_MS / 5000, HOUR_MS / 3500);
	fake_rules(fake, healthy);
	run_until(back_ms + 5001);
	assert_in_range(handles[0].registered_ms, back_ms, back_ms + 5000);
}

static void retries_a_heartbeat_elsewhere_at_once_and_then_every_half_second(void **state)
{
	static const struct fake_rule one_fails[] = {
		{"/lease/keepalive", 503, "{}", 1},
		{"/lease/keepalive", 200, KEPT, 0},
		{"/timetolive", 403, V3_ERROR(7, "permission denied"), 0},
		{0}};
	struct handle *h = &handles[0];
	char two_nodes[64];

	(void)state;
	snprintf(two_nodes, sizeof(two_nodes), ",localhost:%u?ttl=10", fake->port);
	open_handle(h, two_nodes);
	fake_rules(fake, healthy);
	run_until(clock_ms + 1);
	assert_true(h->registered_ms > 0);
	fake_rules(fake, one_fails);
	run_until(clock_ms + TTL_S * 500);
	assert_int_equal(fake_count(fake, "/lease/keepalive"), 2);
	assert_int_equal(reconcile_error(h->rec)->code, 0);
	fake_rules(fake, down);
	run_until(clock_ms + TTL_S * 500);
	assert_int_equal(fake_count(fake, "/lease/keepalive"), 2);
	assert_in_range(h->next_ms - clock_ms, 300, 625);
	run_until(clock_ms + 4000);
	assert_in_range(fake_count(fake, "/lease/keepalive") / 2, 1 + 4000 / 625, 1 + 4000 / 375);
}

static int compare_times(const void *a, const void *b)
{
	const struct handle *x = a, *y = b;

	return (x->registered_ms > y->registered_ms) - (x->registered_ms < y->registered_ms);
}

/* All handles lose etcd in the same millisecond. */
static void many_come_back_one_by_one(void **state)
{
	uint64_t back_ms = clock_ms + LOST_MS;

	(void)state;
	for (size_t i = 0; i < HANDLES; i++)
		open_handle(&handles[i], "?ttl=10");
	run_until(back_ms);
	fake_rules(fake, healthy);
	run_until(back_ms + 5001);
	qsort(handles, HANDLES, sizeof(*handles), compare_times);
	assert_in_range(handles[0].registered_ms, back_ms, back_ms + 5000);
	assert_in_range(handles[HANDLES - 1].registered_ms, handles[0].registered_ms + 2000,
			back_ms + 5000);
	for (size_t i = 3; i < HANDLES; i++)
		assert_true(handles[i].registered_ms > handles[i - 3].registered_ms + 50);
}

/*
 * A handle with a short TTL retries within a heartbeat interval, so that no lease that etcd has
 * kept expires.
 */
static void pauses_for_an_interval_at_most(void **state)
{
	static const struct {
		unsigned ttl_s;
		unsigned longest_ms;
	} rows[] = {{3, 1500}, {4, 2000}, {10, 5000}, {3600, 5000}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t now = 1000, longest = 0, end = now + 2 * HOUR_MS;
		struct outage o = {0};

		ROW("%u", rows[i].ttl_s);
		while (now < end) {
			outage_fail(&o, now, rows[i].ttl_s);
			assert_int_equal(o.failed_ms, now);
			longest = o.retry_ms - now > longest ? o.retry_ms - now : longest;
			now = o.retry_ms;
		}
		assert_in_range(longest, rows[i].longest_ms * 95 / 100, rows[i].longest_ms);
	}
}

static void begins_anew_with_each_outage(void **state)
{
	struct outage o = {0};

	(void)state;
	for (uint64_t now = 1000; now < HOUR_MS; now += 5000)
		outage_fail(&o, now, TTL_S);
	assert_int_equal(o.pause_ms, 4000);
	o.lasts = false;
	outage_fail(&o, HOUR_MS, TTL_S);
	assert_int_equal(o.pause_ms, OUTAGE_PROBE_MS);
	assert_in_range(o.retry_ms, HOUR_MS + 375, HOUR_MS + 625);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(tries_every_half_second_while_something_can_be_saved),
		TEST(tries_every_few_seconds_for_an_hour),
		TEST(retries_a_heartbeat_elsewhere_at_once_and_then_every_half_second),
		TEST(many_come_back_one_by_one),
		cmocka_unit_test(pauses_for_an_interval_at_most),
		cmocka_unit_test(begins_anew_with_each_outage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
