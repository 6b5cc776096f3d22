/* SPDX-License-Identifier: MIT */
/* codec.h - SHA-1 and base64, by libcrypto. */
#ifndef ETCDREG_LIB_BASE_CODEC_H
#define ETCDREG_LIB_BASE_CODEC_H

#include <stddef.h>

#define CODEC_SHA1_HEX 41 /* bytes of a SHA-1 in hex, its NUL included */

/* 0, or ETCDREG_E_SYSTEM where libcrypto refuses. */
int codec_sha1_hex(const void *bytes, size_t len, char ret[static CODEC_SHA1_HEX]);

/* Standard base64 with padding.  A new string, NULL: no memory. */
char *codec_base64(const void *bytes, size_t len);

/* The bytes, NUL-terminated, and how many.  NULL: not base64, or no memory. */
char *codec_unbase64(const char *text, size_t *ret_len);

#endif
