/* SPDX-License-Identifier: MIT */
/*
 * hash.h - a 64-bit hash of bytes: FNV-1a.
 *
 * Two inputs may have the same hash, and a sender of bytes can choose such inputs.  A hash is valid
 * in this process only, since callers hash numbers as they are in memory.
 *
 * To hash several parts, pass the hash of the parts before; the first part takes HASH_START:
 *
 *	hash = hash_text(hash_text(HASH_START, name), host);
 */
#ifndef ETCDREG_LIB_BASE_HASH_H
#define ETCDREG_LIB_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH_START UINT64_C(0xcbf29ce484222325)

static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* Hashes the NUL too, so that ("ab", "c") and ("a", "bc") differ. */
static inline uint64_t hash_text(uint64_t hash, const char *text)
{
	return hash_bytes(hash, text, strlen(text) + 1);
}

#endif
