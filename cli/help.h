/* SPDX-License-Identifier: MIT */
/* help.h - usage, made from the tables of commands and settings. */
#ifndef ETCDREG_CLI_HELP_H
#define ETCDREG_CLI_HELP_H

#include <stdio.h>

#include "command.h"

/* What `command` does and takes; NULL: the list of all commands. */
void help_print(const struct command *command, FILE *out);

#endif
