/* SPDX-License-Identifier: MIT */
/*
 * forgotten.h - where the variables are that a forked child resets, and which its parent's fork
 * handler reads.
 *
 * A child copies each page that it writes to, so they share one: the linker sorts the sections by
 * their names, and the first begins a page.
 */
#ifndef ETCDREG_SHIM_FORGOTTEN_H
#define ETCDREG_SHIM_FORGOTTEN_H

#define FORGOTTEN_PAGE 4096

#define FORGOTTEN_FIRST _Alignas(FORGOTTEN_PAGE) __attribute__((section(".bss.forgotten.0")))
#define FORGOTTEN __attribute__((section(".bss.forgotten.1")))

#endif
