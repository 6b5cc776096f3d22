/* SPDX-License-Identifier: MIT */
/* The options of libcurl that we set, and their values. */
#define _GNU_SOURCE
#include "http_options.h"

#include <string.h>

#include "lib/base/array.h"
#include "lib/base/err.h"

/* For idle streams: the kernel notices a lost peer in two minutes, and middleboxes see traffic. */
#define KEEPALIVE_IDLE_S 30
#define KEEPALIVE_INTERVAL_S 10

static const struct http_option constants[] = {
	OPTION_NUMBER(CURLOPT_NOSIGNAL, 1),
	OPTION_POINTER(CURLOPT_PROXY, ""),
	OPTION_NUMBER(CURLOPT_FOLLOWLOCATION, 0),
	OPTION_NUMBER(CURLOPT_TCP_NODELAY, 1),
	OPTION_NUMBER(CURLOPT_TCP_KEEPALIVE, 1),
	OPTION_NUMBER(CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_S),
	OPTION_NUMBER(CURLOPT_TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S),
	OPTION_NUMBER(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1),
};

/* A libcurl without TLS refuses some of these. */
static const struct http_option tls_constants[] = {
#if LIBCURL_VERSION_NUM >= 0x075500
	OPTION_POINTER(CURLOPT_PROTOCOLS_STR, "http,https"),
#else
	OPTION_NUMBER(CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS),
#endif
	OPTION_NUMBER(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2),
	OPTION_NUMBER(CURLOPT_SSL_VERIFYPEER, 1),
	OPTION_NUMBER(CURLOPT_SSL_VERIFYHOST, 2),
	/*
	 * libcurl must keep nothing of one connection for the next, or it would not notice that a
	 * file was replaced.  A resumed TLS session goes on with the old certificates of both
	 * sides.  The cache keeps the authorities of a file for a day, by the file's name.
	 */
	OPTION_NUMBER(CURLOPT_SSL_SESSIONID_CACHE, 0),
#if LIBCURL_VERSION_NUM >= 0x075700
	OPTION_NUMBER(CURLOPT_CA_CACHE_TIMEOUT, 0),
#endif
	/* With a passphrase set, OpenSSL does not ask for one on the terminal. */
	OPTION_POINTER(CURLOPT_KEYPASSWD, ""),
};

static CURLcode set(CURL *easy, const struct http_option *option)
{
	switch (option->kind) {
	case HTTP_NUMBER:
		return curl_easy_setopt(easy, option->option, option->number);
	case HTTP_SIZE:
		return curl_easy_setopt(easy, option->option, option->size);
	case HTTP_POINTER:
		return curl_easy_setopt(easy, option->option, option->pointer);
	case HTTP_WRITER:
		return curl_easy_setopt(easy, option->option, option->writer);
	}
	return CURLE_UNKNOWN_OPTION;
}

/* `advice` is the end of the message about an option that libcurl refused. */
static int set_options(CURL *easy, const struct http_option *options, size_t len,
		       const char *advice, struct etcdreg_err *err)
{
	for (size_t i = 0; i < len; i++) {
		CURLcode result = set(easy, &options[i]);

		if (result == CURLE_OUT_OF_MEMORY)
			return err_nomem(err);
		if (result != CURLE_OK)
			return err_set(err, ETCDREG_E_SYSTEM, "libcurl %s refused %s: %s%s",
				       curl_version_info(CURLVERSION_NOW)->version, options[i].name,
				       curl_easy_strerror(result), advice);
	}
	return 0;
}

int http_set_options(CURL *easy, const struct http_option *options, size_t len,
		     struct etcdreg_err *err)
{
	return set_options(easy, options, len, "", err);
}

static int set_tls_options(CURL *easy, const struct http_option *options, size_t len,
			   struct etcdreg_err *err)
{
	return set_options(easy, options, len, "; install a libcurl with TLS", err);
}

/* CAPATH is NULL so that libcurl does not add the system's authorities to those of the file. */
static int set_authority(CURL *easy, const struct file *cacert, struct etcdreg_err *err)
{
	const struct http_option options[] = {
		OPTION_POINTER(CURLOPT_CAINFO, cacert->path),
		OPTION_POINTER(CURLOPT_CAPATH, NULL),
	};

	/* Without a file, the authorities of the system count: libcurl's default. */
	return file_is_given(cacert) ? set_tls_options(easy, options, ARRAY_LEN(options), err) : 0;
}

static const char *path_or_null(const struct file *f)
{
	return file_is_given(f) ? f->path : NULL;
}

int http_set_constants(CURL *easy, const struct tls_files *tls, struct etcdreg_err *err)
{
	const struct http_option certificate[] = {
		OPTION_POINTER(CURLOPT_SSLCERT, path_or_null(&tls->cert)),
		OPTION_POINTER(CURLOPT_SSLKEY, path_or_null(&tls->key)),
	};
	int r = http_set_options(easy, constants, ARRAY_LEN(constants), err);

	if (r == 0)
		r = set_tls_options(easy, tls_constants, ARRAY_LEN(tls_constants), err);
	if (r == 0)
		r = set_authority(easy, &tls->cacert, err);
	return r < 0 ? r : set_tls_options(easy, certificate, ARRAY_LEN(certificate), err);
}

int http_set_request(CURL *easy, const struct http_request *rq, struct curl_slist *headers,
		     struct etcdreg_err *err)
{
	const struct http_option request[] = {
		OPTION_NUMBER(CURLOPT_HTTPGET, 1),
		OPTION_POINTER(CURLOPT_CUSTOMREQUEST, rq->method),
		OPTION_POINTER(CURLOPT_URL, rq->url),
		OPTION_POINTER(CURLOPT_HTTPHEADER, headers),
	};
	const struct http_option body[] = {
		OPTION_NUMBER(CURLOPT_POST, 1),
		OPTION_SIZE(CURLOPT_POSTFIELDSIZE_LARGE,
			    rq->body ? (curl_off_t)strlen(rq->body) : 0),
		OPTION_POINTER(CURLOPT_POSTFIELDS, rq->body),
	};
	int r = http_set_options(easy, request, ARRAY_LEN(request), err);

	return r < 0 || !rq->body ? r : http_set_options(easy, body, ARRAY_LEN(body), err);
}
