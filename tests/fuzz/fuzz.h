/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - the parts that the fuzz targets share.
 *
 * Each tests/fuzz/fuzz_<target>.c has one LLVMFuzzerTestOneInput().  Its seeds and findings are in
 * tests/fuzz/corpus/<target>/.  The target is linked with libFuzzer (scripts/run-fuzz), or with
 * replay.c, which runs it on that folder.  If a property does not hold, the process ends.
 */
#ifndef ETCDREG_TESTS_FUZZ_FUZZ_H
#define ETCDREG_TESTS_FUZZ_FUZZ_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/etcd-registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_MUST(condition)                                       \
	do {                                                       \
		if (!(condition))                                  \
			fuzz_fail(__FILE__, __LINE__, #condition); \
	} while (0)

__attribute__((noreturn)) static inline void fuzz_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

/*
 * Returns the input as a text of exactly its length, so that AddressSanitizer sees any read beyond
 * it.
 */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);

	FUZZ_MUST(text);
	return text;
}

static inline bool fuzz_is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Checks a text for people: one line that fits into its buffer. */
static inline void fuzz_check_line(const char *text, size_t room)
{
	size_t len = strnlen(text, room);

	FUZZ_MUST(len < room);
	for (size_t i = 0; i < len; i++)
		FUZZ_MUST(!fuzz_is_control(text[i]));
}

/* Checks that `r` is 0, or the code of an error with a text. */
static inline void fuzz_check_result(int r, const struct etcdreg_err *err)
{
	if (r == 0)
		return;
	FUZZ_MUST(r == err->code);
	FUZZ_MUST(strcmp(etcdreg_strerror(r), etcdreg_strerror(1)) != 0);
	FUZZ_MUST(r != ETCDREG_E_NOMEM);
	fuzz_check_line(err->msg, sizeof(err->msg));
	FUZZ_MUST(err->msg[0] != '\0');
}

#endif
