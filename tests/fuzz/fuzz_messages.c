/* SPDX-License-Identifier: MIT */
/*
 * The messages that a process sends to the agent, and the settings in a hello, up to the services
 * that they ask for.  An answer with any text is complete.
 */
#include "fuzz.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "agent/clients/messages.h"
#include "agent/services/names.h"
#include "lib/base/cleanup.h"
#include "lib/config/config.h"
#include "lib/registry/entry.h"
#include "lib/registry/service.h"

static void check_document(const struct service *s)
{
	struct etcdreg_entry entry;

	FUZZ_MUST(entry_read(s->document, s->name, &entry) == ENTRY_READ);
	FUZZ_MUST(strcmp(entry.name, s->name) == 0 && strcmp(entry.url, s->url) == 0);
	FUZZ_MUST(strcmp(entry.host, s->host) == 0 && entry.port == s->port);
	FUZZ_MUST(strcmp(entry.json, s->document) == 0);
	entry_release(&entry);
}

/* Makes a service as an endpoint of the agent does, and checks it. */
static void check_service(const struct config *cfg, const struct name_item *item)
{
	const struct etcdreg_service from = {
		.name = item->name,
		.hostname = cfg->host[0] != '\0' ? cfg->host : "10.0.0.1",
		.port = item->port,
		.protocol = cfg->protocol,
		.meta = cfg->meta[0] != '\0' ? cfg->meta : NULL,
	};
	CLEANUP(service) struct service s = {0};
	struct etcdreg_err err;
	int r = service_init(&s, &from, NULL, "", &err);

	fuzz_check_result(r, &err);
	if (r == 0)
		check_document(&s);
}

static void check_settings(const struct message *message)
{
	CLEANUP(config) struct config cfg = {0};
	CLEANUP(names) struct names names = {0};
	struct etcdreg_err err;
	int r = config_init(&cfg, &err);

	FUZZ_MUST(r == 0);
	r = config_load_block(&cfg, message->settings, message->settings_len, &err);
	fuzz_check_result(r, &err);
	if (r < 0)
		return;
	r = names_parse(cfg.name, &names, &err);
	fuzz_check_result(r, &err);
	for (size_t i = 0; i < names.len; i++)
		check_service(&cfg, &names.items[i]);
}

static void check_message(const struct message *m, const uint8_t *data, size_t size)
{
	const char *begin = (const char *)data;

	switch (m->type) {
	case WIRE_HELLO:
		FUZZ_MUST(m->settings == begin + sizeof(struct wire_hello));
		FUZZ_MUST(m->settings_len == size - sizeof(struct wire_hello));
		FUZZ_MUST(m->settings[m->settings_len - 1] == '\0');
		check_settings(m);
		break;
	case WIRE_LISTEN:
		FUZZ_MUST(m->socket.port != 0 && m->socket.inode != 0);
		FUZZ_MUST(m->socket.family == AF_INET || m->socket.family == AF_INET6);
		break;
	default:
		FUZZ_MUST(m->type == WIRE_BEAT || m->type == WIRE_BYE);
	}
}

static void check_answers(const char *text)
{
	const struct wire_socket socket = {.inode = 1};
	struct answer answer;

	answer_refused(&answer, text);
	FUZZ_MUST(answer.len == sizeof(struct wire_refused) + answer.u.refused.text_len);
	fuzz_check_line(answer.u.refused.text, WIRE_TEXT_MAX);
	answer_outcome(&answer, &socket, WIRE_FAILED, text);
	FUZZ_MUST(answer.len == sizeof(struct wire_outcome) + answer.u.outcome.text_len);
	fuzz_check_line(answer.u.outcome.text, WIRE_TEXT_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(free) char *text = fuzz_text(data, size);
	struct message message = {.pid = 4711};
	struct etcdreg_err err = {0};
	int r = message_parse(data, size, &message, &err);

	fuzz_check_result(r, &err);
	if (r == 0)
		check_message(&message, data, size);
	else
		FUZZ_MUST(message.pid == 4711);
	check_answers(text);
	return 0;
}
