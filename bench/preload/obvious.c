/* SPDX-License-Identifier: MIT */
/*
 * obvious - the first thing that one would write: a preloaded object, linked with libcurl.  Its
 * thread registers the first TCP socket that listens, in etcd v3, keeps its lease alive, and
 * revokes it at exit.  It reads the same settings as the product (one host in ETCD_REGISTRY_URL, a
 * bare ETCD_REGISTRY_NAME, ETCD_REGISTRY_HOST), and writes the same key and document.
 *
 * The thread blocks all signals and leaves the host's file descriptors alone.  Without a name it
 * does nothing.  It lacks everything for which the product has an agent.
 */
#define _GNU_SOURCE
#include <curl/curl.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TTL_S 10
#define REQUEST_TIMEOUT_MS 3000L
#define EXIT_TIMEOUT_S 1
#define RETRY_S 1
#define TEXT_MAX 512
#define BODY_MAX 4096

struct answer {
	char text[BODY_MAX];
	size_t len;
};

static struct {
	char base[TEXT_MAX], namespace[TEXT_MAX], name[TEXT_MAX], hostname[TEXT_MAX];
	unsigned port;
	pid_t pid;
	pthread_t thread;
} host; /* written before the thread starts */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool leaving; /* protected by lock */

static bool format(char *to, size_t size, const char *form, ...)
	__attribute__((format(printf, 3, 4)));

static bool format(char *to, size_t size, const char *form, ...)
{
	va_list arguments;
	int len;

	va_start(arguments, form);
	len = vsnprintf(to, size, form, arguments);
	va_end(arguments);
	return len >= 0 && (size_t)len < size;
}

static bool copy(char *to, const char *from, size_t len)
{
	return format(to, TEXT_MAX, "%.*s", (int)len, from) && len > 0;
}

/* http://host:port[/namespace] */
static bool read_settings(void)
{
	const char *url = getenv("ETCD_REGISTRY_URL"), *name = getenv("ETCD_REGISTRY_NAME");
	const char *hostname = getenv("ETCD_REGISTRY_HOST"), *slashes, *slash;

	if (!url || !name || !hostname)
		return false;
	slashes = strstr(url, "://");
	if (!slashes)
		return false;
	slash = strchr(slashes + 3, '/');
	if (slash &&
	    !format(host.namespace, TEXT_MAX, "%.*s/", (int)strcspn(slash + 1, "?"), slash + 1))
		return false;
	return copy(host.base, url, slash ? (size_t)(slash - url) : strlen(url)) &&
	       copy(host.name, name, strlen(name)) &&
	       copy(host.hostname, hostname, strlen(hostname));
}

static size_t take(char *from, size_t size, size_t count, void *to)
{
	struct answer *answer = to;
	size_t len = size * count;

	if (len >= sizeof(answer->text) - answer->len)
		return 0;
	memcpy(answer->text + answer->len, from, len);
	answer->len += len;
	answer->text[answer->len] = '\0';
	return len;
}

static bool call(CURL *curl, const char *method, const char *body, struct answer *answer)
{
	char url[TEXT_MAX + 64];
	long status = 0;

	answer->len = 0;
	answer->text[0] = '\0';
	if (!format(url, sizeof(url), "%s/v3/%s", host.base, method) ||
	    curl_easy_setopt(curl, CURLOPT_URL, url) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer) != CURLE_OK ||
	    curl_easy_perform(curl) != CURLE_OK ||
	    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK)
		return false;
	return status == 200;
}

static unsigned long long number_after(const char *text, const char *what)
{
	const char *at = strstr(text, what);

	return at ? strtoull(at + strlen(what), NULL, 10) : 0;
}

static unsigned long long grant(CURL *curl)
{
	struct answer answer;
	char body[32];

	if (!format(body, sizeof(body), "{\"TTL\":%d}", TTL_S) ||
	    !call(curl, "lease/grant", body, &answer))
		return 0;
	return number_after(answer.text, "\"ID\":\"");
}

