/* SPDX-License-Identifier: MIT */
/* Dumps of listening sockets over NETLINK_SOCK_DIAG. */
#include "sockdiag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "procnet.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

enum {
	REPLY_MAX = 65536, /* the kernel writes at most 32 KiB at once */
	DUMP_TRIES = 5,
	ANY_STATE = -1,
};

enum dump_result { DUMP_DONE, DUMP_AGAIN, DUMP_UNSUPPORTED };

struct dump_request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 diag;
	struct nlattr attr;
	uint32_t protocol;
};

struct dump_kind {
	enum sockdiag_what what;
	uint32_t protocol;
	unsigned state;      /* the only one to list; /proc/net has the same number */
	const char *proc[2]; /* by family: AF_INET, AF_INET6; NULL: not in /proc/net */
};

/*
 * A UDP socket in TCP_CLOSE is bound but not connected.  A connected one is left out: it serves a
 * single peer.
 */
static const struct dump_kind kinds[] = {
	{SOCKDIAG_TCP, IPPROTO_TCP, TCP_LISTEN, {"/proc/net/tcp", "/proc/net/tcp6"}},
	{SOCKDIAG_MPTCP, IPPROTO_MPTCP, TCP_LISTEN, {NULL, NULL}},
	{SOCKDIAG_UDP, IPPROTO_UDP, TCP_CLOSE, {"/proc/net/udp", "/proc/net/udp6"}},
};

static const uint8_t families[] = {AF_INET, AF_INET6};

void sockdiag_list_release(struct sockdiag_list *list)
{
	free(list->entries);
	*list = (struct sockdiag_list){0};
}

void sockdiag_list_clear(struct sockdiag_list *list)
{
	list->len = 0;
	list->in_parts = false;
}

int sockdiag_list_add(struct sockdiag_list *list, const struct sockdiag_socket *entry)
{
	if (!ARRAY_RESERVE(list->entries, list->cap, list->len))
		return ETCDREG_E_NOMEM;
	list->entries[list->len++] = *entry;
	return 0;
}

static int by_inode(const void *a, const void *b)
{
	const struct sockdiag_socket *x = a, *y = b;

	return (x->inode > y->inode) - (x->inode < y->inode);
}

void sockdiag_list_sort(struct sockdiag_list *list)
{
	if (list->len > 1)
		qsort(list->entries, list->len, sizeof(*list->entries), by_inode);
}

bool sockdiag_same(const struct sockdiag_socket *a, const struct sockdiag_socket *b)
{
	return a->inode == b->inode && a->port == b->port &&
	       (a->cookie == 0 || b->cookie == 0 || a->cookie == b->cookie);
}

const struct sockdiag_socket *sockdiag_list_find(const struct sockdiag_list *list,
						 const struct sockdiag_socket *entry)
{
	size_t low = 0, high = list->len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->entries[middle].inode < entry->inode)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < list->len && list->entries[low].inode == entry->inode; low++)
		if (sockdiag_same(&list->entries[low], entry))
			return &list->entries[low];
	return NULL;
}

bool sockdiag_list_has(const struct sockdiag_list *list, const struct sockdiag_socket *entry)
{
	return sockdiag_list_find(list, entry) != NULL;
}

