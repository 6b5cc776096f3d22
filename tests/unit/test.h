/* SPDX-License-Identifier: MIT */
/* test.h - cmocka with the headers that it wants before itself. */
#ifndef ETCDREG_TESTS_UNIT_TEST_H
#define ETCDREG_TESTS_UNIT_TEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What a loaded machine may add to any time; less than the time that a failure would take. */
#define SLOW_MACHINE_MS 2000

/* In a table, the row that failed: print it before the assertion that ends the test. */
#define ROW(format, ...) print_message("row: " format "\n", __VA_ARGS__)

/* TEST='*lease*' runs the tests of such a name; scripts/run-unit. */
__attribute__((constructor)) static inline void take_filter(void)
{
	const char *filter = getenv("TEST");

	if (filter && *filter)
		cmocka_set_test_filter(filter);
}

#endif
