/* SPDX-License-Identifier: MIT */
/* The connections of preloaded processes. */
#define _GNU_SOURCE
#include "clients.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"

enum {
	HELLO_TIMEOUT_MS = 10000,
	MESSAGES_PER_TURN = 64, /* of one client, so that a flood delays the others little */
	FDS_MAX = 4,
	FDS_OF_CLIENT = 2, /* its connection and its pidfd */
	FDS_RESERVED = 16, /* open without any client */
	REFUSED_LOG_MS = 60000,
};

struct packet {
	_Alignas(8) char bytes[WIRE_MAX + 1];
	size_t len;
	int fds[FDS_MAX];
	size_t fds_len;
};

/* With too few descriptors it serves one client rather than none. */
static size_t room(void)
{
	struct rlimit limit;
	size_t max;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return CLIENTS_MAX;
	if (limit.rlim_cur < FDS_RESERVED + FDS_OF_CLIENT)
		return 1;
	max = (limit.rlim_cur - FDS_RESERVED) / FDS_OF_CLIENT;
	return max < CLIENTS_MAX ? max : CLIENTS_MAX;
}

void clients_init(struct clients *clients, struct loop *loop, const struct clients_ops *ops,
		  void *arg, bool any_uid)
{
	*clients = (struct clients){.loop = loop, .ops = ops, .arg = arg, .any_uid = any_uid};
	list_init(&clients->open);
	list_init(&clients->closed);
	list_init(&clients->users);
	clients->max = room();
}

static struct user *find_user(const struct clients *clients, uid_t uid)
{
	LIST_FOR_EACH (link, &clients->users) {
		struct user *user = LIST_ENTRY(link, struct user, in_users);

		if (user->uid == uid)
			return user;
	}
	return NULL;
}

/* Returns the user of `uid`, with one more client; NULL: no memory. */
static struct user *hold_user(struct clients *clients, uid_t uid)
{
	struct user *user = find_user(clients, uid);

	if (!user) {
		user = calloc(1, sizeof(*user));
		if (!user)
			return NULL;
		user->uid = uid;
		user->messages = USER_MESSAGES_MAX;
		user->descriptors = USER_DESCRIPTORS_MAX;
		list_append(&clients->users, &user->in_users);
	}
	user->clients++;
	return user;
}

static void let_go_of_user(struct user *user)
{
	if (--user->clients > 0)
		return;
	list_remove(&user->in_users);
	free(user);
}

void clients_sweep(struct clients *clients)
{
	LIST_FOR_EACH_SAFE (link, &clients->closed) {
		struct client *client = LIST_ENTRY(link, struct client, in_clients);

		list_remove(link);
		let_go_of_user(client->user);
		free(client);
	}
	LIST_FOR_EACH (link, &clients->users)
		LIST_ENTRY(link, struct user, in_users)->messages = USER_MESSAGES_MAX;
}

/*
 * A unix socket that is closed with unread messages resets the other end, which then loses our last
 * answer.  So the agent shuts the socket down, after which no message arrives, and reads the rest
 * away.
 */
static void close_socket(int fd)
{
	char byte;

	(void)shutdown(fd, SHUT_RDWR);
	while (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) > 0)
		;
	close(fd);
}

void client_close(struct client *client)
{
	struct clients *clients = client->clients;

	if (client->source.fd < 0)
		return;
	loop_remove(clients->loop, &client->source);
	close_socket(client->source.fd);
	client->source.fd = -1;
	list_remove(&client->in_clients);
	list_append(&clients->closed, &client->in_clients);
	clients->len--;
	if (client->greeted)
		clients->ops->closed(client);
	client->process = NULL;
}

void clients_release(struct clients *clients)
{
	LIST_FOR_EACH_SAFE (link, &clients->open) {
		struct client *client = LIST_ENTRY(link, struct client, in_clients);

		client->greeted = false;
		client_close(client);
	}
	clients_sweep(clients);
}

void clients_expire(struct clients *clients, uint64_t now_ms)
{
	LIST_FOR_EACH_SAFE (link, &clients->open) {
		struct client *client = LIST_ENTRY(link, struct client, in_clients);

		if (client->greeted || now_ms < client->since_ms + HELLO_TIMEOUT_MS)
			continue;
		log_debug("pid %d: connection closed: no HELLO within 10 s", (int)client->pid);
		client_close(client);
	}
	LIST_FOR_EACH (link, &clients->users)
		LIST_ENTRY(link, struct user, in_users)->descriptors = USER_DESCRIPTORS_MAX;
}

void client_send(struct client *client, const struct answer *answer)
{
	if (client->source.fd >= 0)
		(void)send(client->source.fd, answer->u.bytes, answer->len,
			   MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void take_fds(struct packet *packet, struct msghdr *header)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		size_t len = c->cmsg_len - CMSG_LEN(0);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		if (len > sizeof(packet->fds))
			len = sizeof(packet->fds);
		memcpy(packet->fds, CMSG_DATA(c), len);
		packet->fds_len = len / sizeof(packet->fds[0]);
	}
}

static int take_first_fd(struct packet *packet)
{
	int fd = packet->fds_len > 0 ? packet->fds[0] : -1;

	if (packet->fds_len > 0)
		packet->fds[0] = -1;
	return fd;
}

static void packet_release(struct packet *packet)
{
	for (size_t i = 0; i < packet->fds_len; i++)
		fd_release(&packet->fds[i]);
	packet->fds_len = 0;
}

