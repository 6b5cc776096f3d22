/* SPDX-License-Identifier: MIT */
/* The messages of wire.h: which are accepted, which are refused, and the answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/clients/messages.h"

static const char settings[] = "ETCD_REGISTRY_NAME=web\0ETCD_REGISTRY_META={\n\t\"a\":1}";

static struct wire_header header(enum wire_type type)
{
	return (struct wire_header){WIRE_MAGIC, WIRE_VERSION, (uint16_t)type};
}

static size_t make_hello(char *bytes, const char *text, size_t len)
{
	const struct wire_hello hello = {
		.header = header(WIRE_HELLO), .pid = 7, .settings_len = (uint32_t)len};

	memcpy(bytes, &hello, sizeof(hello));
	memcpy(bytes + sizeof(hello), text, len);
	return sizeof(hello) + len;
}

static struct wire_listen make_listen(void)
{
	return (struct wire_listen){
		.header = header(WIRE_LISTEN),
		.socket = {.cookie = 5,
			   .inode = 9,
			   .port = 80,
			   .family = AF_INET,
			   .protocol = IPPROTO_TCP},
	};
}

static void accepts_each_message(void **state)
{
	char bytes[WIRE_MAX];
	struct message m;
	const struct wire_listen listen = make_listen();
	const struct wire_header beat = header(WIRE_BEAT);
	const struct wire_bye bye = {.header = header(WIRE_BYE), .forked = 1};

	(void)state;
	assert_int_equal(
		message_parse(bytes, make_hello(bytes, settings, sizeof(settings)), &m, NULL), 0);
	assert_int_equal(m.type, WIRE_HELLO);
	assert_int_equal(m.pid, 7);
	assert_int_equal(m.settings_len, sizeof(settings));
	assert_memory_equal(m.settings, settings, sizeof(settings));

	assert_int_equal(message_parse(&listen, sizeof(listen), &m, NULL), 0);
	assert_int_equal(m.type, WIRE_LISTEN);
	assert_memory_equal(&m.socket, &listen.socket, sizeof(m.socket));

	assert_int_equal(message_parse(&beat, sizeof(beat), &m, NULL), 0);
	assert_int_equal(m.type, WIRE_BEAT);

	assert_int_equal(message_parse(&bye, sizeof(bye), &m, NULL), 0);
	assert_int_equal(m.type, WIRE_BYE);
	assert_true(m.forked);
}

static void assert_refused(const void *bytes, size_t len, const char *why)
{
	struct message m = {.pid = 4711};
	struct etcdreg_err err = {0};

	assert_int_equal(message_parse(bytes, len, &m, &err), ETCDREG_E_PROTO);
	if (!strstr(err.msg, why))
		fail_msg("'%s' is not in '%s'", why, err.msg);
	assert_int_equal(m.pid, 4711);
}

static void refuses_headers(void **state)
{
	static char bytes[WIRE_MAX + 1];
	struct wire_header h = header(WIRE_BEAT);

	(void)state;
	assert_refused(bytes, 0, "0 bytes");
	assert_refused(&h, sizeof(h) - 1, "7 bytes");
	assert_refused(bytes, sizeof(bytes), "more than 16384 bytes");
	h.magic++;
	assert_refused(&h, sizeof(h), "not a message of this protocol");
	h = header(WIRE_BEAT);
	h.version = 2;
	assert_refused(&h, sizeof(h), "version 2");
	h = header(WIRE_WELCOME);
	assert_refused(&h, sizeof(h), "type 65");
	h = header(0);
	assert_refused(&h, sizeof(h), "type 0");
}

static void refuses_lengths(void **state)
{
	char bytes[256] = {0};
	const struct wire_listen listen = make_listen();
	const struct wire_header beat = header(WIRE_BEAT), bye = header(WIRE_BYE);
	size_t len = make_hello(bytes, settings, sizeof(settings));

	(void)state;
	assert_refused(&listen, sizeof(listen) - 1, "bytes instead of");
	assert_refused(&bye, sizeof(bye), "bytes instead of");
	assert_refused(bytes, len - 1, "settings have");
	assert_refused(bytes, len + 1, "settings have");
	assert_refused(bytes, sizeof(struct wire_hello) - 1, "bytes instead of");
	memcpy(bytes, &beat, sizeof(beat));
	assert_refused(bytes, sizeof(beat) + 1, "bytes instead of");
}

static void refuses_settings(void **state)
{
	char bytes[256];

	(void)state;
	assert_refused(bytes, make_hello(bytes, "", 0), "do not end with a NUL");
	assert_refused(bytes, make_hello(bytes, "A=b", 3), "do not end with a NUL");
	assert_refused(bytes, make_hello(bytes, "A=\x1b", 4), "control characters");
	assert_refused(bytes, make_hello(bytes, "A=\x7f", 4), "control characters");
}

static void refuses_sockets(void **state)
{
	struct wire_listen listen = make_listen();

	(void)state;
	listen.socket.port = 0;
	assert_refused(&listen, sizeof(listen), "has no port");
	listen = make_listen();
	listen.socket.family = AF_UNIX;
	assert_refused(&listen, sizeof(listen), "family 1");
	listen = make_listen();
	listen.socket.protocol = IPPROTO_SCTP;
	assert_refused(&listen, sizeof(listen), "protocol 132");
	listen = make_listen();
	listen.socket.inode = 0;
	assert_refused(&listen, sizeof(listen), "has no inode");
}

static void answers_are_whole(void **state)
{
	const struct wire_socket socket = make_listen().socket;
	struct answer a;

	(void)state;
	answer_welcome(&a, 5000);
	assert_int_equal(a.len, sizeof(struct wire_welcome));
	assert_int_equal(a.u.welcome.interval_ms, 5000);

	answer_left(&a);
	assert_int_equal(a.len, sizeof(struct wire_header));
	assert_int_equal(a.u.header.type, WIRE_LEFT);

	answer_outcome(&a, &socket, WIRE_FAILED, "one\ntwo");
	assert_int_equal(a.len, sizeof(struct wire_outcome) + 8);
	assert_int_equal(a.u.outcome.cookie, 5);
	assert_int_equal(a.u.outcome.inode, 9);
	assert_int_equal(a.u.outcome.text_len, 8);
	assert_string_equal(a.u.outcome.text, "one?two");

	answer_outcome(&a, &socket, WIRE_GONE, NULL);
	assert_int_equal(a.len, sizeof(struct wire_outcome));
	assert_int_equal(a.u.outcome.text_len, 0);
}

static void long_text_is_cut(void **state)
{
	char text[WIRE_TEXT_MAX + 100];
	struct answer a;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	answer_refused(&a, text);
	assert_int_equal(a.u.header.type, WIRE_REFUSED);
	assert_int_equal(a.u.refused.text_len, WIRE_TEXT_MAX);
	assert_int_equal(a.len, sizeof(struct wire_refused) + WIRE_TEXT_MAX);
	assert_int_equal(strlen(a.u.refused.text), WIRE_TEXT_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_each_message), cmocka_unit_test(refuses_headers),
		cmocka_unit_test(refuses_lengths),      cmocka_unit_test(refuses_settings),
		cmocka_unit_test(refuses_sockets),      cmocka_unit_test(answers_are_whole),
		cmocka_unit_test(long_text_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
