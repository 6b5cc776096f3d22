/* SPDX-License-Identifier: MIT */
/* threadless.c - connect, announce, close. */
#include "threadless.h"

#include <asm-generic/errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "channel.h"
#include "filter.h"
#include "forgotten.h"
#include "futex.h"
#include "raw.h"
#include "sockets.h"
#include "spawn.h"

#define PATIENCE_MS 50 /* for an agent that is starting or ending */
#define GIVE_UP_MS 100
#define START_MS 50 /* until it is known whether the agent could be started */

/* the pid of who is in threadless_announce(); 0: nobody */
static FORGOTTEN _Atomic uint32_t announcer;

static int open_soon(int *ret_listener)
{
	uint64_t deadline = now_ms() + GIVE_UP_MS;
	int fd;

	while ((fd = channel_open(PATIENCE_MS, ret_listener)) == -EAGAIN && now_ms() < deadline)
		sleep_ms(1);
	return fd;
}

static int announce_all(int fd, bool with_pidfd)
{
	struct wire_socket socket;
	int rc = channel_send_hello(fd, with_pidfd);

	while (rc == 0 && sockets_next(&socket)) {
		rc = channel_send_listen(fd, &socket);
		if (rc == 0)
			sockets_settle(socket.cookie, socket.inode, true);
	}
	return rc;
}

static int start_agent(int listener)
{
	int rc = spawn_agent(listener);

	if (rc < 0)
		return rc;
	spawn_wait(START_MS);
	return spawn_error();
}

static int announce(void)
{
	enum filter filter = filter_of_this_thread();
	int listener = -1, fd = open_soon(filter == FILTER_FEARED ? NULL : &listener), rc;

	if (fd < 0)
		return fd;
	rc = announce_all(fd, filter == FILTER_NONE);
	if (rc == 0 && listener >= 0)
		rc = start_agent(listener);
	raw_close(listener);
	raw_close(fd);
	return rc;
}

/*
 * Another pid is there in a copy of the memory of a process which forked while one of its threads
 * was announcing: what that had taken is left to the copy too.
 */
static bool begin(void)
{
	uint32_t self = raw_getpid(), other = 0;

	if (atomic_compare_exchange_strong(&announcer, &other, self))
		return true;
	if (other == self || !atomic_compare_exchange_strong(&announcer, &other, self))
		return false;
	sockets_announce_again();
	return true;
}

void threadless_announce(void)
{
	int rc = 0;

	while (rc == 0 && sockets_unannounced() && begin()) {
		rc = announce();
		if (rc < 0) {
			sockets_announce_again();
			if (rc != -EAGAIN || !channel_agent_is_starting())
				channel_complain(rc);
		}
		atomic_store(&announcer, 0);
	}
}

void threadless_forget(void)
{
	atomic_store(&announcer, 0);
}
