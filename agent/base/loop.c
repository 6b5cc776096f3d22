/* SPDX-License-Identifier: MIT */
/* The event loop: epoll. */
#include "loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/etcd-registry.h"

enum {
	EVENTS_MAX = 128,
	ROUNDS_MAX = 32,
};

int loop_init(struct loop *loop)
{
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return loop->epoll_fd < 0 ? ETCDREG_E_SYSTEM : 0;
}

void loop_release(struct loop *loop)
{
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	loop->epoll_fd = -1;
}

int loop_add(struct loop *loop, struct source *source, int fd, source_ready_fn *ready, void *arg)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return ETCDREG_E_SYSTEM;
	source->fd = fd;
	source->ready = ready;
	source->arg = arg;
	return 0;
}

void loop_remove(struct loop *loop, struct source *source)
{
	if (!source->ready)
		return;
	(void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
	source->ready = NULL;
}

bool loop_turn(struct loop *loop, int timeout_ms)
{
	struct epoll_event events[EVENTS_MAX];

	for (int round = 0; round < ROUNDS_MAX; round++) {
		int n = epoll_wait(loop->epoll_fd, events, EVENTS_MAX, round == 0 ? timeout_ms : 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return true;
		for (int i = 0; i < n; i++) {
			struct source *source = events[i].data.ptr;

			if (source->ready)
				source->ready(source);
		}
	}
	return false;
}
