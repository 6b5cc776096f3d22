/* SPDX-License-Identifier: MIT */
/* The lists of sockets in /proc/net. */
#include "procnet.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/cleanup.h"
#include "lib/base/parse.h"
#include "lib/base/span.h"

/*
 *  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
 *   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711
 */
enum { LOCAL_ADDRESS = 1, STATE = 3, UID = 7, INODE = 9, FIELDS };

enum { WORD_DIGITS = 8 };

static bool split_line(const char *line, struct span fields[static FIELDS])
{
	for (size_t i = 0; i < FIELDS; i++) {
		line += strspn(line, " ");
		fields[i] = (struct span){line, strcspn(line, " \n")};
		line += fields[i].len;
	}
	return fields[FIELDS - 1].len > 0;
}

static bool parse_hex(struct span field, uint32_t *ret)
{
	static const char digits[] = "0123456789ABCDEF";
	uint32_t number = 0;

	if (field.len == 0 || field.len > WORD_DIGITS)
		return false;
	for (size_t i = 0; i < field.len; i++) {
		const char *digit = memchr(digits, field.s[i], sizeof(digits) - 1);

		if (!digit)
			return false;
		number = number << 4 | (uint32_t)(digit - digits);
	}
	*ret = number;
	return true;
}

/* The kernel prints the address as 32-bit words, each in the machine's byte order. */
static bool parse_address(struct span field, uint16_t family, uint8_t ret[static 16])
{
	size_t words = family == AF_INET ? 1 : 4;

	if (field.len != words * WORD_DIGITS)
		return false;
	memset(ret, 0, 16);
	for (size_t i = 0; i < words; i++) {
		uint32_t word;

		if (!parse_hex((struct span){field.s + i * WORD_DIGITS, WORD_DIGITS}, &word))
			return false;
		memcpy(ret + i * sizeof(word), &word, sizeof(word));
	}
	return true;
}

static bool parse_local(struct span field, uint16_t family, struct sockdiag_socket *ret)
{
	const char *colon = memchr(field.s, ':', field.len);
	size_t len = colon ? (size_t)(colon - field.s) : 0;
	uint32_t port;

	if (!colon || !parse_address((struct span){field.s, len}, family, ret->address) ||
	    !parse_hex((struct span){colon + 1, field.len - len - 1}, &port) || port == 0 ||
	    port > UINT16_MAX)
		return false;
	ret->port = (uint16_t)port;
	ret->family = family;
	return true;
}

static bool parse_number(struct span field, uint64_t min, uint64_t max, uint64_t *ret)
{
	return parse_uint(field.s, field.len, min, max, ret);
}

/* Returns false unless the line is a socket in state `state`, with a port and an inode. */
static bool parse_line(const char *line, uint16_t family, unsigned state,
		       struct sockdiag_socket *ret)
{
	struct span fields[FIELDS];
	uint32_t line_state;
	uint64_t uid;

	*ret = (struct sockdiag_socket){0};
	if (!split_line(line, fields) || !parse_local(fields[LOCAL_ADDRESS], family, ret) ||
	    !parse_hex(fields[STATE], &line_state) || line_state != state ||
	    !parse_number(fields[UID], 0, UINT32_MAX, &uid) ||
	    !parse_number(fields[INODE], 1, UINT64_MAX, &ret->inode))
		return false;
	ret->uid = (uid_t)uid;
	return true;
}

int procnet_read(FILE *file, uint16_t family, unsigned state, struct sockdiag_list *list)
{
	CLEANUP(free) char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, file) >= 0) {
		struct sockdiag_socket entry;

		if (parse_line(line, family, state, &entry) && sockdiag_list_add(list, &entry) < 0)
			return ETCDREG_E_NOMEM;
	}
	return 0;
}
