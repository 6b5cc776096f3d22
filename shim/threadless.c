/* SPDX-License-Identifier: MIT */
/* threadless.c - connect, announce, close. */
#include "threadless.h"

#include <asm-generic/errno.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "channel.h"
#include "forgotten.h"
#include "futex.h"
#include "raw.h"
#include "sockets.h"

#define PATIENCE_MS 50 /* for an agent that is starting or ending */
#define GIVE_UP_MS 100

/* the pid of who is in threadless_announce(); 0: nobody */
static FORGOTTEN _Atomic uint32_t announcer;

static int open_soon(void)
{
	uint64_t deadline = now_ms() + GIVE_UP_MS;
	int fd;

	while ((fd = channel_open(PATIENCE_MS)) == -EAGAIN && now_ms() < deadline)
		sleep_ms(1);
	return fd;
}

static int announce_all(int fd)
{
	struct wire_socket socket;
	int rc = channel_send_hello(fd);

	while (rc == 0 && sockets_next(&socket)) {
		rc = channel_send_listen(fd, &socket);
		if (rc == 0)
			sockets_settle(socket.cookie, socket.inode, true);
	}
	return rc;
}

static int announce(void)
{
	int fd = open_soon(), rc;

	if (fd < 0)
		return fd;
	rc = announce_all(fd);
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
			channel_complain(rc);
		}
		atomic_store(&announcer, 0);
	}
}

void threadless_forget(void)
{
	atomic_store(&announcer, 0);
}
