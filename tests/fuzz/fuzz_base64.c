/* SPDX-License-Identifier: MIT */
/*
 * base64: decoding an encoded text gives the same bytes, and only one text stands for given bytes.
 */
#include "fuzz.h"

#include "lib/base/buf.h"
#include "lib/base/cleanup.h"
#include "lib/base/codec.h"
#include "lib/store/v3_requests.h"

static void check_bytes(const uint8_t *data, size_t size)
{
	CLEANUP(free) char *text = codec_base64(data, size);
	CLEANUP(buf) struct buf quoted = BUF_INIT(V3_TEXT_MAX);
	CLEANUP(free) char *bytes = NULL;
	size_t len = SIZE_MAX;

	FUZZ_MUST(text && strlen(text) == (size + 2) / 3 * 4);
	bytes = codec_unbase64(text, &len);
	FUZZ_MUST(bytes && len == size);
	FUZZ_MUST(memcmp(bytes, data, size) == 0 && bytes[len] == '\0');
	v3_quote_base64(&quoted, data, size);
	FUZZ_MUST(quoted.len == strlen(text) + 2);
	FUZZ_MUST(memcmp(quoted.s + 1, text, strlen(text)) == 0);
}

static void check_text(const char *text)
{
	size_t len = SIZE_MAX;
	CLEANUP(free) char *bytes = codec_unbase64(text, &len);
	CLEANUP(free) char *again = NULL;

	if (!bytes)
		return;
	FUZZ_MUST(len <= strlen(text) / 4 * 3 && bytes[len] == '\0');
	again = codec_base64(bytes, len);
	FUZZ_MUST(again && strlen(again) == strlen(text));
	check_bytes((const uint8_t *)bytes, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(free) char *text = fuzz_text(data, size);

	check_bytes(data, size);
	check_text(text);
	return 0;
}
