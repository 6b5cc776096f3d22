/* SPDX-License-Identifier: MIT */
/* The lists of sockets in /proc/net, for where netlink is refused. */
#include "sockdiag.h"

#include <stdlib.h>
#include <string.h>

#include "parse.h"
#include "util.h"

/*
 *  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
 *   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711
 */
enum { LOCAL_ADDRESS = 1, STATE = 3, INODE = 9, FIELDS };

struct field {
	const char *s;
	size_t len;
};

static bool split_line(const char *line, struct field fields[static FIELDS])
{
	for (size_t i = 0; i < FIELDS; i++) {
		line += strspn(line, " ");
		fields[i] = (struct field){ line, strcspn(line, " \n") };
		line += fields[i].len;
	}
	return fields[FIELDS - 1].len > 0;
}

static bool parse_hex(struct field field, unsigned *ret)
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned number = 0;

	if (field.len == 0 || field.len > 4)
		return false;
	for (size_t i = 0; i < field.len; i++) {
		const char *digit = memchr(digits, field.s[i], sizeof digits - 1);

		if (!digit)
			return false;
		number = number << 4 | (unsigned)(digit - digits);
	}
	*ret = number;
	return true;
}

static bool parse_port(struct field address, unsigned *ret)
{
	const char *colon = memchr(address.s, ':', address.len);

	if (!colon)
		return false;
	return parse_hex((struct field){ colon + 1, address.len - (size_t)(colon + 1 - address.s) },
			 ret);
}

/* Is it the line of a socket in that state, with a port and an inode? */
static bool parse_line(const char *line, unsigned state, struct sockdiag_entry *ret)
{
	struct field fields[FIELDS];
	unsigned port, line_state;
	uint64_t inode;

	if (!split_line(line, fields) || !parse_port(fields[LOCAL_ADDRESS], &port) ||
	    !parse_hex(fields[STATE], &line_state) || line_state != state || port == 0 ||
	    !parse_uint(fields[INODE].s, fields[INODE].len, 1, UINT64_MAX, &inode))
		return false;
	*ret = (struct sockdiag_entry){ .inode = inode, .port = (uint16_t)port };
	return true;
}

int sockdiag_read_proc(FILE *file, unsigned state, struct sockdiag_list *list)
{
	CLEANUP(free) char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, file) >= 0) {
		struct sockdiag_entry entry;

		if (parse_line(line, state, &entry) && sockdiag_list_add(list, &entry) < 0)
			return ETCDREG_E_NOMEM;
	}
	return 0;
}
