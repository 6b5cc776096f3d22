/* SPDX-License-Identifier: MIT */
/* SHA-1 and base64, with libcrypto. */
#define OPENSSL_SUPPRESS_DEPRECATED /* see codec_sha1_hex() */
#include "codec.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "lib/etcd-registry.h"

/*
 * The digest makes names and protects nothing, so the deprecated functions are good enough.  With
 * EVP_sha1(), OpenSSL 3 looks for a provider, which costs the first call 0.6 ms, and the system's
 * policy may refuse it.
 */
int codec_sha1_hex(const void *bytes, size_t len, char ret[static CODEC_SHA1_HEX])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[SHA_DIGEST_LENGTH];
	SHA_CTX state;

	if (SHA1_Init(&state) != 1 || SHA1_Update(&state, bytes, len) != 1 ||
	    SHA1_Final(digest, &state) != 1)
		return ETCDREG_E_SYSTEM;
	for (unsigned i = 0; i < SHA_DIGEST_LENGTH; i++) {
		ret[i * 2] = digits[digest[i] >> 4];
		ret[i * 2 + 1] = digits[digest[i] & 15];
	}
	ret[CODEC_SHA1_HEX - 1] = '\0';
	return 0;
}

char *codec_base64(const void *bytes, size_t len)
{
	char *text;

	if (len > INT_MAX / 2)
		return NULL;
	text = malloc((len + 2) / 3 * 4 + 1);
	if (text)
		EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
	return text;
}

char *codec_unbase64(const char *text, size_t *ret_len)
{
	size_t text_len = strlen(text), padding = 0;
	char *bytes;
	int len;

	if (text_len % 4 != 0 || text_len > INT_MAX / 2)
		return NULL;
	while (padding < 2 && padding < text_len && text[text_len - 1 - padding] == '=')
		padding++;
	if (strcspn(text, "=") != text_len - padding)
		return NULL;
	bytes = malloc(text_len / 4 * 3 + 1);
	if (!bytes)
		return NULL;
	len = EVP_DecodeBlock((unsigned char *)bytes, (const unsigned char *)text, (int)text_len);
	if (len < 0 || (size_t)len != text_len / 4 * 3) {
		free(bytes);
		return NULL;
	}
	*ret_len = (size_t)len - padding;
	bytes[*ret_len] = '\0';
	return bytes;
}
