/* SPDX-License-Identifier: MIT */
/*
 * fake_etcd.h - an HTTP server inside a test, for answers that a test cannot get from a real etcd.
 *
 * It matches each request, as the text "METHOD PATH BODY auth=X closes", against the rules.  The
 * last two parts are there only if the headers say so.  The first rule whose `request` is part of
 * that text, and that is not used up, gives the answer.  A request that matches no rule gets status
 * 599.  The server keeps every request.  It has one thread and serves up to FAKE_CONNS connections,
 * which it keeps alive.
 *
 * A rule of status FAKE_STREAM starts an answer that does not end.  fake_push() sends more of it,
 * on the latest such connection.
 */
#ifndef ETCDREG_TESTS_UNIT_FAKE_ETCD_H
#define ETCDREG_TESTS_UNIT_FAKE_ETCD_H

#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef FAKE_CONNS
#define FAKE_CONNS 16
#endif
#define FAKE_LOG_MAX 64
#define FAKE_TEXT_MAX 65536
#define FAKE_STREAM 1

struct fake_rule {
	const char *request; /* NULL ends the rules */
	unsigned status;     /* 0: sends `answer` as it is and closes the connection;
				   FAKE_STREAM: sends it as the first chunk */
	const char *answer;  /* the body, copied by fake_rules(); NULL: never answers */
	unsigned times;      /* 0: no limit */
};

struct fake_etcd {
	int listener;
	int stop[2];
	unsigned port;
	pthread_t thread;
	pthread_mutex_t lock; /* protects all below */
	struct fake_rule rules[32];
	char *log[FAKE_LOG_MAX];
	size_t log_len;
	int stream; /* -1: none */
};

struct fake_conn {
	int fd;
	size_t len;
	char text[FAKE_TEXT_MAX];
};

/* The caller holds the lock. */
static inline const struct fake_rule *fake_rule_for(struct fake_etcd *f, const char *request)
{
	static const struct fake_rule none = {"", 599, "{}", 0};

	if (f->log_len < FAKE_LOG_MAX)
		f->log[f->log_len++] = strdup(request);
	for (struct fake_rule *rule = f->rules; rule->request; rule++) {
		if (!strstr(request, rule->request) || rule->times == UINT32_MAX)
			continue;
		if (rule->times > 0 && --rule->times == 0)
			rule->times = UINT32_MAX;
		return rule;
	}
	return &none;
}

static inline void fake_send_chunk(int fd, const char *text)
{
	char head[32];
	int len = snprintf(head, sizeof(head), "%zx\r\n", strlen(text));

	if (text[0] == '\0')
		return;
	(void)!send(fd, head, (size_t)len, MSG_NOSIGNAL | MSG_MORE);
	(void)!send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_MORE);
	(void)!send(fd, "\r\n", 2, MSG_NOSIGNAL);
}

static inline void fake_begin_stream(struct fake_etcd *f, int fd, const char *first)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

	f->stream = fd;
	(void)!send(fd, head, sizeof(head) - 1, MSG_NOSIGNAL);
	fake_send_chunk(fd, first);
}

/*
 * Sends the answer.  Returns false if the caller must close the connection.  The caller holds the
 * lock.
 */
static inline bool fake_answer(struct fake_etcd *f, int fd, const char *request)
{
	const struct fake_rule *rule = fake_rule_for(f, request);
	char head[256];
	int len;

	if (!rule->answer)
		return true;
	if (rule->status == FAKE_STREAM) {
		fake_begin_stream(f, fd, rule->answer);
		return true;
	}
	if (rule->status == 0) {
		(void)!send(fd, rule->answer, strlen(rule->answer), MSG_NOSIGNAL);
		return false;
	}
	len = snprintf(head, sizeof(head), "HTTP/1.1 %u X\r\nContent-Length: %zu\r\n\r\n",
		       rule->status, strlen(rule->answer));
	return send(fd, head, (size_t)len, MSG_NOSIGNAL | MSG_MORE) == len &&
	       send(fd, rule->answer, strlen(rule->answer), MSG_NOSIGNAL) >= 0;
}

/* Returns the length of the first whole request in the text, 0 if it is not complete yet. */
static inline size_t fake_request_len(const char *text)
{
	const char *end = strstr(text, "\r\n\r\n");
	const char *length = strcasestr(text, "\r\nContent-Length:");
	size_t len;

	if (!end)
		return 0;
	len = (size_t)(end - text) + 4;
	if (length && length < end)
		len += strtoul(length + 17, NULL, 10);
	return strlen(text) >= len ? len : 0;
}

