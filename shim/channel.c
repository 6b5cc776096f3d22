/* SPDX-License-Identifier: MIT */
/* channel.c - find or start the agent, and speak with it. */
#define _GNU_SOURCE
#include "channel.h"

#include <asm-generic/errno.h>
#include <fcntl.h>
#include <linux/poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "futex.h"
#include "raw.h"
#include "say.h"
#include "settings.h"
#include "text.h"

#define BACKLOG 4096
#define STARTS_MS 5000 /* an agent may need so long on a busy machine */
#define FROM_AGENT_MAX (sizeof(struct wire_outcome) + WIRE_TEXT_MAX)

/* One caller at a time: the thread, or one that announces inline. */
static union {
	struct wire_header header;
	struct wire_hello hello;
	char bytes[WIRE_MAX];
} out;
static union {
	struct wire_header header;
	struct wire_welcome welcome;
	struct wire_refused refused;
	struct wire_outcome outcome;
	char bytes[FROM_AGENT_MAX];
} in;

/* An address and how much of it counts: abstract names are not terminated. */
struct unix_name {
	struct sockaddr_un address;
	uint32_t len;
};

static struct unix_name unix_name(const char *path, bool abstract)
{
	struct unix_name name = {.address.sun_family = AF_UNIX};
	size_t len = strlen(path);

	if (len > sizeof(name.address.sun_path) - 1)
		len = sizeof(name.address.sun_path) - 1;
	memcpy(name.address.sun_path + abstract, path, len);
	name.len = (uint32_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
	return name;
}

/*
 * The agent's address.  The shared name is computed once:
 * what it depends on may become unreadable (chroot), and a user change must not lead to another
 * agent.
 */
static struct unix_name agent;
static uint32_t
	private_pid; /* the process that first listened on a private name; 0: it is shared */
static uint64_t not_now_since_ms; /* 0: the latest attempt was no -EAGAIN */
static uint64_t taken_ms;         /* when a name was taken here, for an agent to start; 0: never */

static struct unix_name *own_agent(void)
{
	char storage[sizeof(agent.address.sun_path)] = "";
	struct text t = TEXT_OF(storage);

