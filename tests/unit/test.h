/* SPDX-License-Identifier: MIT */
/* test.h - cmocka, and the headers that it needs before it. */
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

/* A loaded machine may add this to any time.  A failure takes longer. */
#define SLOW_MACHINE_MS 2000

/* Prints the row of a table before an assertion may fail on it. */
#define ROW(format, ...) print_message("row: " format "\n", __VA_ARGS__)

/* TEST='*lease*' runs only the tests whose names match; scripts/run-unit sets it. */
__attribute__((constructor)) static inline void take_filter(void)
{
	const char *filter = getenv("TEST");

	if (filter && *filter)
		cmocka_set_test_filter(filter);
}

#endif
