/* SPDX-License-Identifier: MIT */
/* The model and the endpoints as bytes. */
#include "snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/cleanup.h"

enum kind { KIND_PROCESS = 1, KIND_ENDPOINT };

/* Followed by the texts host, protocol and meta, the items, each with its name, and the sockets. */
struct saved_process {
	uint32_t kind;
	uint32_t state;
	uint64_t id;
	uint32_t pid, uid;
	uint32_t items_len, socks_len;
};

struct saved_item {
	uint16_t port, protocol;
};

/* Followed by the host if there is one. */
struct saved_sock {
	struct wire_socket id;
	uint8_t listed, surveyed, foreign, has_host;
};

/* Followed by the texts name, host, protocol and meta. */
struct saved_endpoint {
	uint32_t kind;
	uint32_t port;
};

struct reader {
	const char *at, *end;
};

static void put_text(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text) + 1);
}

static void save_sock(struct buf *buf, const struct holding *holding)
{
	const struct sock *sock = holding->sock;
	struct saved_sock saved;

	memset(&saved, 0, sizeof(saved));
	saved.id = sock->id;
	saved.listed = sock->listed;
	saved.surveyed = sock->surveyed;
	saved.foreign = sock->foreign;
	saved.has_host = holding->host != NULL;
	buf_add(buf, &saved, sizeof(saved));
	if (holding->host)
		put_text(buf, holding->host);
}

static void save_process(struct buf *buf, const struct process *process)
{
	bool dead = process->state == PROCESS_DEAD;
	const struct saved_process saved = {
		.kind = KIND_PROCESS,
		.state = process->state,
		.id = dead ? 0 : process->id,
		.pid = dead ? 0 : (uint32_t)process->pid,
		.uid = process->uid,
		.items_len = (uint32_t)process->names.len,
		.socks_len = process->holdings_len,
	};

	buf_add(buf, &saved, sizeof(saved));
	put_text(buf, process->host);
	put_text(buf, process->protocol);
	put_text(buf, process->meta);
	for (size_t i = 0; i < process->names.len; i++) {
		const struct name_item *item = &process->names.items[i];
		const struct saved_item saved_item = {item->port, item->protocol};

		buf_add(buf, &saved_item, sizeof(saved_item));
		put_text(buf, item->name);
	}
	LIST_FOR_EACH (link, &process->holdings) {
		const struct holding *holding = LIST_ENTRY(link, struct holding, of_process);

		if (holding->announced)
			save_sock(buf, holding);
	}
}

static void save_endpoint(struct buf *buf, const struct endpoint *endpoint)
{
	const struct saved_endpoint saved = {KIND_ENDPOINT, endpoint->port};

	buf_add(buf, &saved, sizeof(saved));
	put_text(buf, endpoint->name);
	put_text(buf, endpoint->host);
	put_text(buf, endpoint->protocol);
	put_text(buf, endpoint->meta);
}

void snapshot_save(struct buf *buf, const struct model *model, const struct endpoints *endpoints)
{
	LIST_FOR_EACH (link, &model->processes) {
		const struct process *process = LIST_ENTRY(link, struct process, in_model);

		if (process->announced && process->holdings_len > 0)
			save_process(buf, process);
	}
	LIST_FOR_EACH (link, &endpoints->all) {
		const struct endpoint *endpoint = LIST_ENTRY(link, struct endpoint, in_endpoints);

		if (!endpoint->refused)
			save_endpoint(buf, endpoint);
	}
}

static bool take(struct reader *reader, void *ret, size_t len)
{
	if ((size_t)(reader->end - reader->at) < len)
		return false;
	memcpy(ret, reader->at, len);
	reader->at += len;
	return true;
}

/* NULL: the bytes have no whole text here. */
static const char *take_text(struct reader *reader)
{
	const char *text = reader->at;
	const char *nul = memchr(text, '\0', (size_t)(reader->end - text));

	if (!nul)
		return NULL;
	reader->at = nul + 1;
	return text;
}

static bool load_items(struct reader *reader, uint32_t len, struct names *names)
{
	for (; names->len < len; names->len++) {
		struct saved_item saved;
		const char *name = take(reader, &saved, sizeof(saved)) ? take_text(reader) : NULL;
		char *copy = name ? strdup(name) : NULL;

		if (!copy)
			return false;
		names->items[names->len] = (struct name_item){copy, saved.port, saved.protocol};
	}
	return true;
}

static bool load_sock(struct reader *reader, struct model *model, struct process *process)
{
	struct saved_sock saved;
	struct holding *holding;
	const char *host = NULL;

	if (!take(reader, &saved, sizeof(saved)))
		return false;
	if (saved.has_host) {
		host = take_text(reader);
		if (!host)
			return false;
	}
	if (model_hold(model, process, &saved.id, true, &holding) < 0)
		return false;
	holding->sock->listed = saved.listed;
	holding->sock->surveyed = saved.surveyed;
	holding->sock->foreign = saved.foreign;
	if (host && !holding->host)
		holding->host = strdup(host);
	return true;
}

static bool configure(struct reader *reader, struct process *process, uint32_t items_len)
{
	const char *host = take_text(reader);
	const char *protocol = host ? take_text(reader) : NULL;
	const char *meta = protocol ? take_text(reader) : NULL;
	CLEANUP(names) struct names names = {0};

	if (!meta || items_len == 0 || items_len > (size_t)(reader->end - reader->at))
		return false;
	names.items = calloc(items_len, sizeof(*names.items));
	return names.items && load_items(reader, items_len, &names) &&
	       process_configure(process, &names, host, protocol, meta) == 0;
}

static bool load_process(struct reader *reader, struct model *model)
{
	struct saved_process saved;
	struct process *process;

	if (!take(reader, &saved, sizeof(saved)) || saved.state > PROCESS_DEAD)
		return false;
	process = model_add_process(model, saved.id, saved.uid);
	if (!process)
		return false;
	process->pid = (pid_t)saved.pid;
	process->state = (enum process_state)saved.state;
	if (!configure(reader, process, saved.items_len)) {
		model_drop_process(model, process);
		return false;
	}
	for (uint32_t i = 0; i < saved.socks_len; i++)
		if (!load_sock(reader, model, process))
			return false;
	return true;
}

static bool load_endpoint(struct reader *reader, struct endpoints *endpoints)
{
	struct saved_endpoint saved;
	struct etcdreg_service service;
	const char *texts[4];

	if (!take(reader, &saved, sizeof(saved)))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		texts[i] = take_text(reader);
		if (!texts[i])
			return false;
	}
	service = (struct etcdreg_service){
		.size = sizeof(service),
		.name = texts[0],
		.hostname = texts[1],
		.port = saved.port,
		.protocol = texts[2],
		.meta = texts[3],
	};
	return endpoints_restore(endpoints, &service) == 0;
}

bool snapshot_load(const void *bytes, size_t len, struct model *model, struct endpoints *endpoints)
{
	struct reader reader = {bytes, (const char *)bytes + len};
	bool ok = true;

	while (ok && reader.at < reader.end) {
		uint32_t kind = 0;

		if ((size_t)(reader.end - reader.at) >= sizeof(kind))
			memcpy(&kind, reader.at, sizeof(kind));
		if (kind == KIND_PROCESS)
			ok = load_process(&reader, model);
		else
			ok = kind == KIND_ENDPOINT && load_endpoint(&reader, endpoints);
	}
	return ok;
}