	if (!agent.len) {
		settings_agent_name(&t);
		agent = unix_name(storage, true);
	}
	return &agent;
}

static int open_socket(void)
{
	return (int)raw(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static int connect_to(const struct unix_name *name)
{
	int fd = open_socket();
	long rc;

	if (fd < 0)
		return fd;
	rc = raw(SYS_connect, fd, raw_arg(&name->address), name->len);
	if (rc == 0)
		return fd;
	raw_close(fd);
	return rc == -ECONNREFUSED ? -EAGAIN : (int)rc;
}

static int connect_to_operators(const char *place)
{
	bool abstract = *place == '@';
	struct unix_name name = unix_name(place + abstract, abstract);

	return connect_to(&name);
}

/* Without a name the kernel chooses one, and `name` becomes that. */
static long bind_to(int fd, struct unix_name *name)
{
	bool named = name->len > sizeof(sa_family_t);
	long rc = raw(SYS_bind, fd, raw_arg(&name->address), name->len);

	if (rc < 0 || named)
		return rc;
	name->len = sizeof(name->address);
	return raw(SYS_getsockname, fd, raw_arg(&name->address), raw_arg(&name->len));
}

/*
 * Hold the agent's name and connect to it, before an agent is started behind it: the agent goes by
 * the user of the connection, and a host may end or give up being root right after its listen().
 * Returns the connection, or -EADDRINUSE where somebody holds the name already.
 */
static int take_name(struct unix_name *name, int *ret_listener)
{
	int listener = open_socket();
	long rc;

	if (listener < 0)
		return listener;
	rc = bind_to(listener, name);
	if (rc == 0)
		rc = raw(SYS_listen, listener, BACKLOG);
	if (rc == 0)
		rc = connect_to(name);
	if (rc < 0) {
		raw_close(listener);
		return (int)rc;
	}
	*ret_listener = listener;
	taken_ms = now_ms();
	return (int)rc;
}

/* Nobody is there where nobody accepts: connect_to() says -EAGAIN for both. */
static int reach_agent(struct unix_name *name, int *ret_listener)
{
	int fd = connect_to(name);

	if (fd != -EAGAIN)
		return fd;
	if (!ret_listener)
		return -EOPNOTSUPP;
	fd = take_name(name, ret_listener);
	return fd == -EADDRINUSE ? connect_to(name) : fd;
}

static void tell_of_squatter(const struct unix_name *name)
{
	char storage[sizeof(name->address.sun_path) + 160];
	struct text t = TEXT_OF(storage);

	text_puts(&t, "etcd-registry: @");
	text_add(&t, name->address.sun_path + 1,
		 name->len - offsetof(struct sockaddr_un, sun_path) - 1);
	text_puts(&t, " is held by another user or by nobody who answers: this server has an "
		      "agent of its own");
	say_once(t.s);
}

/* The kernel chooses its name, so that nobody can hold it beforehand. */
static int take_private_name(int *ret_listener)
{
	struct unix_name name = {
		.address.sun_family = AF_UNIX,
		.len = sizeof(sa_family_t),
	};
	int fd = take_name(&name, ret_listener);

	if (fd < 0)
		return fd;
	tell_of_squatter(&agent);
	agent = name;
	private_pid = raw_getpid();
	return fd;
}

/*
 * The credentials are those of who called listen().  Names of the kernel's choosing are few and
 * used again, so one of them means an agent only if it is the very one.
 */
static bool is_ours(int fd)
{
	struct ucred peer = {0};
	uint32_t len = sizeof(peer);

	if (raw(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, raw_arg(&peer), raw_arg(&len)) < 0)
		return false;
	if (private_pid && (uint32_t)peer.pid != private_pid && (uint32_t)peer.pid != raw_getpid())
		return false;
	return peer.uid == 0 || (long)peer.uid == raw(SYS_geteuid);
}

bool channel_agent_is_starting(void)
{
	return taken_ms && now_ms() - taken_ms < STARTS_MS;
}

/* A name that was taken here is nobody else's, though its queue may be full. */
static bool is_held_up(int fd, uint32_t patience_ms)
{
	uint64_t now = now_ms();

	if (fd != -EAGAIN)
		not_now_since_ms = 0;
	else if (!not_now_since_ms)
		not_now_since_ms = now;
	return fd == -EAGAIN && now - not_now_since_ms >= patience_ms &&
	       !channel_agent_is_starting();
}

int channel_open(uint32_t patience_ms, int *ret_listener)
{
	const char *operators = settings_operator_agent();
	int fd;

	if (ret_listener)
		*ret_listener = -1;
	if (*operators)
		return connect_to_operators(operators);
	fd = reach_agent(own_agent(), ret_listener);
	if (fd < 0 && !is_held_up(fd, patience_ms))
		return fd;
	if (fd >= 0 && is_ours(fd))
		return fd;
	raw_close(fd);
	if (!ret_listener)
		return -EOPNOTSUPP;
	return take_private_name(ret_listener);
}

static const char *reason(int error)
{
	switch (error) {
	case -ENOENT:
		return *settings_operator_agent()
			       ? NULL
			       : "not registered: there is no agent to start; install "
				 "etcd-registry, or name it in ETCD_REGISTRY_AGENT_BIN";
	case -ECHILD:
		return "not registered yet: cannot create a process for the agent (RLIMIT_NPROC, "
		       "or a seccomp filter)";
	case -EXDEV:
		return "not registered: children of this server belong to another pid namespace; "
		       "start an agent first";
	case -EOPNOTSUPP:
		return "not registered: no agent runs, and a system call filter of this service "
		       "may kill it for starting one; start an agent first, or set "
		       "ETCD_REGISTRY_THREAD=1 if the filter allows @system-service";
	case -EPERM:
	case -EACCES:
		return "not registered: cannot reach or start an agent: permission denied (by a "
		       "seccomp filter or an LSM)";
	case -EMFILE:
		return "not registered yet: RLIMIT_NOFILE is too low";
	case -EPIPE:
		return "not registered yet: the agent ends at once; ETCD_REGISTRY_LOG tells why";
	default:
		return NULL;
	}
}

void channel_complain(int error)
{
	char storage[256];
	struct text t = TEXT_OF(storage);

	if (!reason(error)) {
		say_once_errno("etcd-registry: not registered yet: no agent can be reached",
			       -error);
		return;
	}
	text_puts(&t, "etcd-registry: ");
	text_puts(&t, reason(error));
	say_once(storage);
}

static struct wire_header header(enum wire_type type)
{
	return (struct wire_header){
		.magic = WIRE_MAGIC, .version = WIRE_VERSION, .type = (uint16_t)type};
}

/* `passed` is a descriptor to send along, or -1. */
static int send_message(int fd, const void *message, size_t len, int passed)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec part = {.iov_base = (void *)(uintptr_t)message, .iov_len = len};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
	long rc;

	if (passed >= 0) {
		m.msg_control = control;
		m.msg_controllen = sizeof(control);
		*CMSG_FIRSTHDR(&m) = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		};
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &passed, sizeof(passed));
	}
	rc = raw(SYS_sendmsg, fd, raw_arg(&m), MSG_NOSIGNAL);
	return rc < 0 ? (int)rc : 0;
}

