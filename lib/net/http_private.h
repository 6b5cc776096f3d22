/* SPDX-License-Identifier: MIT */
/* http_private.h - the common part of http.c and http_stream.c.  No other file includes it. */
#ifndef ETCDREG_LIB_NET_HTTP_PRIVATE_H
#define ETCDREG_LIB_NET_HTTP_PRIVATE_H

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "http.h"

struct http {
	const struct tls_files *tls;
	CURLM *multi;
	CURL *easy;
	char error[CURL_ERROR_SIZE];
	bool done; /* the request has ended, with `result` */
	CURLcode result;
	bool has_news; /* something has happened to a stream since the latest wait */
	atomic_bool interrupted;
};

/*
 * Adds the bytes to `arg`, a struct buf.  This is libcurl's write function: if the bytes do not
 * fit, it returns 0, and libcurl ends the transfer.
 */
size_t http_take_body(char *bytes, size_t size, size_t count, void *arg);

/* Returns the headers of a request.  NULL: no memory. */
struct curl_slist *http_make_headers(const struct http_request *rq);

/* Clears and frees the headers: one may be the authorization. */
void http_headers_release(struct curl_slist **list);

/* Notes that the transfer of a stream is over. */
void http_stream_end(CURL *easy);

#endif
