/* SPDX-License-Identifier: MIT */
/*
 * channel.h - the connection to the agent, and the messages of lib/wire.h on it.  Called by the
 * object's thread alone, with a file table of its own, or by one thread at a time that announces
 * inline.  Nothing blocks; the socket is non-blocking.
 */
#ifndef ETCDREG_SHIM_CHANNEL_H
#define ETCDREG_SHIM_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/wire.h"

/*
 * Connect to the agent of the process's settings.  That is the operator's, where
 * ETCD_REGISTRY_AGENT names one, else the one that listens on the name of settings_agent_name().
 * If nobody does, the caller now holds the name.  Then *ret_listener is the socket to start an
 * agent with (spawn_agent()), once everything has been sent that the agent is to hear; else it is
 * -1.  Without `ret_listener` no agent is to be started.
 *
 * Another user's process may have the name, or its holder lets nobody connect for `patience_ms`.
 * Then the kernel chooses a name for a private agent, one line on stderr says so, and later calls
 * go to that one.
 *
 * Returns a descriptor or a negative errno.  Both descriptors are to be closed with raw_close():
 *   -EAGAIN        not now, try again within milliseconds (an agent is starting or ending, or its
 *                  queue is full)
 *   -EOPNOTSUPP    no agent runs, and none is to be started
 *   anything else  as the kernel said
 */
int channel_open(uint32_t patience_ms, int *ret_listener);

/* Has this process taken a name within the last seconds, so that -EAGAIN is to be expected? */
bool channel_agent_is_starting(void);

/*
 * Say on stderr, once, that there is no agent because of `error`, which is of channel_open(),
 * spawn_agent() or spawn_error().
 */
void channel_complain(int error);

/*
 * Send one message.  0 or a negative errno; after one the channel is to be closed.  A hello
 * `with_pidfd` makes a system call more, which a filter may not know; without it the agent goes by
 * the credentials of the connection.
 */
int channel_send_hello(int fd, bool with_pidfd);
int channel_send_listen(int fd, const struct wire_socket *socket);
int channel_send_beat(int fd);
int channel_send_bye(int fd, bool forked);

/* A message of the agent, checked: whole, of this version, texts terminated. */
struct channel_message {
	uint16_t type;          /* WIRE_WELCOME, _REFUSED, _OUTCOME or _LEFT */
	uint32_t interval_ms;   /* of WELCOME */
	uint32_t what;          /* of OUTCOME */
	uint64_t cookie, inode; /* of OUTCOME */
	const char *text;       /* of REFUSED and OUTCOME, "": none; until the next call */
};

/*
 * The next message.  1: there is one; 0: none now; negative: the connection is over, or the agent
 * talks nonsense.
 */
int channel_receive(int fd, struct channel_message *ret);

/* Wait until there is something to receive, at most `timeout_ms`. */
void channel_poll(int fd, uint32_t timeout_ms);

#endif
