/* SPDX-License-Identifier: MIT */
/* The kernel's lists of sockets: one datagram of netlink, or the text of a file in /proc/net. */
#include "fuzz.h"

#include "agent/kernel/sockdiag.c"
#include "lib/base/cleanup.h"

static void check_list(struct sockdiag_list *list)
{
	sockdiag_list_sort(list);
	for (size_t i = 0; i < list->len; i++) {
		FUZZ_MUST(list->entries[i].inode != 0);
		FUZZ_MUST(sockdiag_list_has(list, &list->entries[i]));
		FUZZ_MUST(i == 0 || list->entries[i - 1].inode <= list->entries[i].inode);
	}
}

/* The kernel's datagrams are in a block of their own, as here. */
static void read_netlink(const uint8_t *data, size_t size)
{
	CLEANUP(sockdiag_list) struct sockdiag_list list = {0};
	struct dump dump = {.kind = &kinds[0], .seq = 1};
	CLEANUP(free) char *reply = calloc(1, size);

	FUZZ_MUST(reply || size == 0);
	if (size > 0)
		memcpy(reply, data, size);
	(void)read_reply(&dump, reply, size, &list);
	check_list(&list);
}

static void read_proc(const uint8_t *data, size_t size)
{
	CLEANUP(sockdiag_list) struct sockdiag_list list = {0};
	FILE *file = size > 0 ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL;

	if (!file)
		return;
	FUZZ_MUST(procnet_read(file, AF_INET, TCP_LISTEN, &list) == 0);
	rewind(file);
	FUZZ_MUST(procnet_read(file, AF_INET6, TCP_CLOSE, &list) == 0);
	fclose(file);
	check_list(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_netlink(data, size);
	read_proc(data, size);
	return 0;
}
