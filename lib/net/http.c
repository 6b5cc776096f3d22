/* SPDX-License-Identifier: MIT */
/* HTTP requests with libcurl. */
#define _GNU_SOURCE
#include "http_private.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "http_options.h"
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/err.h"
#include "tls_refusal.h"

#define POLL_MS 1000
#define HEADER_MAX 16384

static pthread_once_t global_once = PTHREAD_ONCE_INIT;
static CURLcode global_result; /* written once, by global_init() */

static void global_init(void)
{
	global_result = curl_global_init(CURL_GLOBAL_DEFAULT);
}

void http_headers_release(struct curl_slist **list)
{
	for (struct curl_slist *line = *list; line; line = line->next)
		explicit_bzero(line->data, strlen(line->data));
	curl_slist_free_all(*list);
}

size_t http_take_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct buf *body = arg;

	buf_add(body, bytes, size * count);
	return buf_failed(body) ? 0 : size * count;
}

static int init_libcurl(struct etcdreg_err *err)
{
	pthread_once(&global_once, global_init);
	if (global_result != CURLE_OK)
		return err_set(err, ETCDREG_E_SYSTEM, "cannot start libcurl: %s",
			       curl_easy_strerror(global_result));
	return 0;
}

static int init(struct http *h, const struct tls_files *tls, struct etcdreg_err *err)
{
	const struct http_option answer[] = {
		OPTION_POINTER(CURLOPT_ERRORBUFFER, h->error),
		OPTION_WRITER(CURLOPT_WRITEFUNCTION, http_take_body),
	};
	int r;

	h->tls = tls;
	h->multi = curl_multi_init();
	h->easy = curl_easy_init();
	if (!h->multi || !h->easy)
		return err_nomem(err);
	r = http_set_constants(h->easy, tls, err);
	return r < 0 ? r : http_set_options(h->easy, answer, ARRAY_LEN(answer), err);
}

int http_new(const struct tls_files *tls, struct http **ret, struct etcdreg_err *err)
{
	struct http *h;
	int r = tls_files_check(tls, err);

	if (r == 0)
		r = init_libcurl(err);
	if (r < 0)
		return r;
	h = calloc(1, sizeof(*h));
	if (!h)
		return err_nomem(err);
	r = init(h, tls, err);
	if (r < 0)
		http_free(h);
	else
		*ret = h;
	return r;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	curl_easy_cleanup(h->easy);
	curl_multi_cleanup(h->multi);
	free(h);
}

void http_keep_connections(struct http *h, bool keep)
{
	curl_easy_setopt(h->easy, CURLOPT_FORBID_REUSE, keep ? 0L : 1L);
}

void http_wake(struct http *h)
{
	curl_multi_wakeup(h->multi);
}

void http_interrupt(struct http *h)
{
	atomic_store(&h->interrupted, true);
	http_wake(h);
}

static bool add_header(struct curl_slist **list, const char *name, const char *value)
{
	CLEANUP(buf) struct buf line = BUF_INIT(HEADER_MAX);
	struct curl_slist *longer;

	buf_printf(&line, value ? "%s: %s" : "%s:", name, value);
	longer = buf_failed(&line) ? NULL : curl_slist_append(*list, line.s);
	if (longer)
		*list = longer;
	return longer;
}

/* A header without a value keeps libcurl from sending its own. */
struct curl_slist *http_make_headers(const struct http_request *rq)
{
	CLEANUP(http_headers) struct curl_slist *list = NULL;

	if (!add_header(&list, "Expect", NULL) || !add_header(&list, "Accept", "application/json"))
		return NULL;
	if (rq->body && !add_header(&list, "Content-Type", rq->content_type))
		return NULL;
	if (rq->closes && !add_header(&list, "Connection", "close"))
		return NULL;
	if (rq->authorization && !add_header(&list, "Authorization", rq->authorization))
		return NULL;
	return STEAL(list);
}

/* OpenSSL writes to sockets without MSG_NOSIGNAL; our SIGPIPE must not reach the caller. */
static void sigpipe_block(sigset_t *ret_old, bool *ret_was_pending)
{
	sigset_t pipe_only, pending;

	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	sigemptyset(&pending);
	sigpending(&pending);
	*ret_was_pending = sigismember(&pending, SIGPIPE) == 1;
	pthread_sigmask(SIG_BLOCK, &pipe_only, ret_old);
}

static void sigpipe_restore(const sigset_t *old, bool was_pending)
{
	static const struct timespec at_once;
	sigset_t pipe_only;

	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	if (!was_pending)
		sigtimedwait(&pipe_only, NULL, &at_once);
	pthread_sigmask(SIG_SETMASK, old, NULL);
}

/* Lets requests and streams go on as far as they can without waiting.  False: libcurl failed. */
static bool drive(struct http *h)
{
	int running, left;
	CURLMsg *msg;

	if (curl_multi_perform(h->multi, &running) != CURLM_OK)
		return false;
	while ((msg = curl_multi_info_read(h->multi, &left))) {
		if (msg->easy_handle != h->easy) {
			http_stream_end(msg->easy_handle);
			continue;
		}
		h->done = true;
		h->result = msg->data.result;
	}
	return true;
}

/* Runs the request to its end.  False: interrupted, or libcurl failed. */
static bool run(struct http *h)
{
	h->done = false;
	for (;;) {
		if (atomic_load(&h->interrupted) || !drive(h))
			return false;
		if (h->done)
			return true;
		if (curl_multi_poll(h->multi, NULL, 0, POLL_MS, NULL) != CURLM_OK)
			return false;
	}
}

