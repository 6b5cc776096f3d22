/* SPDX-License-Identifier: MIT */
/* Tests of how libcurl is set (lib/net/http_options.c), with one that refuses options. */
#include "fake_etcd.h"

#include <curl/curl.h>

#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/net/http.h"

#undef curl_easy_setopt

static unsigned calls;        /* since refuse() */
static unsigned refused_call; /* which of them, from 1; 0: none */
static CURLcode refusal;
static char refused_name[64]; /* "CURLOPT_URL"; "": none so far */

CURLcode __real_curl_easy_setopt(CURL *easy, CURLoption option, ...);
CURLcode __wrap_curl_easy_setopt(CURL *easy, CURLoption option, ...);

static CURLcode pass(CURL *easy, CURLoption option, va_list *args)
{
	if (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB)
		return __real_curl_easy_setopt(easy, option, va_arg(*args, curl_off_t));
	if (option < CURLOPTTYPE_OBJECTPOINT)
		return __real_curl_easy_setopt(easy, option, va_arg(*args, long));
	return __real_curl_easy_setopt(easy, option, va_arg(*args, void *));
}

CURLcode __wrap_curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
	CURLcode result = refusal;
	va_list args;

	va_start(args, option);
	if (++calls == refused_call)
		snprintf(refused_name, sizeof(refused_name), "CURLOPT_%s",
			 curl_easy_option_by_id(option)->name);
	else
		result = pass(easy, option, &args);
	va_end(args);
	return result;
}

/* The `call`th option from now on, and no other. */
static void refuse(unsigned call, CURLcode with)
{
	calls = 0;
	refused_call = call;
	refusal = with;
	refused_name[0] = '\0';
}

static void set_tls(struct tls_files *ret)
{
	CLEANUP(config) struct config cfg = {0};

	assert_int_equal(config_init(&cfg, NULL), 0);
	assert_true(tls_files_init(ret, &cfg));
}

static struct http *open_http(const struct tls_files *tls)
{
	struct http *h = NULL;

	refuse(0, CURLE_OK);
	assert_int_equal(http_new(tls, &h, NULL), 0);
	return h;
}

/* Other options do not need a libcurl with TLS. */
static bool is_of_tls(const char *name)
{
	static const char *const starts[] = {"CURLOPT_SSL", "CURLOPT_CA", "CURLOPT_KEYPASSWD",
					     "CURLOPT_PROTOCOLS"};

	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		if (strncmp(name, starts[i], strlen(starts[i])) == 0)
			return true;
	}
	return false;
}

static void assert_named(int r, const struct etcdreg_err *err)
{
	char start[200];

	snprintf(start, sizeof(start),
		 "libcurl %s refused %s: ", curl_version_info(CURLVERSION_NOW)->version,
		 refused_name);
	assert_int_equal(r, ETCDREG_E_SYSTEM);
	assert_int_equal(err->code, r);
	assert_int_equal(strncmp(err->msg, start, strlen(start)), 0);
	assert_non_null(strstr(err->msg, curl_easy_strerror(refusal)));
	assert_int_equal(strstr(err->msg, "; install a libcurl with TLS") != NULL,
			 is_of_tls(refused_name));
}

static void names_the_option_that_a_handle_lacks(void **state)
{
	CLEANUP(tls_files) struct tls_files tls = {0};
	unsigned call;

	(void)state;
	set_tls(&tls);
	for (call = 1;; call++) {
		struct http *h = NULL;
		struct etcdreg_err err = {0};
		int r;

		refuse(call, CURLE_UNKNOWN_OPTION);
		r = http_new(&tls, &h, &err);
		http_free(h);
		if (r == 0)
			break;
		ROW("%s", refused_name);
		assert_named(r, &err);
		assert_null(h);
	}
	assert_true(call > 15);
}

static void names_the_option_that_a_request_lacks(void **state)
{
	static const struct fake_rule rules[] = {{"POST /path text", 200, "{}", 0}, {0}};
	struct fake_etcd *fake = fake_start();
	CLEANUP(tls_files) struct tls_files tls = {0};
	char url[100];
	const struct http_request rq = {
		.method = "POST",
		.url = url,
		.body = "text",
		.content_type = "text/plain",
		.answer_max = 100,
		.timeout_ms = 5000,
	};
	struct http_answer answer;
	struct http *h;
	int r = -1;

	(void)state;
	fake_rules(fake, rules);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/path", fake->port);
	set_tls(&tls);
	h = open_http(&tls);
	/* One that was refused is no hindrance to the next. */
	for (unsigned call = 1; r < 0; call++) {
		struct etcdreg_err err = {0};

		refuse(call, CURLE_NOT_BUILT_IN);
		r = http_perform(h, &rq, &answer, &err);
		if (r < 0)
			assert_named(r, &err);
	}
	assert_string_equal(refused_name, "");
	assert_true(calls > 6);
	assert_int_equal(answer.status, 200);
	http_answer_release(&answer);
	http_free(h);
	fake_stop(fake);
}

static void tells_that_there_is_no_memory(void **state)
{
	const struct http_request rq = {.method = "GET", .url = "http://127.0.0.1:1/"};
	CLEANUP(tls_files) struct tls_files tls = {0};
	struct http_answer answer;
	struct http *h = NULL;

	(void)state;
	set_tls(&tls);
	refuse(2, CURLE_OUT_OF_MEMORY);
	assert_int_equal(http_new(&tls, &h, NULL), ETCDREG_E_NOMEM);
	assert_null(h);
	h = open_http(&tls);
	refuse(2, CURLE_OUT_OF_MEMORY);
	assert_int_equal(http_perform(h, &rq, &answer, NULL), ETCDREG_E_NOMEM);
	http_free(h);
}

static void names_the_option_that_a_stream_lacks(void **state)
{
	const struct http_request rq = {.method = "GET", .url = "http://127.0.0.1:1/"};
	CLEANUP(tls_files) struct tls_files tls = {0};
	struct http_stream *stream = NULL;
	struct http *h;

	(void)state;
	set_tls(&tls);
	h = open_http(&tls);
	for (unsigned call = 1; !stream; call++) {
		struct etcdreg_err err = {0};
		int r;

		refuse(call, CURLE_UNKNOWN_OPTION);
		r = http_stream_open(h, &rq, &stream, &err);
		if (r < 0)
			assert_named(r, &err);
	}
	assert_true(calls > 6);
	http_stream_close(stream);
	http_free(h);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_the_option_that_a_handle_lacks),
		cmocka_unit_test(names_the_option_that_a_request_lacks),
		cmocka_unit_test(tells_that_there_is_no_memory),
		cmocka_unit_test(names_the_option_that_a_stream_lacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