/* Returns the packet's length (0: an empty message, or the client has closed), or -errno. */
static ssize_t receive(int fd, struct packet *packet)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(packet->fds))];
	} control;
	struct iovec iov = {packet->bytes, sizeof(packet->bytes)};
	struct msghdr header = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;

	packet->fds_len = 0;
	do
		n = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	take_fds(packet, &header);
	packet->len = (size_t)n;
	return n;
}

static int greet(struct client *client, const struct message *message, struct packet *packet,
		 struct etcdreg_err *err)
{
	struct answer answer;
	int r;

	if (client->greeted)
		return err_set(err, ETCDREG_E_PROTO, "a second HELLO");
	r = client->clients->ops->hello(client, message, take_first_fd(packet), err);
	if (r == 0) {
		client->greeted = true;
	} else if (r != ETCDREG_E_PROTO) {
		err_prefix(err, r, "etcd-registry: ");
		answer_refused(&answer, err->msg);
		client_send(client, &answer);
	}
	return r;
}

static int read_packet(struct client *client, struct packet *packet, struct etcdreg_err *err)
{
	struct message message;
	int r = message_parse(packet->bytes, packet->len, &message, err);

	if (r < 0)
		return r;
	if (message.type == WIRE_HELLO)
		return greet(client, &message, packet, err);
	if (!client->greeted)
		return err_set(err, ETCDREG_E_PROTO, "the first message is not HELLO");
	client->clients->ops->message(client, &message);
	return 0;
}

static void client_ready(struct source *source)
{
	struct client *client = source->arg;
	struct packet packet;

	for (int i = 0; i < MESSAGES_PER_TURN && client->source.fd >= 0; i++) {
		if (client->user->messages == 0)
			return;
		client->user->messages--;
		struct etcdreg_err err;
		ssize_t n = receive(client->source.fd, &packet);
		int r = 0;

		if (n == -EAGAIN)
			return;
		/*
		 * The client closed with an answer of ours unread.  The kernel reports that once,
		 * before the messages that the client had sent.
		 */
		if (n == -ECONNRESET)
			continue;
		if (n > 0)
			r = read_packet(client, &packet, &err);
		packet_release(&packet);
		if (r < 0)
			log_debug("pid %d: connection closed: %s", (int)client->pid, err.msg);
		if (n <= 0 || r < 0)
			client_close(client);
	}
}

static bool is_privileged(uid_t uid)
{
	return uid == geteuid() || uid == 0;
}

/* Returns why there is no room for one more client of `uid`; NULL: there is. */
static const char *want_of_room(const struct clients *clients, uid_t uid)
{
	const struct user *user = find_user(clients, uid);
	size_t of_user_max = clients->max / 2;

	if (clients->len >= clients->max)
		return "the agent already serves as many processes as it can";
	if (of_user_max > CLIENTS_OF_USER_MAX)
		of_user_max = CLIENTS_OF_USER_MAX;
	if (user && user->clients >= of_user_max && !is_privileged(uid))
		return "the agent already serves as many processes of one user as it can";
	return NULL;
}

static void log_refusal(struct clients *clients, uid_t uid, const char *why)
{
	uint64_t now = now_ms();

	if (clients->refused_ms != 0 && now < clients->refused_ms + REFUSED_LOG_MS)
		return;
	clients->refused_ms = now;
	log_warn("refused a process of uid %u: %s", (unsigned)uid, why);
}

static void refuse(struct clients *clients, int fd, uid_t uid, const char *why)
{
	struct etcdreg_err text;
	struct answer answer;

	err_set(&text, ETCDREG_E_INVALID, "etcd-registry: refused: %s", why);
	answer_refused(&answer, text.msg);
	(void)send(fd, answer.u.bytes, answer.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	log_refusal(clients, uid, why);
}

/* Takes ownership of `fd`.  Returns false if memory or descriptors have run out. */
static bool add_client(struct clients *clients, int fd, const struct ucred *peer)
{
	struct client *client = calloc(1, sizeof(*client));
	struct user *user = client ? hold_user(clients, peer->uid) : NULL;

	if (!user || loop_add(clients->loop, &client->source, fd, client_ready, client) < 0) {
		if (user)
			let_go_of_user(user);
		free(client);
		close_socket(fd);
		return false;
	}
	client->clients = clients;
	client->user = user;
	client->uid = peer->uid;
	client->pid = peer->pid;
	client->since_ms = now_ms();
	list_append(&clients->open, &client->in_clients);
	clients->len++;
	return true;
}

static bool admit(struct clients *clients, int fd)
{
	const char *why;
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0) {
		close_socket(fd);
		return true;
	}
	if (!clients->any_uid && !is_privileged(peer.uid)) {
		log_debug("pid %d: connection closed: this agent does not serve uid %u",
			  (int)peer.pid, peer.uid);
		close_socket(fd);
		return true;
	}
	why = want_of_room(clients, peer.uid);
	if (why) {
		refuse(clients, fd, peer.uid, why);
		close_socket(fd);
		return true;
	}
	return add_client(clients, fd, &peer);
}

static bool has_run_out(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

enum clients_accepted clients_accept(struct clients *clients, int listen_fd, size_t max)
{
	for (size_t i = 0; i < max; i++) {
		int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0)
			return has_run_out(errno) ? CLIENTS_NO_ROOM : CLIENTS_ALL;
		if (!admit(clients, fd))
			return CLIENTS_NO_ROOM;
	}
	return CLIENTS_MAX_REACHED;
}
