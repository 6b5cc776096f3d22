/* SPDX-License-Identifier: MIT */
/* http_private.h - what http.c and http_stream.c share, and nobody else includes. */
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
	bool done; /* the request; with `result` */
	CURLcode result;
	bool has_news; /* something has happened to a stream since the latest wait */
	atomic_bool interrupted;
};

/*
 * libcurl's write function; `arg` is a struct buf.  Takes what fits; a short count ends the
 * transfer.
 */
size_t http_take_body(char *bytes, size_t size, size_t count, void *arg);

/* NULL: no memory. */
struct curl_slist *http_make_headers(const struct http_request *rq);

/* Clears them too: one may be the authorization. */
void http_headers_release(struct curl_slist **list);

/* The transfer of a stream is over. */
void http_stream_end(CURL *easy);

#endif