int sockdiag_init(struct sockdiag *diag)
{
	const struct timeval patience = {.tv_sec = 1};

	*diag = (struct sockdiag){.fd = -1};
	diag->reply = malloc(REPLY_MAX);
	if (!diag->reply)
		return ETCDREG_E_NOMEM;
	diag->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (diag->fd >= 0)
		(void)setsockopt(diag->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return 0;
}

static void refuse_netlink(struct sockdiag *diag)
{
	if (diag->fd >= 0)
		close(diag->fd);
	diag->fd = -1;
}

void sockdiag_release(struct sockdiag *diag)
{
	refuse_netlink(diag);
	free(diag->reply);
	diag->reply = NULL;
}

static int send_request(struct sockdiag *diag, const struct dump_kind *kind, uint8_t family)
{
	struct dump_request request = {
		.header =
			{
				.nlmsg_len = sizeof(request),
				.nlmsg_type = SOCK_DIAG_BY_FAMILY,
				.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
				.nlmsg_seq = ++diag->seq,
			},
		.diag =
			{
				.sdiag_family = family,
				.sdiag_protocol = (uint8_t)kind->protocol,
				.idiag_states = 1u << kind->state,
				.id.idiag_sport = htons(diag->port),
			},
		.attr =
			{
				.nla_len = sizeof(request.attr) + sizeof(request.protocol),
				.nla_type = INET_DIAG_REQ_PROTOCOL,
			},
		.protocol = kind->protocol,
	};

	if (kind->protocol <= UINT8_MAX)
		request.header.nlmsg_len = offsetof(struct dump_request, attr);
	return send(diag->fd, &request, request.header.nlmsg_len, 0) < 0 ? -errno : 0;
}

static int add_message(const struct nlmsghdr *header, const struct dump_kind *kind,
		       struct sockdiag_list *list)
{
	const struct inet_diag_msg *msg = NLMSG_DATA(header);
	struct sockdiag_socket entry;

	if (header->nlmsg_len < NLMSG_LENGTH(sizeof(*msg)) || msg->idiag_state != kind->state)
		return 0;
	entry = (struct sockdiag_socket){
		.inode = msg->idiag_inode,
		.cookie = (uint64_t)msg->id.idiag_cookie[1] << 32 | msg->id.idiag_cookie[0],
		.port = ntohs(msg->id.idiag_sport),
		.family = msg->idiag_family,
		.uid = msg->idiag_uid,
	};
	memcpy(entry.address, msg->id.idiag_src, msg->idiag_family == AF_INET ? 4 : 16);
	return entry.inode == 0 ? 0 : sockdiag_list_add(list, &entry);
}

/* Returns the error in an NLMSG_ERROR, or in the NLMSG_DONE of newer kernels: 0 or -errno. */
static int message_error(const struct nlmsghdr *header)
{
	int error = 0;

	if (header->nlmsg_len >= NLMSG_LENGTH(sizeof(error)))
		memcpy(&error, NLMSG_DATA(header), sizeof(error));
	return error < 0 ? error : 0;
}

struct dump {
	const struct dump_kind *kind;
	uint32_t seq;
	unsigned parts; /* datagrams with sockets in them */
	bool done, interrupted;
};

/* NLMSG_NEXT would take the length below zero if the last message lacks its padding. */
static const struct nlmsghdr *next_message(const struct nlmsghdr *header, size_t *len)
{
	size_t step = NLMSG_ALIGN(header->nlmsg_len);

	if (step > *len)
		step = *len;
	*len -= step;
	return (const void *)((const char *)header + step);
}

/* Reads the messages of one datagram.  Returns 0 or -errno. */
static int read_reply(struct dump *dump, const char *reply, size_t len, struct sockdiag_list *list)
{
	const struct nlmsghdr *header = (const void *)reply;

	dump->parts += NLMSG_OK(header, len) && header->nlmsg_type == SOCK_DIAG_BY_FAMILY;
	for (; NLMSG_OK(header, len); header = next_message(header, &len)) {
		if (header->nlmsg_seq != dump->seq)
			continue;
		dump->interrupted |= (header->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
		if (header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR) {
			dump->done = true;
			return message_error(header);
		}
		if (header->nlmsg_type == SOCK_DIAG_BY_FAMILY &&
		    add_message(header, dump->kind, list) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Tries once.  Returns an enum dump_result or -errno. */
static int dump_once(struct sockdiag *diag, const struct dump_kind *kind, uint8_t family,
		     struct sockdiag_list *list)
{
	struct dump dump = {.kind = kind};
	int r = send_request(diag, kind, family);

	dump.seq = diag->seq;
	while (r == 0 && !dump.done) {
		ssize_t n = recv(diag->fd, diag->reply, REPLY_MAX, MSG_TRUNC);

		if (n < 0 && errno == EINTR)
			continue;
		/* ENOBUFS: the kernel dropped a part of its answer. */
		if ((n < 0 && errno == ENOBUFS) || n > REPLY_MAX)
			return DUMP_AGAIN;
		r = n < 0 ? -errno : read_reply(&dump, diag->reply, (size_t)n, list);
	}
	list->in_parts |= dump.parts > 1;
	if (r == -ENOENT || r == -EOPNOTSUPP || r == -EPROTONOSUPPORT || r == -EINVAL)
		return DUMP_UNSUPPORTED;
	if (r < 0)
		return r;
	return dump.interrupted ? DUMP_AGAIN : DUMP_DONE;
}

static int dump_netlink(struct sockdiag *diag, const struct dump_kind *kind, uint8_t family,
			struct sockdiag_list *list)
{
	size_t len = list->len;
	int r = DUMP_AGAIN;

	for (int tries = 0; r == DUMP_AGAIN && tries < DUMP_TRIES; tries++) {
		list->len = len;
		r = dump_once(diag, kind, family, list);
	}
	return r == DUMP_AGAIN ? -EAGAIN : r;
}

static int dump_proc(const struct dump_kind *kind, size_t family, struct sockdiag_list *list)
{
	FILE *file = kind->proc[family] ? fopen(kind->proc[family], "re") : NULL;
	int r;

	/* No file: MPTCP, or a kernel without IPv6. */
	if (!file)
		return 0;
	r = procnet_read(file, families[family], kind->state, list);
	fclose(file);
	return r;
}

static int dump_family(struct sockdiag *diag, const struct dump_kind *kind, size_t family,
		       struct sockdiag_list *list)
{
	int r;

	if (diag->fd < 0)
		return dump_proc(kind, family, list);
	r = dump_netlink(diag, kind, families[family], list);
	if (r == DUMP_DONE || (r == DUMP_UNSUPPORTED && kind->what == SOCKDIAG_MPTCP))
		return 0;
	if (r == -ENOMEM)
		return ETCDREG_E_NOMEM;
	if (r == DUMP_UNSUPPORTED || r == -EPERM || r == -EACCES) {
		refuse_netlink(diag);
		return dump_proc(kind, family, list);
	}
	errno = -r;
	return ETCDREG_E_SYSTEM;
}

static int dump_kind(struct sockdiag *diag, const struct dump_kind *kind,
		     struct sockdiag_list *list)
{
	size_t len = list->len;
	int r = 0;

	for (size_t family = 0; r == 0 && family < ARRAY_LEN(families); family++)
		r = dump_family(diag, kind, family, list);
	for (; len < list->len; len++)
		list->entries[len].protocol = (uint16_t)kind->protocol;
	return r;
}

int sockdiag_dump(struct sockdiag *diag, unsigned what, struct sockdiag_list *list,
		  struct etcdreg_err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		int r = what & kinds[i].what ? dump_kind(diag, &kinds[i], list) : 0;

		if (r == ETCDREG_E_SYSTEM)
			return err_set(err, r, "cannot list the listening sockets: %s",
				       strerror(errno));
		if (r < 0)
			return err_set(err, r, "cannot list the listening sockets: out of memory");
	}
	sockdiag_list_sort(list);
	return 0;
}

int sockdiag_dump_port(struct sockdiag *diag, unsigned what, uint16_t port,
		       struct sockdiag_list *list, struct etcdreg_err *err)
{
	int r;

	diag->port = port;
	r = sockdiag_dump(diag, what, list, err);
	diag->port = 0;
	return r;
}
