/* SPDX-License-Identifier: MIT */
/*
 * http_options.h - options of libcurl as rows of tables, so that an error names the option that
 * failed.  For http.c and http_stream.c alone.
 */
#ifndef ETCDREG_LIB_NET_HTTP_OPTIONS_H
#define ETCDREG_LIB_NET_HTTP_OPTIONS_H

#include <curl/curl.h>
#include <stddef.h>

#include "http.h"

struct http_option {
	CURLoption option;
	const char *name;
	enum { HTTP_NUMBER, HTTP_SIZE, HTTP_POINTER, HTTP_WRITER } kind;
	union {
		long number;
		curl_off_t size;
		const void *pointer; /* a text too; NULL: libcurl's default */
		curl_write_callback writer;
	};
};

#define HTTP_OPTION(option_, kind_, field_, value_)                                        \
	{                                                                                  \
		.option = (option_), .name = #option_, .kind = (kind_), .field_ = (value_) \
	}
#define OPTION_NUMBER(option, value) HTTP_OPTION(option, HTTP_NUMBER, number, value)
#define OPTION_SIZE(option, value) HTTP_OPTION(option, HTTP_SIZE, size, value)
#define OPTION_POINTER(option, value) HTTP_OPTION(option, HTTP_POINTER, pointer, value)
#define OPTION_WRITER(option, value) HTTP_OPTION(option, HTTP_WRITER, writer, value)

/*
 * Sets `len` options in their order, up to the first that libcurl refuses.  What a pointer points
 * to is kept or copied as libcurl says of that option.  Fails with ETCDREG_E_SYSTEM, the message
 * naming the option, or with _NOMEM.
 */
int http_set_options(CURL *easy, const struct http_option *options, size_t len,
		     struct etcdreg_err *err);

/* All that is the same for every request and stream of `tls`, but for where the answer goes. */
int http_set_constants(CURL *easy, const struct tls_files *tls, struct etcdreg_err *err);

/* Those of one request but for the time that it may take; borrows `rq` and `headers`. */
int http_set_request(CURL *easy, const struct http_request *rq, struct curl_slist *headers,
		     struct etcdreg_err *err);

#endif
