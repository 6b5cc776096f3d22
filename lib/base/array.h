/* SPDX-License-Identifier: MIT */
/* array.h - how many elements an array has. */
#ifndef ETCDREG_LIB_BASE_ARRAY_H
#define ETCDREG_LIB_BASE_ARRAY_H

/* The number of elements of an array.  A pointer is no array: its result would be wrong. */
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
