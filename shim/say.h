/* SPDX-License-Identifier: MIT */
/*
 * say.h - the one line that this object may ever print: on the host's stderr, when its registration
 * failed, or somebody else holds its agent's name.
 *
 * A host may have closed its stderr and got its descriptor for a file of its own.  So the line is
 * written only where descriptor 2 is still the file that it was at the start, only if it can be
 * written at once, and only once.
 */
#ifndef ETCDREG_SHIM_SAY_H
#define ETCDREG_SHIM_SAY_H

/* Remember which file descriptor 2 is.  Once, at the start. */
void say_remember(void);

/*
 * Write `line` and a newline to descriptor 2 of the calling thread.  At most one call per process
 * has an effect.
 */
void say_once(const char *line);

/* The same with a number behind it: "line: error 13". */
void say_once_errno(const char *line, int err);

#endif