static bool make_document(char *key, char *value, size_t size)
{
	char url[2 * TEXT_MAX], named[4 * TEXT_MAX], id[2 * SHA_DIGEST_LENGTH + 1];
	unsigned char digest[SHA_DIGEST_LENGTH];

	if (!format(url, sizeof(url), "http://%s:%u", host.hostname, host.port) ||
	    !format(named, sizeof(named), "%s-%s", host.name, url))
		return false;
	SHA1((const unsigned char *)named, strlen(named), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)format(id + 2 * i, 3, "%02x", digest[i]);
	return format(key, size, "/services/%s%s/%s", host.namespace, host.name, id) &&
	       format(value, size,
		      "{\"port\":%u,\"name\":\"%s\",\"hostname\":\"%s\",\"host\":\"%s:%u\","
		      "\"url\":\"%s\"}",
		      host.port, host.name, host.hostname, host.hostname, host.port, url);
}

static bool put(CURL *curl, unsigned long long lease)
{
	char key[BODY_MAX], value[BODY_MAX], body[4 * BODY_MAX];
	unsigned char key64[2 * BODY_MAX], value64[2 * BODY_MAX];
	struct answer answer;

	if (!make_document(key, value, sizeof(key)))
		return false;
	EVP_EncodeBlock(key64, (unsigned char *)key, (int)strlen(key));
	EVP_EncodeBlock(value64, (unsigned char *)value, (int)strlen(value));
	return format(body, sizeof(body), "{\"key\":\"%s\",\"value\":\"%s\",\"lease\":\"%llu\"}",
		      key64, value64, lease) &&
	       call(curl, "kv/put", body, &answer);
}

static bool call_lease(CURL *curl, const char *method, unsigned long long lease,
		       unsigned long long *ret_ttl)
{
	struct answer answer;
	char body[64];

	if (!format(body, sizeof(body), "{\"ID\":\"%llu\"}", lease) ||
	    !call(curl, method, body, &answer))
		return false;
	*ret_ttl = number_after(answer.text, "\"TTL\":\"");
	return true;
}

/* Returns true if the host is leaving. */
static bool pause_for(int seconds)
{
	struct timespec until;
	bool left;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += seconds;
	pthread_mutex_lock(&lock);
	while (!leaving && pthread_cond_timedwait(&changed, &lock, &until) == 0)
		;
	left = leaving;
	pthread_mutex_unlock(&lock);
	return left;
}

/* Keeps the lease until the host leaves or the lease is lost. */
static void hold(CURL *curl, unsigned long long lease)
{
	unsigned long long ttl = TTL_S;

	while (!pause_for(TTL_S / 2))
		if (call_lease(curl, "lease/keepalive", lease, &ttl) && ttl == 0)
			return;
	(void)call_lease(curl, "lease/revoke", lease, &ttl);
}

static void register_host(CURL *curl)
{
	unsigned long long lease;

	do {
		lease = grant(curl);
		if (lease && put(curl, lease))
			hold(curl, lease);
	} while (!pause_for(RETRY_S));
}

static void *run(void *unused)
{
	CURL *curl = curl_easy_init();

	if (curl && curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, REQUEST_TIMEOUT_MS) == CURLE_OK)
		register_host(curl);
	curl_easy_cleanup(curl);
	return unused;
}

static void leave(void)
{
	struct timespec until;

	if (getpid() != host.pid)
		return;
	pthread_mutex_lock(&lock);
	leaving = true;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += EXIT_TIMEOUT_S;
	pthread_timedjoin_np(host.thread, NULL, &until);
}

static void start_thread(void)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	host.pid = getpid();
	if (pthread_create(&host.thread, NULL, run, NULL) == 0)
		atexit(leave);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void announce(int fd)
{
	struct sockaddr_in address = {0};
	socklen_t len = sizeof(address);

	if (host.pid || getsockname(fd, (struct sockaddr *)&address, &len) < 0 ||
	    address.sin_family != AF_INET || !read_settings())
		return;
	host.port = ntohs(address.sin_port);
	start_thread();
}

__attribute__((visibility("default"))) int listen(int fd, int backlog)
{
	static int (*real)(int, int);
	int rc;

	if (!real)
		real = (int (*)(int, int))dlsym(RTLD_NEXT, "listen");
	rc = real(fd, backlog);
	if (rc == 0)
		announce(fd);
	return rc;
}
