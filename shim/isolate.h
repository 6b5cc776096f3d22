/* SPDX-License-Identifier: MIT */
/*
 * isolate.h - what sets the object's thread apart from the host that it runs in.  Called by that
 * thread alone, unless said otherwise.
 */
#ifndef ETCDREG_SHIM_ISOLATE_H
#define ETCDREG_SHIM_ISOLATE_H

/*
 * Give the calling thread a file table of its own, empty but for descriptor 2, and `/` as a working
 * folder of its own.  So the host's descriptors keep their numbers, closing them all closes none of
 * ours, a child inherits nothing of ours, and no folder that the host leaves stays in use.  Returns
 * 0 or a negative errno; then the table is still the host's and nothing may be opened.
 */
int isolate_thread(void);

/* Close every descriptor from `first` on in the calling thread's table. */
void isolate_close_from(int first);

/* A real-time thread becomes an ordinary one: it must not compete with the host's.  Best effort. */
void isolate_scheduling(void);

#endif
