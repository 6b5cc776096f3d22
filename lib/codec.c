/* SPDX-License-Identifier: MIT */
/* SHA-1 and base64, by libcrypto. */
#include "codec.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "etcd-registry.h"

int codec_sha1_hex(const void *bytes, size_t len, char ret[static CODEC_SHA1_HEX])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_len;

	if (EVP_Digest(bytes, len, digest, &digest_len, EVP_sha1(), NULL) != 1 ||
	    digest_len * 2 + 1 != CODEC_SHA1_HEX)
		return ETCDREG_E_SYSTEM;
	for (unsigned i = 0; i < digest_len; i++) {
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
