/* SPDX-License-Identifier: MIT */
/*
 * err.h - fill a caller's struct etcdreg_err.
 *
 * Every function of lib/ that can fail returns 0 or a negative ETCDREG_E_*, and takes the
 * caller's `err` last, which may be NULL.  A failure is one line: return err_set(err,
 * ETCDREG_E_CONFIG, "port '%s' is not 1-65535", text);
 *
 * Messages are lower case, quote the input they are about, and hold no secret.  They are cut at
 * ETCDREG_ERR_MAX, and control characters (quoted input and servers' answers may hold some)
 * become '?': a message is always one line.
 */
#ifndef ETCDREG_LIB_BASE_ERR_H
#define ETCDREG_LIB_BASE_ERR_H

#include "lib/etcd-registry.h"

/* Sets both fields; returns `code`. */
int err_set(struct etcdreg_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Puts context before the message of a failure; returns `code`, which is the code of that failure
 * and stays in err.  A long message loses its end, not the context.
 *
 *	if (r < 0)
 *		return err_prefix(err, r, "%s: ", path);
 */
int err_prefix(struct etcdreg_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "out of memory"; returns ETCDREG_E_NOMEM. */
static inline int err_nomem(struct etcdreg_err *err)
{
	err_set(err, ETCDREG_E_NOMEM, "out of memory");
	return ETCDREG_E_NOMEM;
}

#endif
