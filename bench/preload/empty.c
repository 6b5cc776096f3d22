/* SPDX-License-Identifier: MIT */
/* An object that does nothing, to measure the cost of preloading itself. */
static int nothing __attribute__((used));
