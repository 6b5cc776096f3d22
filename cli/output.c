/* SPDX-License-Identifier: MIT */
/* Messages on stderr, and errors of stdout. */
#define _GNU_SOURCE
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "terminal.h"

#define MESSAGE_MAX (2 * ETCDREG_ERR_MAX)

static int write_errno; /* of the first failed write to stdout; main thread only */

/*
 * The next socket would get the number of a closed standard descriptor, and stdio would write the
 * table to etcd.  /dev/null in the wrong direction fails like a closed descriptor.
 */
static void occupy_standard_fds(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
	}
}

void output_init(void)
{
	occupy_standard_fds();
	terminal_init();
	setvbuf(stderr, NULL, _IOLBF, 0);
}

__attribute__((format(printf, 2, 0))) static void put_message(enum colour colour, const char *fmt,
							      va_list args)
{
	char message[MESSAGE_MAX];

	vsnprintf(message, sizeof(message), fmt, args);
	flockfile(stderr);
	if (colour != COLOUR_NONE)
		terminal_colour(stderr, colour);
	fputs("etcd-registry: ", stderr);
	terminal_text(stderr, message);
	if (colour != COLOUR_NONE)
		terminal_colour(stderr, COLOUR_NONE);
	putc('\n', stderr);
	funlockfile(stderr);
}

void output_message(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_message(COLOUR_NONE, fmt, args);
	va_end(args);
}

int output_failure(int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_message(COLOUR_RED, fmt, args);
	va_end(args);
	return status;
}

static int status_of(int code)
{
	switch (code) {
	case ETCDREG_E_NOTFOUND:
		return STATUS_NOTHING;
	case ETCDREG_E_CONFIG:
	case ETCDREG_E_INVALID:
		return STATUS_USAGE;
	default:
		return STATUS_FAILED;
	}
}

int output_error(const struct etcdreg_err *err)
{
	return output_failure(status_of(err->code), "%s", err->msg);
}

void output_retry(const struct etcdreg_err *err, struct etcdreg_err *told)
{
	if (told->code != 0 && strcmp(told->msg, err->msg) == 0)
		return;
	output_message("%s; trying again", err->msg);
	*told = *err;
}

bool output_flush(void)
{
	/* fflush() of an unused stream succeeds: `join >&-` does not fail. */
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	if (write_errno == 0)
		write_errno = errno;
	return false;
}

int output_finish(int status)
{
	if (output_flush())
		return status;
	return output_failure(STATUS_FAILED, "cannot write to standard output: %s",
			      strerror(write_errno));
}
