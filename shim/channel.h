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
 * Connect to the agent of the process's settings.  The operator's, where ETCD_REGISTRY_AGENT names
 * one; else the one that listens on the name of settings_agent_name(), which is started if nobody
 * does.  Where another user's process has that name, or whoever has it lets nobody connect for
 * `patience_ms`, a private agent is started, one line on stderr says so, and later calls go to that
 * one.  Returns a descriptor to close with raw_close(), or a negative errno:
 *   -EAGAIN        not now, try again within milliseconds (an agent is starting or ending, or its
 *                  queue is full)
 *   -ENOENT        no agent binary
 *   -ECHILD        no process can be had for an agent
 *   anything else  as the kernel said
 */
int channel_open(uint32_t patience_ms);

/* Say on stderr, once, that there is no agent because of `error`, as channel_open() gave it. */
void channel_complain(int error);

/* Send one message.  0 or a negative errno; after one the channel is to be closed. */
int channel_send_hello(int fd);
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
