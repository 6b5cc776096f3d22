/* SPDX-License-Identifier: MIT */
/*
 * http_options.h - set the options of libcurl from tables.
 *
 * With a row for each option, an error can name the option that failed.  Only http.c and
 * http_stream.c use this.
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
 * Sets `len` options in their order, up to the first that libcurl refuses.  The manual of an option
 * says whether libcurl borrows or copies the bytes behind a pointer.  Fails with ETCDREG_E_SYSTEM
 * and a message that names the option, or with _NOMEM.
 */
int http_set_options(CURL *easy, const struct http_option *options, size_t len,
		     struct etcdreg_err *err);

/* Sets all that requests and streams of `tls` have in common, but not where the answer goes. */
int http_set_constants(CURL *easy, const struct tls_files *tls, struct etcdreg_err *err);

/* Sets the options of one request, but not its time limit.  Borrows `rq` and `headers`. */
int http_set_request(CURL *easy, const struct http_request *rq, struct curl_slist *headers,
		     struct etcdreg_err *err);

#endif
