/* SPDX-License-Identifier: MIT */
/* help.h - the help texts, made from the tables of commands and settings. */
#ifndef ETCDREG_CLI_HELP_H
#define ETCDREG_CLI_HELP_H

#include <stdio.h>

#include "command.h"

/* Writes the help of `command`; NULL: the list of all commands. */
void help_print(const struct command *command, FILE *out);

#endif
