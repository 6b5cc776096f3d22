/* SPDX-License-Identifier: MIT */
/* `etcd-registry lookup`: one service of a name. */
#include <stdio.h>

#include "command.h"
#include "options.h"
#include "output.h"

int lookup_command(struct options *opts)
{
	struct etcdreg_entry *entry;
	struct etcdreg *reg;
	struct etcdreg_err err;
	int r;

	r = options_open(opts, NULL, NULL, &reg, &err);
	if (r < 0)
		return output_error(&err);
	r = etcdreg_lookup(reg, opts->operands[0], &entry, &err);
	etcdreg_close(reg, 0);
	if (r < 0)
		return output_error(&err);
	if (opts->own & OWN_JSON)
		puts(entry->json);
	else
		output_table(entry, 1);
	etcdreg_entries_free(entry, 1);
	return STATUS_OK;
}
