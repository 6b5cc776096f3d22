/* SPDX-License-Identifier: MIT */
/*
 * hooks.c - the two functions that the object exports, and where its life in a process begins and
 * ends.
 *
 * A hook calls the real function first, with what it was given, and looks at the socket only on
 * success.  It returns what the real function returned, with its errno.
 */
#include <linux/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "forgotten.h"
#include "heartbeat.h"
#include "raw.h"
#include "say.h"
#include "settings.h"
#include "sockets.h"
#include "symbols.h"
#include "threadless.h"

#define FIRST_INHERITED 3 /* SD_LISTEN_FDS_START */
#define HOOK __attribute__((visibility("default")))

/*
 * The process that was set up: written by the set-up and in forked children.  Another pid runs on
 * this memory after vfork() and clone(CLONE_VM), or in a copy of it after a raw clone(): there no
 * thread may be started, and the hooks only pass through.  If none is wanted, nothing of a
 * process has to be forgotten, and no handler makes its forks slower.
 */
static FORGOTTEN _Atomic uint32_t owner;

static void after_fork_in_parent(void)
{
	heartbeat_note_fork();
}

static void after_fork_in_child(void)
{
	sockets_forget();
	heartbeat_forget();
	atomic_store(&owner, raw_getpid());
}

/*
 * Nobody calls listen() for what systemd passes (socket activation).  In the constructor no thread
 * may be started, so it is announced at once.
 */
static void announce_inherited(void)
{
	struct wire_socket socket;
	bool any = false;

	for (uint32_t i = 0; i < settings_inherited(); i++) {
		int fd = FIRST_INHERITED + (int)i;
		bool udp = settings_want_udp() && socket_protocol(fd) == IPPROTO_UDP;

		if ((udp || socket_listens(fd)) && socket_describe(fd, &socket))
			any |= sockets_add(&socket) >= 0;
	}
	if (any && !settings_error())
		threadless_announce();
}

/* The first call, in the constructor or before it in a hook, sets the process up. */
static bool is_set_up(void)
{
	static _Atomic bool begun;

	if (!settings_active())
		return false;
	if (!atomic_exchange(&begun, true)) {
		say_remember();
		if (settings_thread())
			(void)symbols_at_fork(after_fork_in_parent, after_fork_in_child);
		atomic_store(&owner, raw_getpid());
		announce_inherited();
	}
	return !settings_thread() || atomic_load(&owner) == raw_getpid();
}

__attribute__((constructor)) static void construct(void)
{
	(void)is_set_up();
}

static void at_exit(void *unused)
{
	(void)unused;
	if (atomic_load(&owner) == raw_getpid())
		heartbeat_leave(settings_exit_timeout_ms());
}

/* Late, so that it runs before the host's own handlers; once, and forked children inherit it. */
static void register_exit_handler(void)
{
	static _Atomic bool done;

	if (!atomic_exchange(&done, true))
		(void)symbols_at_exit(at_exit);
}

static void announce(int fd)
{
	int *err = symbols_errno(), saved = *err;
	struct wire_socket socket;
	int place;

	if (is_set_up() && socket_describe(fd, &socket)) {
		place = sockets_add(&socket);
		register_exit_handler();
		heartbeat_ring();
		if (place >= 0 && settings_wait_ms())
			heartbeat_wait(place, settings_wait_ms());
	}
	*err = saved;
}

HOOK int listen(int fd, int backlog)
{
	int rc = symbols_listen()(fd, backlog);

	if (rc == 0)
		announce(fd);
	return rc;
}

/* A datagram socket serves once it is bound; for a stream, listen() tells. */
HOOK int bind(int fd, const struct sockaddr *address, socklen_t len)
{
	int rc = symbols_bind()(fd, address, len);

	if (rc == 0 && settings_active() && settings_want_udp() &&
	    socket_protocol(fd) == IPPROTO_UDP)
		announce(fd);
	return rc;
}
