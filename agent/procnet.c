/* SPDX-License-Identifier: MIT */
/* The lists of sockets in /proc/net, for where netlink is refused. */
#include "sockdiag.h"

#include <inttypes.h>
#include <stdlib.h>

#include "util.h"

/*
 *   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ...
 *    0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 ...
 */
static bool parse_line(const char *line, unsigned *ret_state, struct sockdiag_entry *ret)
{
	struct sockdiag_entry entry = { 0 };
	unsigned state;
	int n = sscanf(line,
		       "%*u: %*32[0-9A-F]:%4" SCNx16 " %*32[0-9A-F]:%*4x %2x "
		       "%*s %*s %*s %*u %*u %19" SCNu64,
		       &entry.port, &state, &entry.inode);

	if (n != 3)
		return false;
	*ret_state = state;
	*ret = entry;
	return true;
}

int sockdiag_read_proc(FILE *file, unsigned state, struct sockdiag_list *list)
{
	CLEANUP(free) char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, file) >= 0) {
		struct sockdiag_entry entry;
		unsigned line_state;

		if (!parse_line(line, &line_state, &entry) || line_state != state ||
		    entry.port == 0 || entry.inode == 0)
			continue;
		if (sockdiag_list_add(list, &entry) < 0)
			return ETCDREG_E_NOMEM;
	}
	return 0;
}
