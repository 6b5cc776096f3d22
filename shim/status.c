/* SPDX-License-Identifier: MIT */
/* status.c - one read of the file, and a walk over its lines. */
#include "status.h"

#include <fcntl.h>
#include <string.h>

#include "raw.h"
#include "text.h"

bool status_read(struct status *ret, int fd)
{
	long len = raw(SYS_pread64, fd, raw_arg(ret->text), sizeof(ret->text), 0, 0);

	if (len <= 0 || len == sizeof(ret->text))
		len = 0;
	ret->text[len] = '\0';
	return len > 0;
}

bool status_read_at(struct status *ret, const char *path)
{
	int fd = (int)raw(SYS_openat, AT_FDCWD, raw_arg(path), O_RDONLY | O_CLOEXEC);
	bool whole = status_read(ret, fd);

	raw_close(fd);
	return whole;
}

static const char *next_line(const char *line)
{
	while (*line && *line++ != '\n')
		;
	return line;
}

const char *status_value(const struct status *status, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = status->text; *line; line = next_line(line))
		if (text_starts(line, name) && line[len] == ':')
			return line + len + 1;
	return NULL;
}

bool status_same(const struct status *a, const struct status *b, const char *name)
{
	const char *x = status_value(a, name), *y = status_value(b, name);

	if (!x || !y)
		return x == y;
	while (*x == *y && *x && *x != '\n')
		x++, y++;
	return *x == *y;
}

static unsigned digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

bool status_next(const char **at, unsigned base, uint64_t *ret)
{
	while (**at == ' ' || **at == '\t')
		++*at;
	if (digit(**at) >= base)
		return false;
	for (*ret = 0; digit(**at) < base; ++*at)
		*ret = *ret * base + digit(**at);
	return true;
}

uint64_t status_number(const struct status *status, const char *name, unsigned base)
{
	const char *at = status_value(status, name);
	uint64_t number;

	return at && status_next(&at, base, &number) ? number : 0;
}
