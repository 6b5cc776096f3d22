/* SPDX-License-Identifier: MIT */
/* The messages of wire.h: check those that arrive, build those that go out. */
#include "messages.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/control_chars.h"
#include "lib/base/err.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static int check_length(size_t len, size_t wanted, struct etcdreg_err *err)
{
	if (len == wanted)
		return 0;
	return err_set(err, ETCDREG_E_PROTO, "the message has %zu bytes instead of %zu", len,
		       wanted);
}

static int parse_hello(const void *bytes, size_t len, struct message *ret, struct etcdreg_err *err)
{
	struct wire_hello hello;

	if (len < sizeof(hello))
		return check_length(len, sizeof(hello), err);
	memcpy(&hello, bytes, sizeof(hello));
	if (hello.settings_len != len - sizeof(hello))
		return err_set(err, ETCDREG_E_PROTO, "the settings have %zu bytes instead of %u",
			       len - sizeof(hello), hello.settings_len);
	ret->pid = hello.pid;
	ret->settings = (const char *)bytes + sizeof(hello);
	ret->settings_len = hello.settings_len;
	if (ret->settings_len == 0 || ret->settings[ret->settings_len - 1] != '\0')
		return err_set(err, ETCDREG_E_PROTO, "the settings do not end with a NUL");
	for (size_t i = 0; i < ret->settings_len; i++) {
		char c = ret->settings[i];

		if (is_control(c) && c != '\0' && !strchr("\t\n\r", c))
			return err_set(err, ETCDREG_E_PROTO,
				       "the settings have control characters");
	}
	return 0;
}

static int parse_listen(const void *bytes, size_t len, struct message *ret, struct etcdreg_err *err)
{
	struct wire_listen message;
	struct wire_socket *s = &ret->socket;
	int r = check_length(len, sizeof(message), err);

	if (r < 0)
		return r;
	memcpy(&message, bytes, sizeof(message));
	*s = message.socket;
	if (s->port == 0)
		return err_set(err, ETCDREG_E_PROTO, "the socket has no port");
	if (s->family != AF_INET && s->family != AF_INET6)
		return err_set(err, ETCDREG_E_PROTO, "the socket has the unknown family %u",
			       s->family);
	if (s->protocol != IPPROTO_TCP && s->protocol != IPPROTO_UDP &&
	    s->protocol != IPPROTO_MPTCP)
		return err_set(err, ETCDREG_E_PROTO, "the socket has the unknown protocol %u",
			       s->protocol);
	if (s->inode == 0)
		return err_set(err, ETCDREG_E_PROTO, "the socket has no inode");
	return 0;
}

static int parse_bye(const void *bytes, size_t len, struct message *ret, struct etcdreg_err *err)
{
	struct wire_bye bye;
	int r = check_length(len, sizeof(bye), err);

	if (r < 0)
		return r;
	memcpy(&bye, bytes, sizeof(bye));
	ret->forked = bye.forked != 0;
	return 0;
}

static int parse_body(const void *bytes, size_t len, struct message *ret, struct etcdreg_err *err)
{
	switch (ret->type) {
	case WIRE_HELLO:
		return parse_hello(bytes, len, ret, err);
	case WIRE_LISTEN:
		return parse_listen(bytes, len, ret, err);
	case WIRE_BEAT:
		return check_length(len, sizeof(struct wire_header), err);
	case WIRE_BYE:
		return parse_bye(bytes, len, ret, err);
	default:
		return err_set(err, ETCDREG_E_PROTO, "the message has the unknown type %u",
			       ret->type);
	}
}

int message_parse(const void *bytes, size_t len, struct message *ret, struct etcdreg_err *err)
{
	struct wire_header header;
	struct message message = {0};
	int r;

	if (len < sizeof(header))
		return err_set(err, ETCDREG_E_PROTO, "%zu bytes are too few for a message", len);
	if (len > WIRE_MAX)
		return err_set(err, ETCDREG_E_PROTO, "the message has more than %u bytes",
			       WIRE_MAX);
	memcpy(&header, bytes, sizeof(header));
	if (header.magic != WIRE_MAGIC)
		return err_set(err, ETCDREG_E_PROTO, "not a message of this protocol");
	if (header.version != WIRE_VERSION)
		return err_set(err, ETCDREG_E_PROTO, "the message has version %u instead of %u",
			       header.version, WIRE_VERSION);
	message.type = header.type;
	r = parse_body(bytes, len, &message, err);
	if (r < 0)
		return r;
	*ret = message;
	return 0;
}

static void start_answer(struct answer *answer, enum wire_type type, size_t len)
{
	memset(&answer->u, 0, len);
	answer->u.header = (struct wire_header){WIRE_MAGIC, WIRE_VERSION, (uint16_t)type};
	answer->len = len;
}

/* Returns the number of bytes that it added, the NUL included. */
static uint32_t add_text(struct answer *answer, const char *text)
{
	char *at = answer->u.bytes + answer->len;
	size_t len = text ? strnlen(text, WIRE_TEXT_MAX - 1) : 0;

	if (!text)
		return 0;
	memcpy(at, text, len);
	at[len] = '\0';
	mask_controls(at);
	answer->len += len + 1;
	return (uint32_t)len + 1;
}

void answer_welcome(struct answer *answer, uint32_t interval_ms)
{
	start_answer(answer, WIRE_WELCOME, sizeof(answer->u.welcome));
	answer->u.welcome.interval_ms = interval_ms;
}

void answer_refused(struct answer *answer, const char *text)
{
	start_answer(answer, WIRE_REFUSED, sizeof(answer->u.refused));
	answer->u.refused.text_len = add_text(answer, text);
}

void answer_outcome(struct answer *answer, const struct wire_socket *socket,
		    enum wire_outcome_what what, const char *text)
{
	start_answer(answer, WIRE_OUTCOME, sizeof(answer->u.outcome));
	answer->u.outcome.cookie = socket->cookie;
	answer->u.outcome.inode = socket->inode;
	answer->u.outcome.what = what;
	answer->u.outcome.text_len = add_text(answer, text);
}

void answer_left(struct answer *answer)
{
	start_answer(answer, WIRE_LEFT, sizeof(answer->u.header));
}