static int connect_failure(CURL *easy, struct etcdreg_err *err)
{
	long error = 0;

	curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error);
	if (error == 0)
		return err_set(err, ETCDREG_E_UNREACH, "cannot connect");
	return err_set(err, ETCDREG_E_UNREACH, "cannot connect: %s", strerror((int)error));
}

static int tls_failure(const struct http *h, CURLcode result, struct etcdreg_err *err)
{
	const char *words = h->error[0] != '\0' ? h->error : curl_easy_strerror(result);

	return err_prefix(err, tls_refusal(h->tls, words, err), "TLS: ");
}

static bool is_new_tls(CURL *easy)
{
	char *scheme = NULL;
	long connects = 0;

	curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
	curl_easy_getinfo(easy, CURLINFO_SCHEME, &scheme);
	return connects > 0 && scheme && strcasecmp(scheme, "https") == 0;
}

/*
 * With TLS 1.3 a server refuses a client certificate after the handshake, while we send the
 * request.  A reset of the connection may arrive before the reason.
 */
static int broken(const struct http *h, CURLcode result, struct http_answer *answer,
		  struct etcdreg_err *err)
{
	if (strstr(h->error, "alert"))
		return tls_failure(h, result, err);
	answer->silent = answer->body.len == 0;
	if (!answer->silent || !is_new_tls(h->easy))
		return err_set(err, ETCDREG_E_UNREACH, "the connection broke");
	return err_prefix(err, tls_broken(h->tls, err), "TLS: ");
}

static int failure(const struct http *h, CURLcode result, const struct http_request *rq,
		   struct http_answer *answer, struct etcdreg_err *err)
{
	switch (result) {
	case CURLE_OUT_OF_MEMORY:
		return err_nomem(err);
	case CURLE_COULDNT_RESOLVE_HOST:
		return err_set(err, ETCDREG_E_UNREACH, "cannot resolve the host name");
	case CURLE_COULDNT_CONNECT:
		answer->refused = true;
		return connect_failure(h->easy, err);
	case CURLE_OPERATION_TIMEDOUT:
		return err_set(err, ETCDREG_E_UNREACH, "no answer in time");
	case CURLE_GOT_NOTHING:
		answer->silent = true;
		return err_set(err, ETCDREG_E_UNREACH, "closed the connection without an answer");
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		return broken(h, result, answer, err);
	case CURLE_PARTIAL_FILE:
		return err_set(err, ETCDREG_E_PROTO, "the answer is cut off");
	case CURLE_WRITE_ERROR:
		return err_set(err, ETCDREG_E_PROTO, "the answer is larger than %zu bytes",
			       rq->answer_max);
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return err_set(err, ETCDREG_E_PROTO, "does not speak HTTP");
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
		return tls_failure(h, result, err);
	default:
		return err_set(err, ETCDREG_E_PROTO, "%s", curl_easy_strerror(result));
	}
}

static int perform(struct http *h, const struct http_request *rq, struct http_answer *answer,
		   struct etcdreg_err *err)
{
	long status = 0;
	bool done;

	h->error[0] = '\0';
	if (curl_multi_add_handle(h->multi, h->easy) != CURLM_OK)
		return err_nomem(err);
	done = run(h);
	if (done && h->result == CURLE_OK)
		curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_multi_remove_handle(h->multi, h->easy);
	if (!done)
		return err_set(err, ETCDREG_E_TIMEOUT, "the request was interrupted");
	if (h->result != CURLE_OK)
		return failure(h, h->result, rq, answer, err);
	answer->status = (unsigned)status;
	return 0;
}

static int set_request(struct http *h, const struct http_request *rq, struct curl_slist *headers,
		       struct buf *body, struct etcdreg_err *err)
{
	const struct http_option answer[] = {
		OPTION_NUMBER(CURLOPT_TIMEOUT_MS, (long)rq->timeout_ms),
		OPTION_POINTER(CURLOPT_WRITEDATA, body),
	};
	int r = headers ? http_set_request(h->easy, rq, headers, err) : err_nomem(err);

	return r < 0 ? r : http_set_options(h->easy, answer, ARRAY_LEN(answer), err);
}

int http_perform(struct http *h, const struct http_request *rq, struct http_answer *answer,
		 struct etcdreg_err *err)
{
	CLEANUP(http_headers) struct curl_slist *headers = http_make_headers(rq);
	bool was_pending;
	sigset_t old;
	int r;

	*answer = (struct http_answer){0};
	buf_init(&answer->body, rq->answer_max);
	r = set_request(h, rq, headers, &answer->body, err);
	if (r < 0)
		return r;
	sigpipe_block(&old, &was_pending);
	r = perform(h, rq, answer, err);
	sigpipe_restore(&old, was_pending);
	if (r < 0)
		http_answer_release(answer);
	return r;
}

void http_answer_release(struct http_answer *answer)
{
	buf_release(&answer->body);
}

void http_wait(struct http *h, uint64_t timeout_ms)
{
	int poll_ms = timeout_ms < INT_MAX ? (int)timeout_ms : INT_MAX;
	bool was_pending;
	sigset_t old;

	sigpipe_block(&old, &was_pending);
	if (drive(h) && !h->has_news && !atomic_load(&h->interrupted) &&
	    curl_multi_poll(h->multi, NULL, 0, poll_ms, NULL) == CURLM_OK)
		drive(h);
	h->has_news = false;
	sigpipe_restore(&old, was_pending);
}

void http_escape(struct buf *b, const char *text, const char *keep)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *text != '\0'; text++) {
		if (strchr(plain, *text) || strchr(keep, *text))
			buf_add(b, text, 1);
		else
			buf_printf(b, "%%%02X", (unsigned char)*text);
	}
}
