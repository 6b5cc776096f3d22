/* SPDX-License-Identifier: MIT */
/* Answers that do not end, line by line. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "http_options.h"
#include "http_private.h"
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/err.h"

struct http_stream {
	struct http *http;
	CURL *easy;
	struct curl_slist *headers;
	char *body;
	struct buf text; /* arrived, and not yet read */
	size_t taken;    /* bytes of `text` that the latest line occupies */
	bool ended;
};

void http_stream_end(CURL *easy)
{
	char *private = NULL;
	struct http_stream *s;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
	s = (struct http_stream *)(void *)private;
	s->ended = true;
	s->http->has_news = true;
}

static size_t take_text(char *bytes, size_t size, size_t count, void *arg)
{
	struct http_stream *s = arg;

	s->http->has_news = true;
	return http_take_body(bytes, size, count, &s->text);
}

static int set_stream(struct http_stream *s, const struct http_request *rq, struct etcdreg_err *err)
{
	const struct http_option options[] = {
		OPTION_NUMBER(CURLOPT_TIMEOUT_MS, 0),
		OPTION_NUMBER(CURLOPT_CONNECTTIMEOUT_MS, (long)rq->timeout_ms),
		OPTION_POINTER(CURLOPT_ERRORBUFFER, NULL),
		OPTION_POINTER(CURLOPT_PRIVATE, s),
		OPTION_WRITER(CURLOPT_WRITEFUNCTION, take_text),
		OPTION_POINTER(CURLOPT_WRITEDATA, s),
	};
	int r = http_set_request(s->easy, rq, s->headers, err);

	return r < 0 ? r : http_set_options(s->easy, options, ARRAY_LEN(options), err);
}

static int start(struct http_stream *s, const struct http_request *rq, struct etcdreg_err *err)
{
	struct http_request own = *rq;
	int r;

	s->easy = curl_easy_duphandle(s->http->easy);
	s->body = rq->body ? strdup(rq->body) : NULL;
	own.body = s->body;
	own.closes = rq->body;
	s->headers = http_make_headers(&own);
	if (!s->easy || !s->headers || (rq->body && !s->body))
		return err_nomem(err);
	r = set_stream(s, &own, err);
	if (r < 0)
		return r;
	return curl_multi_add_handle(s->http->multi, s->easy) == CURLM_OK ? 0 : err_nomem(err);
}

int http_stream_open(struct http *h, const struct http_request *rq, struct http_stream **ret,
		     struct etcdreg_err *err)
{
	struct http_stream *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_nomem(err);
	s->http = h;
	buf_init(&s->text, rq->answer_max);
	r = start(s, rq, err);
	if (r < 0) {
		http_stream_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

void http_stream_close(struct http_stream *s)
{
	if (!s)
		return;
	curl_multi_remove_handle(s->http->multi, s->easy);
	curl_easy_cleanup(s->easy);
	http_headers_release(&s->headers);
	buf_release(&s->text);
	free(s->body);
	free(s);
}

const char *http_stream_line(struct http_stream *s, size_t *ret_len)
{
	char *end;

	buf_drop(&s->text, STEAL(s->taken));
	end = memchr(s->text.s, '\n', s->text.len);
	if (!end && (!s->ended || s->text.len == 0))
		return NULL;
	if (end)
		*end = '\0';
	*ret_len = end ? (size_t)(end - s->text.s) : s->text.len;
	s->taken = *ret_len + (end ? 1 : 0);
	return s->text.s;
}

unsigned http_stream_status(const struct http_stream *s)
{
	long status = 0;

	curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
	return (unsigned)status;
}

bool http_stream_ended(const struct http_stream *s)
{
	return s->ended;
}
