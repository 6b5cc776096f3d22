/* SPDX-License-Identifier: MIT */
/*
 * fake_http.h - replaces lib/net/http.c and lib/net/http_stream.c: the input takes the place of the
 * network.  Include it once.
 *
 * The input is a list of records, separated by RECORD_END bytes.  The first record tells the target
 * what to do.  Each of the others is one answer, for the next request or stream: its status (see
 * status_of()), then its body.  A stream's body consists of pieces, separated by PIECE_END bytes.
 * Each wait reads one piece; after the last one the stream ends.  When no records are left, nobody
 * answers.
 *
 * The code of lib/net/http_stream.c splits the body into lines.
 */
#ifndef ETCDREG_TESTS_FUZZ_FAKE_HTTP_H
#define ETCDREG_TESTS_FUZZ_FAKE_HTTP_H

/* The headers are included under the other names, so the functions below have no prototypes. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#define http_new unused_http_new
#define http_free unused_http_free
#define http_wake unused_http_wake
#define http_wait unused_http_wait
#define http_perform unused_http_perform
#define http_stream_open unused_http_stream_open
#define http_stream_close unused_http_stream_close
#define http_stream_status unused_http_stream_status
#include "lib/net/http.c"
#include "lib/net/http_stream.c"
#undef http_new
#undef http_free
#undef http_wake
#undef http_wait
#undef http_perform
#undef http_stream_open
#undef http_stream_close
#undef http_stream_status

#include "fuzz.h"
#include "lib/base/cleanup.h"
#include "lib/base/json.h"

#define RECORD_END 0x1e
#define PIECE_END 0x1f

struct fake_stream {
	struct http_stream base; /* the first member, so that http_stream_line() accepts it */
	struct fake_stream *next;
	unsigned status;
	const char *at, *end; /* the part that has not arrived yet */
};

static struct {
	const char *at, *end;
	struct fake_stream *streams;
} fake;

/* Returns false if there is none. */
static bool fake_take_record(const char **ret, size_t *ret_len)
{
	const char *end;

	if (fake.at == fake.end)
		return false;
	end = memchr(fake.at, RECORD_END, (size_t)(fake.end - fake.at));
	*ret = fake.at;
	*ret_len = (size_t)((end ? end : fake.end) - fake.at);
	fake.at = end ? end + 1 : fake.end;
	return true;
}

static unsigned status_of(char c)
{
	static const unsigned statuses[] = {0, 100, 200, 301, 400, 401, 403, 404, 500, 503};

	return c >= '0' && c <= '9' ? statuses[c - '0'] : 200;
}

/* Returns false if nobody answers. */
static bool fake_take_answer(unsigned *ret_status, const char **ret, size_t *ret_len)
{
	if (!fake_take_record(ret, ret_len) || *ret_len == 0)
		return false;
	*ret_status = status_of(**ret);
	++*ret;
	--*ret_len;
	return *ret_status != 0;
}

int http_new(const struct tls_files *tls, struct http **ret, struct etcdreg_err *err)
{
	(void)tls;
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : err_nomem(err);
}

void http_free(struct http *h)
{
	free(h);
}

void http_wake(struct http *h)
{
	(void)h;
}

/* Checks that a request is complete, whatever was answered before. */
static void check_request(const struct http_request *rq)
{
	bool is_json = rq->body && strcmp(rq->content_type, "application/json") == 0;
	struct json *json = is_json ? json_parse(rq->body, strlen(rq->body)) : NULL;

	FUZZ_MUST(strncmp(rq->url, "http://", 7) == 0 && !strpbrk(rq->url, " \r\n\t"));
	FUZZ_MUST(!is_json || json_is_object(json));
	if (rq->authorization)
		fuzz_check_line(rq->authorization, strlen(rq->authorization) + 1);
	json_free(json);
}

int http_perform(struct http *h, const struct http_request *rq, struct http_answer *answer,
		 struct etcdreg_err *err)
{
	const char *body;
	size_t len;

	(void)h;
	check_request(rq);
	*answer = (struct http_answer){0};
	if (!fake_take_answer(&answer->status, &body, &len)) {
		answer->refused = true;
		return err_set(err, ETCDREG_E_UNREACH, "nobody answers");
	}
	buf_init(&answer->body, rq->answer_max);
	buf_add(&answer->body, body, len);
	return 0;
}

int http_stream_open(struct http *h, const struct http_request *rq, struct http_stream **ret,
		     struct etcdreg_err *err)
{
	struct fake_stream *s = calloc(1, sizeof(*s));
	const char *body;
	size_t len;

	(void)err;
	FUZZ_MUST(s);
	check_request(rq);
	s->base.http = h;
	buf_init(&s->base.text, rq->answer_max);
	if (fake_take_answer(&s->status, &body, &len)) {
		s->at = body;
		s->end = body + len;
	}
	s->next = fake.streams;
	fake.streams = s;
	*ret = &s->base;
	return 0;
}

void http_stream_close(struct http_stream *base)
{
	struct fake_stream **link = &fake.streams;

	if (!base)
		return;
	while (&(*link)->base != base)
		link = &(*link)->next;
	*link = (*link)->next;
	buf_release(&base->text);
	free(base);
}

unsigned http_stream_status(const struct http_stream *s)
{
	return ((const struct fake_stream *)(const void *)s)->status;
}

static void fake_feed(struct fake_stream *s)
{
	size_t left = (size_t)(s->end - s->at);
	const char *end = left > 0 ? memchr(s->at, PIECE_END, left) : NULL;
	size_t len = end ? (size_t)(end - s->at) : left;
	CLEANUP(free) char *piece = malloc(len + 1);

	FUZZ_MUST(piece);
	memcpy(piece, left > 0 ? s->at : "", len);
	(void)take_text(piece, 1, len, &s->base);
	s->at = end ? end + 1 : s->end;
	s->base.ended = !end;
}

/* Does not wait, so code that waits for ever would spin.  The caller has its own limit. */
void http_wait(struct http *h, uint64_t timeout_ms)
{
	(void)h;
	(void)timeout_ms;
	for (struct fake_stream *s = fake.streams; s; s = s->next) {
		if (!s->base.ended)
			fake_feed(s);
	}
}

/* Returns the first record. */
static const char *fake_begin(const uint8_t *data, size_t size, size_t *ret_len)
{
	const char *first = "";

	fake.at = (const char *)data;
	fake.end = fake.at + size;
	*ret_len = 0;
	(void)fake_take_record(&first, ret_len);
	return first;
}

#endif
