/* SPDX-License-Identifier: MIT */
/*
 * ETCD_REGISTRY_NAME.  An accepted text keeps its meaning when it is written again from its items,
 * and each item claims its port.  The key of such a service lies in the folder of its name.
 */
#include "fuzz.h"

#include <netinet/in.h>

#include "agent/services/names.h"
#include "lib/base/buf.h"
#include "lib/base/cleanup.h"
#include "lib/registry/entry.h"
#include "lib/registry/service.h"

#define TEXT_MAX 65536

static char *write_items(const struct names *names)
{
	CLEANUP(buf) struct buf b = BUF_INIT(TEXT_MAX);

	for (size_t i = 0; i < names->len; i++) {
		const struct name_item *item = &names->items[i];

		buf_printf(&b, "%s%s", i > 0 ? "," : "", item->name);
		if (item->port != 0)
			buf_printf(&b, ":%u/%s", item->port,
				   item->protocol == IPPROTO_UDP ? "udp" : "tcp");
	}
	return buf_detach(&b);
}

static void check_round_trip(const struct names *names)
{
	CLEANUP(free) char *text = write_items(names);
	CLEANUP(names) struct names again = {0};
	struct etcdreg_err err;

	FUZZ_MUST(text);
	FUZZ_MUST(names_parse(text, &again, &err) == 0);
	FUZZ_MUST(names->len == again.len);
	for (size_t i = 0; i < names->len; i++) {
		const struct name_item *a = &names->items[i], *b = &again.items[i];

		FUZZ_MUST(strcmp(a->name, b->name) == 0);
		FUZZ_MUST(a->port == b->port && a->protocol == b->protocol);
	}
}

static void check_key(const char *name, unsigned port)
{
	const struct etcdreg_service from = {.name = name, .port = port};
	CLEANUP(service) struct service s = {0};
	CLEANUP(free) char *folder = service_folder("ns", name);
	CLEANUP(free) char *all = service_folder("ns", NULL);
	struct etcdreg_err err;
	int r = service_init(&s, &from, "10.0.0.1", "ns", &err);

	FUZZ_MUST(folder && all);
	fuzz_check_result(r, &err);
	FUZZ_MUST((r == 0) == (service_check_name(name, NULL) == 0));
	if (r < 0)
		return;
	FUZZ_MUST(entry_is_of(folder, name, s.path));
	FUZZ_MUST(entry_is_of(all, NULL, s.path));
	fuzz_check_line(s.path, TEXT_MAX);
}

static void check_item(const struct names *names, const struct name_item *item)
{
	size_t len = strlen(item->name);

	FUZZ_MUST(len >= 1 && len <= SERVICE_NAME_MAX && !strpbrk(item->name, "/,:"));
	FUZZ_MUST(item->protocol == IPPROTO_TCP || item->protocol == IPPROTO_UDP);
	fuzz_check_line(item->name, len + 1);
	if (item->port != 0) {
		FUZZ_MUST(names_item_matches(item, item->port, item->protocol));
		FUZZ_MUST(names_claim(names, item->port, item->protocol));
	} else {
		FUZZ_MUST(item->protocol == IPPROTO_TCP);
		for (size_t i = 0; i < names->len; i++)
			FUZZ_MUST(names->items[i].port != 0 || &names->items[i] == item);
	}
	check_key(item->name, item->port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(free) char *text = fuzz_text(data, size);
	CLEANUP(names) struct names names = {0};
	struct etcdreg_err err = {0};
	int r = names_parse(text, &names, &err);

	fuzz_check_result(r, &err);
	if (r < 0)
		return 0;
	FUZZ_MUST(names.len >= 1);
	for (size_t i = 0; i < names.len; i++)
		check_item(&names, &names.items[i]);
	check_round_trip(&names);
	return 0;
}
