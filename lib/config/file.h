/* SPDX-License-Identifier: MIT */
/*
 * file.h - read a file that a setting names.
 *
 * A message says which file it is about and which source named it: "cacert file '/etc/ca.pem'
 * (ETCD_REGISTRY_CACERT) ...".
 */
#ifndef ETCDREG_LIB_CONFIG_FILE_H
#define ETCDREG_LIB_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "lib/base/buf.h"
#include "lib/etcd-registry.h"

struct file {
	const char *what;   /* "cacert" */
	const char *origin; /* from config_origin(); NULL: the caller named it */
	char *path;         /* the struct owns it; "": the setting names no file */
};

/* Returns false if there is no memory.  Release the struct in either case, or a zeroed one. */
bool file_init(struct file *ret, const char *what, const struct config *cfg, enum config_id id);
void file_release(struct file *f);

static inline bool file_is_given(const struct file *f)
{
	return f->path[0] != '\0';
}

/*
 * Adds the content to `text`.  A file that is read only `once` may be a pipe; the call waits up to
 * 2 s for its content.  Any other must be a regular file.  Fails with ETCDREG_E_CONFIG if the file
 * cannot be read, is empty, is a directory, or does not fit into `text`.
 */
int file_read(const struct file *f, bool once, struct buf *text, struct etcdreg_err *err);

/* Sets a message of the file's name and `fmt`.  Returns ETCDREG_E_CONFIG. */
int file_fail(const struct file *f, struct etcdreg_err *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Adds "cacert file 'PATH' (ORIGIN)", for a message about two files. */
#define FILE_NAME_MAX 2048
void file_name(const struct file *f, struct buf *ret);

#endif
