/* SPDX-License-Identifier: MIT */
/* The documents under a folder, page by page at one revision. */
#define _GNU_SOURCE
#include "v3_list.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/codec.h"
#include "lib/base/err.h"
#include "v3_requests.h"

#define PAGE_KEYS 1000 /* about 500 kB */
#define TRIES 5

struct document {
	char *key;
	size_t key_len;
	char *text; /* NULL: the value is not text */
};

struct pages {
	struct document *all;
	size_t len;
	size_t cap;
	size_t whole;     /* documents of complete pages */
	int64_t revision; /* of all pages; 0: no page yet */
	int64_t read_revision;
	bool more;
};

static void drop_from(struct pages *pages, size_t from)
{
	while (pages->len > from) {
		free(pages->all[--pages->len].key);
		free(pages->all[pages->len].text);
	}
}

static void pages_release(struct pages *pages)
{
	drop_from(pages, 0);
	free(pages->all);
}

static const struct document *last_of(const struct pages *pages)
{
	return pages->len > 0 ? &pages->all[pages->len - 1] : NULL;
}

static struct document *append(struct pages *pages)
{
	if (!ARRAY_RESERVE(pages->all, pages->cap, pages->len))
		return NULL;
	return &pages->all[pages->len++];
}

static int read_kv(const struct json *kv, struct pages *pages, struct etcdreg_err *err)
{
	const char *key64 = json_text(json_get(kv, "key"));
	const char *text64 = json_text(json_get(kv, "value"));
	size_t key_len, text_len;
	CLEANUP(free) char *key = key64 ? codec_unbase64(key64, &key_len) : NULL;
	CLEANUP(free) char *text = text64 ? codec_unbase64(text64, &text_len) : NULL;
	struct document *document;

	if (!key || key[0] != '/')
		return err_set(err, ETCDREG_E_PROTO, "the answer to a range request lacks a 'key'");
	document = append(pages);
	if (!document)
		return err_nomem(err);
	*document = (struct document){STEAL(key), key_len, STEAL(text)};
	return 0;
}

/* Whether the page ends after the one before it.  Otherwise the pages might never end. */
static bool goes_on(const struct pages *pages)
{
	const struct document *last, *before;
	size_t common;
	int order;

	if (pages->len == pages->whole || pages->whole == 0)
		return pages->len > pages->whole;
	last = last_of(pages);
	before = &pages->all[pages->whole - 1];
	common = before->key_len < last->key_len ? before->key_len : last->key_len;
	order = memcmp(before->key, last->key, common);
	return order < 0 || (order == 0 && before->key_len < last->key_len);
}

static int read_page(const struct json *answer, void *arg, struct etcdreg_err *err)
{
	const struct json *kv = json_first(json_get(answer, "kvs"));
	struct pages *pages = arg;

	drop_from(pages, pages->whole);
	if (!json_int(json_get(json_get(answer, "header"), "revision"), &pages->read_revision))
		return err_set(err, ETCDREG_E_PROTO,
			       "the answer to a range request lacks 'revision'");
	for (; kv; kv = json_next(kv)) {
		int r = read_kv(kv, pages, err);

		if (r < 0)
			return r;
	}
	pages->more = json_is_true(json_get(answer, "more"));
	if (pages->more && !goes_on(pages))
		return err_set(err, ETCDREG_E_PROTO, "the next page of a list brings no new keys");
	return 0;
}

/* The folder ends with '/'.  The byte after that, '0', ends the range. */
void v3_add_folder(struct buf *b, const char *folder, const char *key, size_t key_len)
{
	CLEANUP(free) char *end = strdup(folder);

	if (!end) {
		buf_fail(b);
		return;
	}
	end[strlen(end) - 1] = '/' + 1;
	buf_puts(b, "\"key\":");
	if (key)
		v3_quote_base64(b, key, key_len);
	else
		v3_add_key(b, folder);
	buf_puts(b, ",\"range_end\":");
	v3_add_key(b, end);
}

/* The next page starts at the last key with a NUL appended: the smallest key after it. */
static int add_page(struct v3_access *s, const char *folder, struct pages *pages,
		    struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf body = BUF_INIT(V3_TEXT_MAX);
	const struct v3_request rq = {"/kv/range", &body, CLUSTER_LIST_MAX};
	const struct document *last = last_of(pages);
	int r;

	buf_puts(&body, "{");
	v3_add_folder(&body, folder, last ? last->key : NULL, last ? last->key_len + 1 : 0);
	buf_printf(&body, ",\"limit\":\"%d\",\"revision\":\"%lld\"}", PAGE_KEYS,
		   (long long)pages->revision);
	r = v3_call(s, &rq, read_page, pages, err);
	drop_from(pages, r < 0 ? pages->whole : pages->len);
	pages->whole = pages->len;
	if (r == 0 && pages->revision == 0)
		pages->revision = pages->read_revision;
	return r;
}

static int add_pages(struct v3_access *s, const char *folder, struct pages *pages,
		     struct etcdreg_err *err)
{
	int r;

	drop_from(pages, 0);
	pages->whole = 0;
	pages->revision = 0;
	do
		r = add_page(s, folder, pages, err);
	while (r == 0 && pages->more);
	return r;
}

int v3_list(struct v3_access *s, const struct store_query *query, struct etcdreg_err *err)
{
	CLEANUP(pages) struct pages pages = {0};
	bool is_dropped = true;
	int r = 0;

	for (int i = 0; i < TRIES && is_dropped; i++) {
		r = add_pages(s, query->folder, &pages, err);
		is_dropped = r == ETCDREG_E_NOTFOUND && pages.revision > 0;
	}
	if (is_dropped)
		return err_set(err, ETCDREG_E_SERVER,
			       "cannot list keys: etcd compacted their revision between two pages, "
			       "%d times",
			       TRIES);
	for (size_t i = 0; i < pages.len && r == 0; i++) {
		if (pages.all[i].text)
			r = query->each(pages.all[i].key + 1, pages.all[i].text, query->arg, err);
	}
	if (r == 0 && query->ret_revision)
		*query->ret_revision = pages.revision;
	return r;
}
