/* SPDX-License-Identifier: MIT */
/* `etcd-registry list`: the services of a name, or all of them. */
#include "command.h"
#include "options.h"
#include "output.h"

static int print_services(const struct options *opts, const char *name,
			  const struct etcdreg_entry *entries, size_t len)
{
	if (opts->own & OWN_JSON)
		output_array(entries, len);
	else if (len > 0)
		output_table(entries, len);
	if (len > 0)
		return STATUS_OK;
	if (name)
		output_message("no service '%s' found", name);
	else
		output_message("no service found");
	return STATUS_NOTHING;
}

int list_command(struct options *opts)
{
	const char *name = opts->operands[0];
	struct etcdreg_entry *entries;
	struct etcdreg *reg;
	struct etcdreg_err err;
	size_t len;
	int r, status;

	r = options_open(opts, NULL, NULL, &reg, &err);
	if (r < 0)
		return output_error(&err);
	r = etcdreg_list(reg, name, &entries, &len, &err);
	etcdreg_close(reg, 0);
	if (r < 0)
		return output_error(&err);
	status = print_services(opts, name, entries, len);
	etcdreg_entries_free(entries, len);
	return status;
}