static inline bool fake_serve(struct fake_etcd *f, struct fake_conn *conn)
{
	ssize_t n = recv(conn->fd, conn->text + conn->len, sizeof(conn->text) - conn->len - 1, 0);
	bool goes_on = true;
	size_t len;

	if (n <= 0)
		return false;
	conn->len += (size_t)n;
	conn->text[conn->len] = '\0';
	len = fake_request_len(conn->text);
	if (len > 0) {
		char *body = strstr(conn->text, "\r\n\r\n") + 4;
		char *target = strstr(conn->text, " HTTP/1.1");
		char *authorization = strcasestr(conn->text, "\r\nAuthorization: ");
		char *closes = strcasestr(conn->text, "\r\nConnection: close\r\n");
		static char request[2 * FAKE_TEXT_MAX];

		conn->len = 0;
		if (!target)
			return false;
		snprintf(request, sizeof(request), "%.*s %s%s%.*s%s", (int)(target - conn->text),
			 conn->text, body, authorization ? " auth=" : "",
			 authorization ? (int)strcspn(authorization + 17, "\r") : 0,
			 authorization ? authorization + 17 : "",
			 closes && closes < body ? " closes" : "");
		pthread_mutex_lock(&f->lock);
		goes_on = fake_answer(f, conn->fd, request);
		pthread_mutex_unlock(&f->lock);
	}
	return goes_on;
}

static inline void fake_close(struct fake_etcd *f, int fd)
{
	pthread_mutex_lock(&f->lock);
	if (f->stream == fd)
		f->stream = -1;
	close(fd);
	pthread_mutex_unlock(&f->lock);
}

static inline void *fake_run(void *arg)
{
	static struct fake_conn conns[FAKE_CONNS];
	struct fake_etcd *f = arg;
	struct pollfd fds[FAKE_CONNS + 2];
	size_t len = 0;

	for (;;) {
		fds[0] = (struct pollfd){.fd = f->stop[0], .events = POLLIN};
		fds[1] =
			(struct pollfd){.fd = f->listener, .events = len < FAKE_CONNS ? POLLIN : 0};
		for (size_t i = 0; i < len; i++)
			fds[i + 2] = (struct pollfd){.fd = conns[i].fd, .events = POLLIN};
		if (poll(fds, len + 2, -1) < 0 || fds[0].revents)
			break;
		for (size_t i = len; i-- > 0;) {
			if (fds[i + 2].revents && !fake_serve(f, &conns[i])) {
				fake_close(f, conns[i].fd);
				conns[i] = conns[--len];
			}
		}
		if (fds[1].revents) {
			conns[len].len = 0;
			conns[len].fd = accept(f->listener, NULL, NULL);
			len += conns[len].fd >= 0;
		}
	}
	while (len > 0)
		fake_close(f, conns[--len].fd);
	return NULL;
}

/* A test can run one at a time: the connections are static. */
static inline struct fake_etcd *fake_start(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	struct fake_etcd *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->stream = -1;
	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(f->listener >= 0);
	assert_int_equal(bind(f->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(f->listener, FAKE_CONNS), 0);
	assert_int_equal(getsockname(f->listener, (struct sockaddr *)&address, &len), 0);
	f->port = ntohs(address.sin_port);
	assert_int_equal(pipe(f->stop), 0);
	pthread_mutex_init(&f->lock, NULL);
	assert_int_equal(pthread_create(&f->thread, NULL, fake_run, f), 0);
	return f;
}

/* Replaces all rules and forgets the requests. */
static inline void fake_rules(struct fake_etcd *f, const struct fake_rule *rules)
{
	size_t i = 0;

	pthread_mutex_lock(&f->lock);
	for (; f->rules[i].request; i++)
		free((char *)(uintptr_t)f->rules[i].answer);
	for (i = 0; rules[i].request; i++) {
		f->rules[i] = rules[i];
		f->rules[i].answer = rules[i].answer ? strdup(rules[i].answer) : NULL;
	}
	f->rules[i].request = NULL;
	while (f->log_len > 0)
		free(f->log[--f->log_len]);
	pthread_mutex_unlock(&f->lock);
}

static inline void fake_push(struct fake_etcd *f, const char *text)
{
	bool is_there;

	pthread_mutex_lock(&f->lock);
	is_there = f->stream >= 0;
	fake_send_chunk(f->stream, text);
	pthread_mutex_unlock(&f->lock);
	assert_true(is_there);
}

/* Cuts off the stream. */
static inline void fake_cut(struct fake_etcd *f)
{
	pthread_mutex_lock(&f->lock);
	shutdown(f->stream, SHUT_RDWR);
	pthread_mutex_unlock(&f->lock);
}

/* Returns how many requests contained the text. */
static inline size_t fake_count(struct fake_etcd *f, const char *text)
{
	size_t count = 0;

	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < f->log_len; i++)
		count += strstr(f->log[i], text) ? 1 : 0;
	pthread_mutex_unlock(&f->lock);
	return count;
}

static inline void fake_stop(struct fake_etcd *f)
{
	static const struct fake_rule none[] = {{0}};

	assert_int_equal(write(f->stop[1], "", 1), 1);
	pthread_join(f->thread, NULL);
	fake_rules(f, none);
	close(f->stop[0]);
	close(f->stop[1]);
	close(f->listener);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

#endif
