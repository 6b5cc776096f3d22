/* SPDX-License-Identifier: MIT */
/*
 * v3_list.h - the documents under a folder in the v3 API, page by page at one revision.
 *
 * As the store's list.  `each` is called when all pages are there, once for each document: neither
 * a node whose page is refused half-way nor a list that begins again can give one twice.  It begins
 * again, some times, where etcd no longer has its revision: compacted between two pages, or gone
 * with the data directory.
 */
#ifndef ETCDREG_LIB_STORE_V3_LIST_H
#define ETCDREG_LIB_STORE_V3_LIST_H

#include "v3_call.h"

int v3_list(struct v3_access *s, const struct store_query *query, struct etcdreg_err *err);

/* Adds the range of a folder, from `key` (NULL: its first) to its end: "key":...,"range_end":... */
void v3_add_folder(struct buf *b, const char *folder, const char *key, size_t key_len);

#endif
