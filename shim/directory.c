/* SPDX-License-Identifier: MIT */
/* directory.c - getdents64, entry by entry. */
#include "directory.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "raw.h"

/* As the kernel writes it (linux_dirent64). */
struct linux_dirent64 {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

int directory_open(struct directory *ret, const char *path)
{
	long fd = raw(SYS_openat, AT_FDCWD, raw_arg(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return (int)fd;
	ret->fd = (int)fd;
	ret->at = ret->len = 0;
	return 0;
}

void directory_close(struct directory *d)
{
	raw_close(d->fd);
}

const char *directory_next(struct directory *d)
{
	for (;;) {
		const struct linux_dirent64 *entry;

		if (d->at >= d->len) {
			d->at = 0;
			d->len =
				raw(SYS_getdents64, d->fd, raw_arg(d->entries), sizeof(d->entries));
			if (d->len <= 0)
				return NULL;
		}
		entry = (const void *)(d->entries + d->at);
		d->at += entry->reclen;
		if (entry->name[0] != '.')
			return entry->name;
	}
}

void directory_rewind(struct directory *d)
{
	(void)raw(SYS_lseek, d->fd, 0, SEEK_SET);
	d->at = d->len = 0;
}
