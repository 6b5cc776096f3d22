/* SPDX-License-Identifier: MIT */
/*
 * directory.h - the names in a folder, without opendir() and its allocation.
 */
#ifndef ETCDREG_SHIM_DIRECTORY_H
#define ETCDREG_SHIM_DIRECTORY_H

struct directory {
	_Alignas(8) char entries[1024];
	int fd;
	long at, len;
};

/* Open `path` for reading; 0 or a negative errno.  Release with directory_close(). */
int directory_open(struct directory *ret, const char *path);
void directory_close(struct directory *d);

/* The next name, "." and ".." left out; NULL: no more.  Valid until the next call. */
const char *directory_next(struct directory *d);

/* Start again from the first name. */
void directory_rewind(struct directory *d);

#endif
