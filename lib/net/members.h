/* SPDX-License-Identifier: MIT */
/*
 * members.h - who else is in the cluster, as its nodes tell.
 *
 * A node's list is read by members_read(); what of it may be used is up to members_publish(), which
 * leaves out
 *
 *	http                  if the node that told it was reached by https
 *	loopback addresses    unless that node was reached by one: they mean another machine there
 *	what is no URL of a host and a port; members that have not started; learners, which serve
 *	nobody; all after MEMBERS_MAX
 *
 * struct members is what all sessions of a handle share: the latest list, and when to ask for the
 * next one.  Any thread.
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
	char *bases[MEMBERS_MAX]; /* "http://host:port"; NULL: taken by somebody */
	size_t len;
};

void member_list_release(struct member_list *list);

/*
 * The clients' URLs in an answer of v3's cluster/member/list or v2's /v2/members, which are alike.
 * `list` is a struct member_list, empty at first.  Fails with ETCDREG_E_PROTO (it lists nobody) or
 * _NOMEM.
 */
int members_read(const struct json *answer, void *list, struct etcdreg_err *err);

struct members;

/* NULL: no memory. */
struct members *members_new(void);
void members_free(struct members *m);

/* When the list is to be asked for: at once, then 30 s after each claim. */
uint64_t members_due_ms(struct members *m);

/* True for one caller each time that it is due: it has to ask. */
bool members_claim(struct members *m);

/* No node has answered the one who asked: due again in 5 s. */
void members_retry(struct members *m);

/* `node` is the base of the node that told the list, which is taken over. */
void members_publish(struct members *m, const char *node, struct member_list *list);

/*
 * True: there is a list that is newer than *version (0: none yet), *ret has a copy of it, to be
 * released, and *version is its own.
 */
bool members_take(struct members *m, unsigned *version, struct member_list *ret);

#endif
