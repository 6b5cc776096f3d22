/* SPDX-License-Identifier: MIT */
/* The conditions under which an agent that a host started ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/worker/lifetime.h"

enum { START_MS = 1000000 };

static void nobody_came(void **state)
{
	struct lifetime l;

	(void)state;
	lifetime_init(&l, START_MS);
	assert_int_equal(lifetime_judge(&l, false, true, START_MS + 4999), LIFETIME_GO_ON);
	assert_true(lifetime_obeys(&l));
	assert_int_equal(lifetime_judge(&l, false, true, START_MS + 5000), LIFETIME_RETIRE);
	assert_int_equal(lifetime_judge(&l, false, true, START_MS + 5000), LIFETIME_END);
}

static void needed_then_deletes_then_newcomers(void **state)
{
	struct lifetime l;

	(void)state;
	lifetime_init(&l, START_MS);
	assert_int_equal(lifetime_judge(&l, true, true, START_MS + 9000), LIFETIME_GO_ON);
	assert_false(lifetime_obeys(&l));
	assert_int_equal(lifetime_judge(&l, false, false, START_MS + 9000), LIFETIME_GO_ON);
	assert_int_equal(lifetime_judge(&l, false, true, START_MS + 9300), LIFETIME_GO_ON);
	assert_int_equal(l.deadline_ms, START_MS + 10300);
	lifetime_arrival(&l, START_MS + 10000);
	assert_int_equal(lifetime_judge(&l, false, true, START_MS + 10300), LIFETIME_GO_ON);
	assert_int_equal(lifetime_judge(&l, true, true, START_MS + 10500), LIFETIME_GO_ON);
	assert_false(lifetime_obeys(&l));
}

static void deletes_are_waited_for_a_second(void **state)
{
	struct lifetime l;

	(void)state;
	lifetime_init(&l, START_MS);
	(void)lifetime_judge(&l, true, true, START_MS);
	assert_int_equal(lifetime_judge(&l, false, false, START_MS), LIFETIME_GO_ON);
	assert_int_equal(lifetime_judge(&l, false, false, START_MS + 999), LIFETIME_GO_ON);
	assert_int_equal(lifetime_judge(&l, false, false, START_MS + 1000), LIFETIME_GO_ON);
	assert_int_equal(lifetime_judge(&l, false, false, START_MS + 1999), LIFETIME_GO_ON);
	assert_int_equal(lifetime_judge(&l, false, false, START_MS + 2000), LIFETIME_RETIRE);
}

static void who_was_in_the_queue_is_served(void **state)
{
	struct lifetime l;

	(void)state;
	lifetime_init(&l, START_MS);
	assert_int_equal(lifetime_judge(&l, false, true, START_MS + 5000), LIFETIME_RETIRE);
	lifetime_arrival(&l, START_MS + 5000);
	assert_int_equal(lifetime_judge(&l, false, true, START_MS + 5001), LIFETIME_GO_ON);
	assert_int_equal(lifetime_judge(&l, true, true, START_MS + 5002), LIFETIME_GO_ON);
	assert_int_equal(lifetime_judge(&l, false, true, START_MS + 8000), LIFETIME_END);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_came),
		cmocka_unit_test(needed_then_deletes_then_newcomers),
		cmocka_unit_test(deletes_are_waited_for_a_second),
		cmocka_unit_test(who_was_in_the_queue_is_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
