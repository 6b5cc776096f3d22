/* SPDX-License-Identifier: MIT */
/*
 * filter.h - is there a seccomp filter, and may it kill the host for a call of ours?
 *
 * The kernel does not tell what a filter answers.  The default filters of container runtimes refuse
 * calls with an error, and process 1 of the container has them too.  A filter that process 1 does
 * not have is a service's own, such as SystemCallFilter= of systemd, and these kill.
 */
#ifndef ETCDREG_SHIM_FILTER_H
#define ETCDREG_SHIM_FILTER_H

enum filter {
	FILTER_NONE,
	FILTER_TRUSTED, /* process 1 has it too, or the user has set ETCD_REGISTRY_THREAD=1 */
	FILTER_FEARED,  /* the service's own: start neither thread nor process */
};

/*
 * Look at the calling thread.  In a unit of systemd the only calls are those that a server makes
 * anyway (openat, read, close), some 20 microseconds at the first time.  One caller at a time.
 */
enum filter filter_of_this_thread(void);

#endif
