/* SPDX-License-Identifier: MIT */
/* codec.h - SHA-1 and base64, with libcrypto. */
#ifndef ETCDREG_LIB_BASE_CODEC_H
#define ETCDREG_LIB_BASE_CODEC_H

#include <stddef.h>

#define CODEC_SHA1_HEX 41 /* bytes of a SHA-1 in hex, with its NUL */

/* Writes the SHA-1 in hex, with its NUL.  Fails with ETCDREG_E_SYSTEM if libcrypto does. */
int codec_sha1_hex(const void *bytes, size_t len, char ret[static CODEC_SHA1_HEX]);

/* Returns standard base64 with padding, a new string.  NULL: too long, or no memory. */
char *codec_base64(const void *bytes, size_t len);

/*
 * Returns the decoded bytes with a NUL after them, in new memory, and how many there are without
 * the NUL.  NULL: not base64, or no memory.
 */
char *codec_unbase64(const char *text, size_t *ret_len);

#endif
