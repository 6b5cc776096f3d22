/* SPDX-License-Identifier: MIT */
/*
 * A document, as anybody may write it to etcd.  Its one-line form is the same document, and JSON
 * strings are read as they were written.
 */
#include "fuzz.h"

#include "lib/base/buf.h"
#include "lib/base/cleanup.h"
#include "lib/base/json.h"
#include "lib/registry/entry.h"

/*
 * cJSON also accepts \u without its four digits before some characters.  The line then has the same
 * fault.
 */
static bool has_bad_escape(const char *text)
{
	while ((text = strstr(text, "\\u"))) {
		text += 2;
		if (strspn(text, "0123456789abcdefABCDEF") < 4)
			return true;
	}
	return false;
}

static void check_same_line(const char *line)
{
	CLEANUP(free) char *again = json_one_line(line);

	for (const char *c = line; *c != '\0'; c++)
		FUZZ_MUST((unsigned char)*c >= 0x20);
	FUZZ_MUST(again && strcmp(again, line) == 0);
}

static void check_entry(const struct etcdreg_entry *e)
{
	struct etcdreg_entry again;

	FUZZ_MUST(e->port <= UINT16_MAX);
	check_same_line(e->json);
	FUZZ_MUST(entry_read(e->json, NULL, &again) == ENTRY_READ);
	FUZZ_MUST(strcmp(e->name, again.name) == 0 && strcmp(e->url, again.url) == 0);
	FUZZ_MUST(strcmp(e->host, again.host) == 0 && strcmp(e->hostname, again.hostname) == 0);
	FUZZ_MUST(e->port == again.port);
	entry_release(&again);
}

static void check_quoting(const char *text)
{
	CLEANUP(buf) struct buf b = BUF_INIT((size_t)1 << 20);
	struct json *json;

	json_quote(&b, text);
	FUZZ_MUST(!buf_failed(&b));
	json = json_parse(b.s, b.len);
	FUZZ_MUST(json_text(json) && strcmp(json_text(json), text) == 0);
	json_free(json);
}

static void check_meta(const char *meta)
{
	const struct json_document document = {
		.name = "web", .hostname = "h", .host = "h:80", .url = "http://h:80", .port = 80};
	CLEANUP(free) char *text = NULL;
	struct etcdreg_entry entry;

	if (json_write_document(&document, meta, &text, NULL) < 0)
		return;
	FUZZ_MUST(entry_read(text, "web", &entry) == ENTRY_READ);
	FUZZ_MUST(strcmp(entry.url, "http://h:80") == 0 && entry.port == 80);
	entry_release(&entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(free) char *text = fuzz_text(data, size);
	struct etcdreg_entry entry;

	switch (entry_read(text, NULL, &entry)) {
	case ENTRY_READ:
		if (!has_bad_escape(text))
			check_entry(&entry);
		entry_release(&entry);
		break;
	case ENTRY_NONE:
		break;
	case ENTRY_NOMEM:
		fuzz_fail(__FILE__, __LINE__, "there is memory");
	}
	check_quoting(text);
	check_meta(text);
	return 0;
}
