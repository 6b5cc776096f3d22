/* SPDX-License-Identifier: MIT */
/* Files that settings name. */
#define _GNU_SOURCE
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"

#define PIPE_WAIT_MS 2000
#define PART_MAX 4096

bool file_init(struct file *ret, const char *what, const struct config *cfg, enum config_id id)
{
	*ret = (struct file){
		.what = what,
		.origin = config_origin(cfg, id),
		.path = strdup(config_text(cfg, id)),
	};
	return ret->path;
}

void file_release(struct file *f)
{
	free(f->path);
	*f = (struct file){0};
}

void file_name(const struct file *f, struct buf *ret)
{
	buf_printf(ret, "%s file '%s'", f->what, f->path);
	if (f->origin)
		buf_printf(ret, " (%s)", f->origin);
}

int file_fail(const struct file *f, struct etcdreg_err *err, const char *fmt, ...)
{
	CLEANUP(buf) struct buf name = BUF_INIT(FILE_NAME_MAX);
	char text[ETCDREG_ERR_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	file_name(f, &name);
	return err_set(err, ETCDREG_E_CONFIG, "%s %s", name.s, text);
}

static int unreadable(const struct file *f, int error, struct etcdreg_err *err)
{
	return file_fail(f, err, "cannot be read: %s", strerror(error));
}

static int check_kind(const struct file *f, int fd, bool once, struct etcdreg_err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return unreadable(f, errno, err);
	if (S_ISDIR(st.st_mode))
		return file_fail(f, err, "is a directory");
	if (!once && !S_ISREG(st.st_mode))
		return file_fail(f, err,
				 "is not a regular file; use one, since each connection reads it "
				 "again");
	return 0;
}

/* Returns the number of bytes read, 0 at the end; negative: -errno. */
static ssize_t read_part(int fd, char *part, uint64_t deadline_ms)
{
	for (;;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		uint64_t now = now_ms();
		ssize_t len = read(fd, part, PART_MAX);

		if (len >= 0)
			return len;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		if (now >= deadline_ms)
			return -ETIMEDOUT;
		(void)poll(&ready, 1, (int)(deadline_ms - now));
	}
}

static int read_all(const struct file *f, int fd, struct buf *text, struct etcdreg_err *err)
{
	uint64_t deadline_ms = now_ms() + PIPE_WAIT_MS;
	char part[PART_MAX];
	ssize_t len;

	while ((len = read_part(fd, part, deadline_ms)) > 0 && !buf_failed(text))
		buf_add(text, part, (size_t)len);
	explicit_bzero(part, sizeof(part));
	if (len == -ETIMEDOUT)
		return file_fail(f, err, "cannot be read: no process writes to this pipe");
	if (len < 0)
		return unreadable(f, (int)-len, err);
	if (buf_failed(text))
		return file_fail(f, err, "is longer than %zu bytes", text->max);
	return text->len > 0 ? 0 : file_fail(f, err, "is empty");
}

int file_read(const struct file *f, bool once, struct buf *text, struct etcdreg_err *err)
{
	CLEANUP(fd) int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int r;

	if (fd < 0)
		return unreadable(f, errno, err);
	r = check_kind(f, fd, once, err);
	return r < 0 ? r : read_all(f, fd, text, err);
}
