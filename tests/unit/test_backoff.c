/* SPDX-License-Identifier: MIT */
/* Tests of lib/base/backoff.h. */
#include "test.h"

#include <limits.h>

#include "lib/base/array.h"
#include "lib/base/backoff.h"

static void doubles_between_its_bounds(void **state)
{
	static const struct {
		unsigned ms, least, most, longer;
	} rows[] = {
		{0, 500, 4000, 500},
		{100, 500, 4000, 500},
		{500, 500, 4000, 1000},
		{2000, 500, 4000, 4000},
		{2001, 500, 4000, 4000},
		{4000, 500, 4000, 4000},
		{30000, 500, 4000, 4000},
		{200, 0, 401, 400},
		{201, 0, 401, 401},
		{500, 0, 400, 400},
		{UINT_MAX, 1, UINT_MAX, UINT_MAX},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ROW("%u", rows[i].ms);
		assert_int_equal(longer_ms(rows[i].ms, rows[i].least, rows[i].most),
				 rows[i].longer);
	}
}

static void jitter_stays_within_a_quarter(void **state)
{
	uint64_t least = UINT64_MAX, most = 0;

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		uint64_t ms = jittered_ms(1000);

		least = ms < least ? ms : least;
		most = ms > most ? ms : most;
	}
	assert_in_range(least, 750, 800);
	assert_in_range(most, 1200, 1250);
}

static void jitter_of_nothing_is_nothing(void **state)
{
	(void)state;
	assert_int_equal(jittered_ms(0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doubles_between_its_bounds),
		cmocka_unit_test(jitter_stays_within_a_quarter),
		cmocka_unit_test(jitter_of_nothing_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
