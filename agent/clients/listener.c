/* SPDX-License-Identifier: MIT */
/* The agent's own socket. */
#define _GNU_SOURCE
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/err.h"
#include "messages.h"

enum { HELLO_MS = 1000 }; /* a client gets its answer after its HELLO */

struct name {
	struct sockaddr_un address;
	socklen_t len;
};

static bool is_abstract(const char *text)
{
	return text[0] == '@';
}

static int parse_name(const char *text, struct name *ret, struct etcdreg_err *err)
{
	struct name name = {.address.sun_family = AF_UNIX};
	size_t len = strlen(text);

	if (len < 2 || (!is_abstract(text) && text[0] != '/'))
		return err_set(err, ETCDREG_E_CONFIG, "'%s' is neither an absolute path nor @NAME",
			       text);
	if (len >= sizeof(name.address.sun_path))
		return err_set(err, ETCDREG_E_CONFIG, "'%s' is longer than %zu bytes", text,
			       sizeof(name.address.sun_path) - 1);
	memcpy(name.address.sun_path, text, len);
	name.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	if (is_abstract(text))
		name.address.sun_path[0] = '\0';
	else
		name.len++;
	*ret = name;
	return 0;
}

int listener_check_name(const char *text, struct etcdreg_err *err)
{
	struct name name;

	return parse_name(text, &name, err);
}

static bool is_file(const struct stat *st, const struct listener_file *file)
{
	return file->inode != 0 && st->st_dev == file->device && st->st_ino == file->inode;
}

/*
 * Removes the path only if it is certainly left over: a socket on which nobody listens.  lstat()
 * comes first, since a file that is not a socket refuses a connection too.
 */
static bool remove_stale(const struct name *name, const struct listener_file *file)
{
	CLEANUP(fd) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	if (fd < 0 || lstat(name->address.sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return false;
	if (connect(fd, (const struct sockaddr *)&name->address, name->len) == 0 ||
	    (errno != ECONNREFUSED && !(errno == EACCES && is_file(&st, file))))
		return false;
	return unlink(name->address.sun_path) == 0;
}

static int bind_with_mode(int fd, const struct name *name, mode_t mode)
{
	mode_t before = umask(0777 & ~mode);
	int r = bind(fd, (const struct sockaddr *)&name->address, name->len);

	umask(before);
	return r;
}

/* Works on a descriptor: the path may be another file by now. */
static int settle_file(const struct name *name, const struct owner *owner,
		       struct listener_file *ret_file)
{
	CLEANUP(fd) int fd = open(name->address.sun_path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid()) {
		errno = EEXIST;
		return -1;
	}
	*ret_file = (struct listener_file){st.st_dev, st.st_ino};
	if (owner->uid == OWNER_SAME_UID && owner->gid == OWNER_SAME_GID)
		return 0;
	return fchownat(fd, "", owner->uid, owner->gid, AT_EMPTY_PATH);
}

/* Sets mode and owner before listen(), so that nobody can connect under others. */
static int bind_name(int fd, const struct name *name, const struct listener_options *options,
		     struct listener_file *ret_file)
{
	bool has_path = name->address.sun_path[0] != '\0';
	int r = bind_with_mode(fd, name, options->mode);

	if (r < 0 && errno == EADDRINUSE && remove_stale(name, ret_file))
		r = bind_with_mode(fd, name, options->mode);
	if (r == 0 && has_path && settle_file(name, &options->owner, ret_file) < 0) {
		int error = errno;

		(void)unlink(name->address.sun_path);
		errno = error;
		return -1;
	}
	return r < 0 ? r : listen(fd, SOMAXCONN);
}

int listener_bind(const struct listener_options *options, int *ret_fd,
		  struct listener_file *ret_file, struct etcdreg_err *err)
{
	struct name name = {0};
	int r = parse_name(options->name, &name, err);
	int fd;

	*ret_file = (struct listener_file){0};
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && bind_name(fd, &name, options, ret_file) == 0) {
		*ret_fd = fd;
		return 0;
	}
	err_set(err, ETCDREG_E_SYSTEM, "cannot listen on '%s': %s", options->name,
		errno == EADDRINUSE ? "the name is in use; stop the agent that runs there, or "
				      "choose another name"
				    : strerror(errno));
	fd_release(&fd);
	return ETCDREG_E_SYSTEM;
}

void listener_remove(const char *text, const struct listener_file *file)
{
	struct name name = {0};

	if (!is_abstract(text) && parse_name(text, &name, NULL) == 0)
		(void)remove_stale(&name, file);
}

static int option_of(int fd, int option)
{
	int value;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) < 0 ? -1 : value;
}

void listener_refuse(int fd, const char *why)
{
	struct answer answer;
	int client;

	answer_refused(&answer, why);
	while ((client = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		struct pollfd hello = {.fd = client, .events = POLLIN};

		(void)poll(&hello, 1, HELLO_MS);
		(void)send(client, answer.u.bytes, answer.len, MSG_DONTWAIT | MSG_NOSIGNAL);
		close(client);
	}
}

int listener_check(int fd, struct etcdreg_err *err)
{
	if (option_of(fd, SO_DOMAIN) != AF_UNIX || option_of(fd, SO_TYPE) != SOCK_SEQPACKET ||
	    option_of(fd, SO_ACCEPTCONN) != 1)
		return err_set(err, ETCDREG_E_CONFIG,
			       "descriptor %d is not a listening SOCK_SEQPACKET unix socket", fd);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
		return err_set(err, ETCDREG_E_SYSTEM, "cannot set the flags of descriptor %d: %s",
			       fd, strerror(errno));
	return 0;
}