int channel_send_hello(int fd, bool with_pidfd)
{
	struct text block = {
		.s = out.hello.settings,
		.cap = sizeof(out) - sizeof(out.hello),
	};
	int pidfd = with_pidfd ? (int)raw(SYS_pidfd_open, raw_getpid(), 0) : -1, rc;

	settings_service_block(&block);
	if (block.full)
		block.len = 0;
	out.hello.header = header(WIRE_HELLO);
	out.hello.pid = raw_getpid();
	out.hello.settings_len = (uint32_t)block.len;
	rc = send_message(fd, &out, sizeof(out.hello) + block.len, pidfd);
	raw_close(pidfd);
	return rc;
}

int channel_send_listen(int fd, const struct wire_socket *socket)
{
	const struct wire_listen m = {.header = header(WIRE_LISTEN), .socket = *socket};

	return send_message(fd, &m, sizeof(m), -1);
}

int channel_send_beat(int fd)
{
	const struct wire_header m = header(WIRE_BEAT);

	return send_message(fd, &m, sizeof(m), -1);
}

int channel_send_bye(int fd, bool forked)
{
	const struct wire_bye m = {.header = header(WIRE_BYE), .forked = forked};

	return send_message(fd, &m, sizeof(m), -1);
}

/* The text behind a message of `size` bytes; NULL: not terminated where it says. */
static const char *text_behind(size_t len, size_t size, uint32_t text_len)
{
	if (text_len == 0)
		return "";
	if (text_len > WIRE_TEXT_MAX || len < size + text_len || in.bytes[size + text_len - 1])
		return NULL;
	return in.bytes + size;
}

static bool parse(size_t len, struct channel_message *m)
{
	*m = (struct channel_message){.type = in.header.type, .text = ""};
	switch (m->type) {
	case WIRE_WELCOME:
		m->interval_ms = in.welcome.interval_ms;
		return len >= sizeof(in.welcome);
	case WIRE_REFUSED:
		m->text = len < sizeof(in.refused)
				  ? NULL
				  : text_behind(len, sizeof(in.refused), in.refused.text_len);
		return m->text != NULL;
	case WIRE_OUTCOME:
		m->cookie = in.outcome.cookie;
		m->inode = in.outcome.inode;
		m->what = in.outcome.what;
		m->text = len < sizeof(in.outcome)
				  ? NULL
				  : text_behind(len, sizeof(in.outcome), in.outcome.text_len);
		return m->text != NULL;
	case WIRE_LEFT:
		return true;
	default:
		return false;
	}
}

static long receive(int fd)
{
	return raw(SYS_recvfrom, fd, raw_arg(in.bytes), sizeof(in.bytes), MSG_DONTWAIT, 0, 0);
}

int channel_receive(int fd, struct channel_message *ret)
{
	long len = receive(fd);

	/* The other end closed with something unread: told once, before what it had sent. */
	if (len == -ECONNRESET)
		len = receive(fd);
	if (len == -EAGAIN || len == -EINTR)
		return 0;
	if (len < (long)sizeof(in.header))
		return -EPIPE;
	if (in.header.magic != WIRE_MAGIC || in.header.version != WIRE_VERSION ||
	    !parse((size_t)len, ret))
		return -EPROTO;
	return 1;
}

void channel_poll(int fd, uint32_t timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct raw_timespec timeout = {
		.tv_sec = timeout_ms / 1000,
		.tv_nsec = (long)(timeout_ms % 1000) * 1000000,
	};

	(void)raw(SYS_ppoll, raw_arg(&p), 1, raw_arg(&timeout), 0, 8);
}
