/* SPDX-License-Identifier: MIT */
/*
 * http.h - HTTP requests and streams over kept-alive connections, with libcurl.
 *
 * A struct http runs one request at a time, and beside it any number of streams: answers that do
 * not end, read line by line.  No other module uses libcurl.
 *
 * It speaks HTTP/1.1 over http and https only, and TLS 1.2 or later.  It always verifies
 * certificates, and uses neither proxies nor redirects.  It reads nothing from the environment and
 * leaves the process's signals alone: its thread blocks SIGPIPE while a request runs.
 *
 * Streams need no thread: they go on while a request runs and while http_wait() waits.
 *
 * Threads: one at a time uses a struct http and its streams; any thread may call http_wake() and
 * http_interrupt().  Fork: do not use it in the child.
 *
 * If a kept-alive connection breaks before the first byte of the answer, libcurl sends the request
 * once more, on a new connection.
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
 * Borrows `tls` until http_free().  Each connection reads the files again, so they may be replaced
 * at any time.  Fails as tls_files_check() does, with ETCDREG_E_SYSTEM if libcurl lacks an option,
 * which the message names, or with _NOMEM.
 */
int http_new(const struct tls_files *tls, struct http **ret, struct etcdreg_err *err);
void http_free(struct http *h);

struct http_request {
	const char *method;
	const char *url;
	const char *body;          /* NULL: none */
	const char *content_type;  /* of the body */
	const char *authorization; /* value of the header; NULL: none */
	bool closes;               /* asks the server to close the connection after the answer */
	size_t answer_max;         /* bytes */
	unsigned timeout_ms;       /* from the name's resolution to the last byte */
};

struct http_answer {
	unsigned status;
	struct buf body;
	bool refused; /* of a failure: could not connect */
	bool silent;  /* of a failure: the node closed the connection before any answer */
};

/*
 * Sends the request and waits for the whole answer, whatever its status.  Initialises `answer`;
 * after success, release it with http_answer_release().  Fails with
 *
 *	ETCDREG_E_UNREACH   cannot connect, no answer, or no answer in time
 *	ETCDREG_E_PROTO     the answer is not HTTP, cut off, or too large
 *	ETCDREG_E_DENIED    one side refuses the other's TLS
 *	ETCDREG_E_TIMEOUT   http_interrupt() ended the request
 *	ETCDREG_E_SYSTEM    libcurl refuses an option
 *	ETCDREG_E_NOMEM     no memory
 *
 * A message holds nothing that changes from one attempt to the next.
 */
int http_perform(struct http *h, const struct http_request *rq, struct http_answer *answer,
		 struct etcdreg_err *err);
void http_answer_release(struct http_answer *answer);

/* Sets whether later requests and streams keep their connections for others; at first they do. */
void http_keep_connections(struct http *h, bool keep);

/* Ends the request that is running, makes all later ones fail at once, and wakes http_wait(). */
void http_interrupt(struct http *h);

struct http_stream;

/*
 * Begins a request without waiting.  rq->timeout_ms limits the time to connect, and rq->answer_max
 * one line, in bytes.  Keeps nothing of `rq`.  Close *ret before http_free().  Fails with
 * ETCDREG_E_SYSTEM if libcurl refuses an option, which the message names, or with _NOMEM.
 *
 * A stream with a body always `closes`.  Otherwise a Go server stops reading the body when its
 * answer begins, and may miss a part of it.
 */
int http_stream_open(struct http *h, const struct http_request *rq, struct http_stream **ret,
		     struct etcdreg_err *err);
void http_stream_close(struct http_stream *s);

/*
 * Returns the next complete line that has arrived, without its newline.  In an answer that has
 * ended, the bytes after the last newline are a line too.  The line is valid until the next call of
 * any function here.  NULL: none for now.
 */
const char *http_stream_line(struct http_stream *s, size_t *ret_len);

/* Returns the status of the answer; 0 if there is none yet. */
unsigned http_stream_status(const struct http_stream *s);

/* Returns whether no more can arrive: the stream could not connect, was cut off, or ended. */
bool http_stream_ended(const struct http_stream *s);

/*
 * Lets the streams go on until something happens to one of them, or the time is up.  Returns at
 * once if http_wake() was called since the latest wait, and sometimes without a reason.
 */
void http_wait(struct http *h, uint64_t timeout_ms);
void http_wake(struct http *h);

/* Adds `text`, percent-encoded except for [A-Za-z0-9-._~] and the characters of `keep`. */
void http_escape(struct buf *b, const char *text, const char *keep);

#endif
