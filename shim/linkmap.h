/* SPDX-License-Identifier: MIT */
/*
 * linkmap.h - what dlsym(RTLD_NEXT) and dladdr() tell, where those may be missing.
 *
 * Before glibc 2.34 those two are in libdl, which most programs do not load; dl_iterate_phdr() is
 * in every libc.  It takes the loader's lock for the time of a call, as dlsym() does.  Any thread;
 * nothing is allocated, and errno stays as it is.
 */
#ifndef ETCDREG_SHIM_LINKMAP_H
#define ETCDREG_SHIM_LINKMAP_H

/*
 * The first definition of `name` in the objects that were loaded after this one, in load order:
 * the default version if there are several, and of an IFUNC what its resolver chooses.  NULL if
 * none defines it, or in a program without a libc.
 */
void *linkmap_next(const char *name);

/* The file that this object was loaded from, as the loader names it; NULL where it cannot tell. */
const char *linkmap_own_path(void);

#endif
