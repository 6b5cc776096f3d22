/* SPDX-License-Identifier: MIT */
/*
 * members.h - the members of the cluster, as its nodes list them.
 *
 * members_read() reads a node's list.  It leaves out members that have not started, learners, which
 * serve no requests, URLs that are not just a host and a port, and all after MEMBERS_MAX.
 * members_publish() then leaves out the URLs that a client must not use:
 *
 *	http                  if we reach the node that sent the list by https
 *	loopback addresses    unless we reach that node by one: there they mean another machine
 *
 * All sessions of a handle share a struct members: the latest list, and the time to ask for the
 * next one.  Threads: any.
 */
#ifndef ETCDREG_LIB_NET_MEMBERS_H
#define ETCDREG_LIB_NET_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/json.h"
#include "lib/etcd-registry.h"

enum { MEMBERS_MAX = 32 };

struct member_list {
	char *bases[MEMBERS_MAX]; /* "http://host:port"; NULL: somebody took it over */
	size_t len;
};

void member_list_release(struct member_list *list);

/*
 * Reads the client URLs from an answer of v3's cluster/member/list or v2's /v2/members, which are
 * alike.  `list` is an initialised struct member_list.  Fails with ETCDREG_E_PROTO if the answer
 * lists no member, or with _NOMEM.
 */
int members_read(const struct json *answer, void *list, struct etcdreg_err *err);

struct members;

/* NULL: no memory. */
struct members *members_new(void);
void members_free(struct members *m);

/* Returns the time of now_ms() at which the list is due: at once, then 30 s after each claim. */
uint64_t members_due_ms(struct members *m);

/* Returns true to one caller each time that the list is due.  That caller has to ask for it. */
bool members_claim(struct members *m);

/* Makes the list due again in 5 s: for a caller that claimed and got no answer. */
void members_retry(struct members *m);

/* Takes over the list, and leaves it empty.  `node` is the base of the node that sent it. */
void members_publish(struct members *m, const char *node, struct member_list *list);

/*
 * If there is a list that is newer than *version (0: none yet), copies it to *ret, sets *version to
 * its version, and returns true.  The caller releases the copy.  false: no newer list, or no
 * memory.
 */
bool members_take(struct members *m, unsigned *version, struct member_list *ret);

#endif
