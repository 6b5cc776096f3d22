/* SPDX-License-Identifier: MIT */
/* `etcd-registry list`: show the services of a name, or all services. */
#include "command.h"
#include "options.h"
#include "output.h"
#include "show.h"

static int say_nothing(const char *name)
{
	if (name)
		return output_failure(STATUS_NOTHING, "no service '%s' found", name);
	return output_failure(STATUS_NOTHING, "no service found");
}

int list_command(struct options *opts)
{
	const char *name = opts->operands[0];
	struct etcdreg_entry **entries;
	struct etcdreg *reg;
	struct etcdreg_err err;
	size_t len;
	int r;

	r = options_open(opts, NULL, NULL, &reg, &err);
	if (r < 0)
		return output_error(&err);
	r = etcdreg_list(reg, name, &entries, &len, &err);
	etcdreg_close(reg, 0);
	if (r < 0)
		return output_error(&err);
	show_list(opts, entries, len);
	etcdreg_list_free(entries);
	return len > 0 ? STATUS_OK : say_nothing(name);
}
