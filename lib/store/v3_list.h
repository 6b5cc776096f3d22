/* SPDX-License-Identifier: MIT */
/*
 * v3_list.h - list of store.h in the v3 API: the documents under a folder, page by page.
 *
 * All pages have one revision.  If etcd loses that revision between two pages, by compaction or
 * with its data directory, the list starts again.  It fails after five attempts.
 *
 * `each` is called after the last page has arrived.  So each document is reported once, even if the
 * list started again, or a second node had to repeat a page.
 */
#ifndef ETCDREG_LIB_STORE_V3_LIST_H
#define ETCDREG_LIB_STORE_V3_LIST_H

#include "v3_call.h"

int v3_list(struct v3_access *s, const struct store_query *query, struct etcdreg_err *err);

/*
 * Adds the range from `key` to the end of the folder: "key":...,"range_end":...  NULL: from the
 * first key on.
 */
void v3_add_folder(struct buf *b, const char *folder, const char *key, size_t key_len);

#endif
