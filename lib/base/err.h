/* SPDX-License-Identifier: MIT */
/*
 * err.h - fill a caller's struct etcdreg_err.
 *
 * Every function of lib/ that can fail returns 0 or a negative ETCDREG_E_*.  Its last parameter is
 * the caller's `err`, which may be NULL.  A failure is one line:
 *
 *	return err_set(err, ETCDREG_E_CONFIG, "port '%s' is not 1-65535", text);
 *
 * A message is lower case, quotes the input that it is about, and holds no secret.  Both functions
 * cut it at ETCDREG_ERR_MAX.  They replace each control character with '?', since quoted input and
 * a server's answer may hold some: a message is always one line.
 */
#ifndef ETCDREG_LIB_BASE_ERR_H
#define ETCDREG_LIB_BASE_ERR_H

#include "lib/etcd-registry.h"

/* Sets the code and the message.  Returns `code`. */
int err_set(struct etcdreg_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Puts context before the message of a failure.  Returns `code`, which is the code of that failure
 * and stays in `err`.  A message that becomes too long loses its end, not the context.
 *
 *	if (r < 0)
 *		return err_prefix(err, r, "%s: ", path);
 */
int err_prefix(struct etcdreg_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Sets "out of memory".  Returns ETCDREG_E_NOMEM. */
static inline int err_nomem(struct etcdreg_err *err)
{
	err_set(err, ETCDREG_E_NOMEM, "out of memory");
	return ETCDREG_E_NOMEM;
}

#endif
