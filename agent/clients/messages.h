/* SPDX-License-Identifier: MIT */
/*
 * messages.h - check the messages of clients and build the answers to them (wire.h).
 *
 * Bytes in, struct out: no I/O and no state.  A client is not trusted, so lengths, magic, version,
 * numbers and text are checked before anything is used.
 */
#ifndef ETCDREG_AGENT_CLIENTS_MESSAGES_H
#define ETCDREG_AGENT_CLIENTS_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/etcd-registry.h"
#include "lib/wire.h"

struct message {
	enum wire_type type;
	uint32_t pid;              /* HELLO: as the sender claims, for log lines only */
	const char *settings;      /* HELLO: points into the parsed bytes */
	size_t settings_len;       /* its last byte is a NUL */
	struct wire_socket socket; /* LISTEN */
	bool forked;               /* BYE */
};

/*
 * Parses exactly one message that a client may send.  Fails with ETCDREG_E_PROTO, and says why:
 *
 *	the magic, version or type is another one
 *	the length does not fit the type
 *	the settings do not end with a NUL, or have control characters that JSON does not allow
 *	the socket has no port, no inode, or another family or protocol
 */
int message_parse(const void *bytes, size_t len, struct message *ret, struct etcdreg_err *err);

/* An answer, ready to be sent. */
struct answer {
	size_t len;
	union {
		struct wire_header header;
		struct wire_welcome welcome;
		struct wire_outcome outcome;
		struct wire_refused refused;
		char bytes[sizeof(struct wire_outcome) + WIRE_TEXT_MAX];
	} u;
};

/*
 * Each builds one answer.  `text` may be NULL.  It is cut to WIRE_TEXT_MAX bytes, and its control
 * characters become '?'.
 */
void answer_welcome(struct answer *answer, uint32_t interval_ms);
void answer_refused(struct answer *answer, const char *text);
void answer_outcome(struct answer *answer, const struct wire_socket *socket,
		    enum wire_outcome_what what, const char *text);
void answer_left(struct answer *answer);

#endif
