/* SPDX-License-Identifier: MIT */
/*
 * messages.h - check what a client sent, and put answers together (wire.h).  Pure: bytes in, struct
 * out.  A client is not trusted: lengths, magic, version, numbers and text are checked before
 * anything is believed.
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
	uint32_t pid;              /* HELLO: the sender's own idea of it, for log lines */
	const char *settings;      /* HELLO: within the bytes that were parsed */
	size_t settings_len;       /* its last byte is a NUL */
	struct wire_socket socket; /* LISTEN */
	bool forked;               /* BYE */
};

/*
 * Fails with ETCDREG_E_PROTO, and says what is wrong, when the bytes are not exactly one message
 * that a client may send: too short or too long for its type, of another magic or version, of an
 * unknown type, settings that are not terminated or have control characters other than the blanks
 * of a JSON text, a socket without port, family or identity.
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

/* `text` may be NULL; it is cut to WIRE_TEXT_MAX, and control characters become '?'. */
void answer_welcome(struct answer *answer, uint32_t interval_ms);
void answer_refused(struct answer *answer, const char *text);
void answer_outcome(struct answer *answer, const struct wire_socket *socket,
		    enum wire_outcome_what what, const char *text);
void answer_left(struct answer *answer);

#endif
