/* SPDX-License-Identifier: MIT */
/* Resolving the name of the etcd host in a thread. */
#include "resolver.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/hostname.h"

/* The thread's input.  The thread frees it. */
struct question {
	int answer_fd;
	char hosts[];
};

static bool resolve_host(const char *host, char text[static INET6_ADDRSTRLEN])
{
	const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	int r = getaddrinfo(host, NULL, &wanted, &list);

	if (r == 0)
		r = getnameinfo(list->ai_addr, list->ai_addrlen, text, INET6_ADDRSTRLEN, NULL, 0,
				NI_NUMERICHOST);
	if (list)
		freeaddrinfo(list);
	return r == 0;
}

static void *resolve(void *arg)
{
	struct question *question = arg;
	char text[INET6_ADDRSTRLEN] = "";
	const char *host = question->hosts;

	while (host[0] && !resolve_host(host, text))
		host += strlen(host) + 1;
	(void)send(question->answer_fd, text, strlen(text) + 1, MSG_NOSIGNAL);
	close(question->answer_fd);
	free(question);
	return NULL;
}

static int start_thread(struct question *question)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	r = pthread_create(&thread, &attr, resolve, question);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r == 0 ? 0 : ETCDREG_E_SYSTEM;
}

static int start(struct resolver *resolver)
{
	CLEANUP(free) struct question *question = malloc(sizeof(*question) + resolver->hosts_size);
	int pair[2];

	if (!question)
		return ETCDREG_E_NOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return ETCDREG_E_SYSTEM;
	memcpy(question->hosts, resolver->hosts, resolver->hosts_size);
	question->answer_fd = pair[1];
	if (start_thread(question) < 0) {
		close(pair[0]);
		close(pair[1]);
		return ETCDREG_E_SYSTEM;
	}
	(void)STEAL(question);
	resolver->fd = pair[0];
	resolver->running = true;
	return 0;
}

static char *pack(const struct connstr_host *hosts, size_t hosts_len, size_t *ret_size)
{
	size_t size = 1, len = 0;
	char *packed;

	for (size_t i = 0; i < hosts_len; i++)
		size += strlen(hosts[i].host) + 1;
	packed = calloc(size, 1);
	for (size_t i = 0; packed && i < hosts_len; i++) {
		size_t host_size = strlen(hosts[i].host) + 1;

		memcpy(packed + len, hosts[i].host, host_size);
		len += host_size;
	}
	*ret_size = size;
	return packed;
}

int resolver_init(struct resolver *resolver, const struct connstr_host *hosts, size_t hosts_len)
{
	struct resolver r = {.fd = -1};

	r.hosts = pack(hosts, hosts_len, &r.hosts_size);
	if (!r.hosts)
		return ETCDREG_E_NOMEM;
	*resolver = r;
	if (hosts_len == 0)
		return 0;
	if (hostname_family(r.hosts, strlen(r.hosts), NULL) == 0)
		return start(resolver);
	resolver->address = strdup(r.hosts);
	return resolver->address ? 0 : ETCDREG_E_NOMEM;
}

static void end(struct resolver *resolver)
{
	fd_release(&resolver->fd);
	resolver->fd = -1;
	resolver->running = false;
}

void resolver_release(struct resolver *resolver)
{
	end(resolver);
	free(resolver->hosts);
	free(resolver->address);
	*resolver = (struct resolver){.fd = -1};
}

void resolver_retry(struct resolver *resolver)
{
	if (!resolver->address && !resolver->running)
		(void)start(resolver);
}

void resolver_take(struct resolver *resolver)
{
	char text[INET6_ADDRSTRLEN + 1] = "";

	if (!resolver->running)
		return;
	if (recv(resolver->fd, text, sizeof(text) - 1, MSG_DONTWAIT) > 0 && text[0])
		resolver->address = strdup(text);
	end(resolver);
}
