/* SPDX-License-Identifier: MIT */
/*
 * http.h - one HTTP request at a time over kept-alive connections, and beside it any number of
 * streams: answers that do not end, read line by line.  Nobody else uses libcurl.
 *
 * No proxy, no redirects, http and https only, HTTP/1.1, TLS >= 1.2 with verification always on.
 * Nothing is read from the environment, and the process's signals are left alone (SIGPIPE is
 * blocked while a request runs).
 *
 * Streams cost no thread: they go on while a request runs and while http_wait() waits.
 *
 * Threads: a struct http and its streams are used by one thread at a time; http_wake() and
 * http_interrupt() alone may be called from any other.  Fork: not in the child.
 *
 * A request that loses a kept-alive connection before the first byte of the answer is sent again
 * by libcurl, once, on a new one.
 */
#ifndef ETCDREG_LIB_NET_HTTP_H
#define ETCDREG_LIB_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/etcd-registry.h"
#include "tls_files.h"

struct http;

/*
 * `tls` is borrowed until http_free().  Each connection reads the files anew, so they may be
 * replaced at any time.  Fails as tls_files_check() does, with ETCDREG_E_SYSTEM (libcurl lacks an
 * option, which the message names), or with _NOMEM.
 */
int http_new(const struct tls_files *tls, struct http **ret, struct etcdreg_err *err);
void http_free(struct http *h);

struct http_request {
	const char *method;
	const char *url;
	const char *body;          /* NULL: none */
	const char *content_type;  /* of the body */
	const char *authorization; /* value of the header; NULL: none */
	bool closes;               /* tells the server that the connection ends with it */
	size_t answer_max;         /* bytes */
	unsigned timeout_ms;       /* from the name's resolution to the last byte */
};

struct http_answer {
	unsigned status;
	struct buf body;
	bool refused; /* of a failure: no connection could be had */
	bool silent;  /* of a failure: the connection was closed before any answer */
};

/*
 * Sends the request and waits for the whole answer, whatever its status.  `answer` need not be
 * initialised; release it with http_answer_release() where the call succeeded.
 * Fails with ETCDREG_E_UNREACH (no connection, no answer in time, none at all), _PROTO (not HTTP,
 * cut off, too large), _DENIED (TLS refused by either side), _TIMEOUT (interrupted), _SYSTEM
 * (libcurl refused an option) or _NOMEM.
 * The messages hold nothing that changes from one attempt to the next.
 */
int http_perform(struct http *h, const struct http_request *rq, struct http_answer *answer,
		 struct etcdreg_err *err);
void http_answer_release(struct http_answer *answer);

/* Whether the connections of requests and streams from now on are kept for others; at first yes. */
void http_keep_connections(struct http *h, bool keep);

/* Ends the request that is running, and makes all later ones fail at once; wakes http_wait(). */
void http_interrupt(struct http *h);

struct http_stream;

/*
 * Begins a request without waiting for anything.  rq->timeout_ms is what connecting may take, and
 * rq->answer_max the longest line, in bytes.  Nothing of `rq` is kept.  To be closed before the
 * struct http is freed.  NULL: no memory.
 *
 * One with a body is a request that `closes`: else Go's server stops reading the body where its
 * answer begins, which may be after a part of it.
 */
struct http_stream *http_stream_open(struct http *h, const struct http_request *rq);
void http_stream_close(struct http_stream *s);

/*
 * The next whole line that has come, without its newline, or what came after the last one of an
 * answer that has ended.  Valid until the next call of anything here; NULL: none for now.
 */
const char *http_stream_line(struct http_stream *s, size_t *ret_len);

/* Of the answer; 0: there is none yet. */
unsigned http_stream_status(const struct http_stream *s);

/* Nothing will come any more: it could not connect, was cut off, or ended. */
bool http_stream_ended(const struct http_stream *s);

/*
 * Lets the streams go on, until something has happened to one of them, http_wake() was called since
 * the wait before, or the time is up.  May return for no reason.
 */
void http_wait(struct http *h, uint64_t timeout_ms);
void http_wake(struct http *h);

/* Adds `text` with all but [A-Za-z0-9-._~] and the characters of `keep` percent-encoded. */
void http_escape(struct buf *b, const char *text, const char *keep);

#endif
