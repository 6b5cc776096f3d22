/* SPDX-License-Identifier: MIT */
/*
 * list.h - doubly linked lists whose links are inside the elements.
 *
 * A list is a ring of links through a head, which is not an element.  An element is in at most one
 * list per link.  list_remove() takes O(1) and leaves the link empty, so a second call does
 * nothing.  Nothing here allocates.
 */
#ifndef ETCDREG_AGENT_BASE_LIST_H
#define ETCDREG_AGENT_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev, *next;
};

/* The element of type `type` whose `member` is `link`. */
#define LIST_ENTRY(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

/* The body must not remove elements.  In the _SAFE form it may remove the current one only. */
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
