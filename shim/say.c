/* SPDX-License-Identifier: MIT */
/* say.c - one line on stderr, or none. */
#include "say.h"

#include <asm/stat.h>
#include <linux/poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "raw.h"
#include "text.h"

#define LINE_MAX_LEN 640
#define STDERR 2

struct identity {
	uint64_t device, inode;
	bool open;
};

static struct identity first; /* written once, before any thread of ours */
static _Atomic bool said;

static struct identity identity_of_stderr(void)
{
#ifdef SYS_fstat64
	struct stat64 st;
	long rc = raw(SYS_fstat64, STDERR, raw_arg(&st));
#else
	struct stat st;
	long rc = raw(SYS_fstat, STDERR, raw_arg(&st));
#endif

	if (rc < 0)
		return (struct identity){.open = false};
	return (struct identity){.device = st.st_dev, .inode = st.st_ino, .open = true};
}

void say_remember(void)
{
	first = identity_of_stderr();
}

static bool stderr_is_ready(void)
{
	struct identity now = identity_of_stderr();
	struct pollfd p = {.fd = STDERR, .events = POLLOUT};
	struct raw_timespec at_once = {0};

	if (!first.open || !now.open || now.device != first.device || now.inode != first.inode)
		return false;
	return raw(SYS_ppoll, raw_arg(&p), 1, raw_arg(&at_once), 0, 8) == 1 &&
	       (p.revents & POLLOUT);
}

void say_once(const char *line)
{
	char storage[LINE_MAX_LEN];
	struct text t = TEXT_OF(storage);

	if (atomic_exchange(&said, true) || !stderr_is_ready())
		return;
	text_puts(&t, line);
	text_puts(&t, "\n");
	(void)raw(SYS_write, STDERR, raw_arg(t.s), t.len);
}

void say_once_errno(const char *line, int err)
{
	char storage[LINE_MAX_LEN];
	struct text t = TEXT_OF(storage);

	text_puts(&t, line);
	text_puts(&t, ": error ");
	text_uint(&t, (uint32_t)err);
	say_once(storage);
}
