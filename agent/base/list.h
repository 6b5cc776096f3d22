/* SPDX-License-Identifier: MIT */
/*
 * list.h - doubly linked lists whose links live inside the elements.  A list is a ring through a
 * head that is no element; an element is in at most one list per link.  Removing is O(1) and leaves
 * the link empty, so removing twice is harmless.  Nothing here allocates.
 */
#ifndef ETCDREG_AGENT_BASE_LIST_H
#define ETCDREG_AGENT_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev, *next;
};

#define LIST_ENTRY(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

/* The element at hand must not be removed, unless with the _SAFE form, where only it may be. */
#define LIST_FOR_EACH(pos, head) \
	for (struct list *pos = (head)->next; pos != (head); pos = pos->next)
#define LIST_FOR_EACH_SAFE(pos, head)                                                 \
	for (struct list *pos = (head)->next, *pos##_next = pos->next; pos != (head); \
	     pos = pos##_next, pos##_next = pos->next)

static inline void list_init(struct list *head)
{
	head->prev = head->next = head;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_append(struct list *head, struct list *link)
{
	link->prev = head->prev;
	link->next = head;
	head->prev->next = link;
	head->prev = link;
}

static inline void list_remove(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

#endif
