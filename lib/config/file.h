/* SPDX-License-Identifier: MIT */
/*
 * file.h - a file that a setting names: read whole, and messages that say which one it is and who
 * named it: "cacert file '/etc/ca.pem' (ETCD_REGISTRY_CACERT) ...".
 */
#ifndef ETCDREG_LIB_CONFIG_FILE_H
#define ETCDREG_LIB_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "lib/base/buf.h"
#include "lib/etcd-registry.h"

/* `path` is the struct's own; "": the setting names none. */
struct file {
	const char *what;   /* "cacert" */
	const char *origin; /* of config_origin(); NULL: the caller */
	char *path;
};

/* False: no memory.  Release it in either case; a zeroed struct is fine. */
bool file_init(struct file *ret, const char *what, const struct config *cfg, enum config_id id);
void file_release(struct file *f);

static inline bool file_is_given(const struct file *f)
{
	return f->path[0] != '\0';
}

/*
 * Adds its bytes to `text`; more than that may hold are an error.  Where it can be read `once` it
 * may be a pipe, which is waited for, briefly; else it must be a regular file.  Fails with
 * ETCDREG_E_CONFIG (it cannot be read, is empty, no file, too long) or _NOMEM.
 */
int file_read(const struct file *f, bool once, struct buf *text, struct etcdreg_err *err);

/* ETCDREG_E_CONFIG: the file's name, then `fmt`. */
int file_fail(const struct file *f, struct etcdreg_err *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "cacert file 'PATH' (ORIGIN)", for messages about more than one. */
#define FILE_NAME_MAX 2048
void file_name(const struct file *f, struct buf *ret);

#endif
