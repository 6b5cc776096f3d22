/* SPDX-License-Identifier: MIT */
/* An object that does nothing: what preloading costs in itself. */
static int nothing __attribute__((used));
