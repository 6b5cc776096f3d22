/* SPDX-License-Identifier: MIT */
/*
 * shim_text.h - shim/text.c for a unit test, with its memory functions renamed.  Include it once,
 * after the system's headers.
 */
#ifndef ETCDREG_TESTS_UNIT_SHIM_TEXT_H
#define ETCDREG_TESTS_UNIT_SHIM_TEXT_H

#include <stddef.h>
#include <string.h>

void *shim_memcpy(void *restrict to, const void *restrict from, size_t len);
void *shim_memset(void *s, int c, size_t len);
int shim_memcmp(const void *a, const void *b, size_t len);
void *shim_memchr(const void *s, int c, size_t len);
size_t shim_strlen(const char *s);

#define memcpy shim_memcpy
#define memset shim_memset
#define memcmp shim_memcmp
#define memchr shim_memchr
#define strlen shim_strlen
#include "shim/text.c"
#undef memcpy
#undef memset
#undef memcmp
#undef memchr
#undef strlen

#endif
