/** @file list.h  Doubly linked list through a member of the item */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next;
	struct list *prev;
};

#define list_item(ptr, type, member)                                           \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

/** Every list head, and every item before list_remove() may meet it. */
static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

/** Put `item` last in the list. */
static inline void list_add(struct list *head, struct list *item)
{
	item->prev = head->prev;
	item->next = head;
	head->prev->next = item;
	head->prev = item;
}

/** Take it out; taking out twice is fine. */
static inline void list_remove(struct list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}

/** `item` may be removed inside the loop. */
#define list_each(head, item)                                                  \
	for (struct list *item = (head)->next, *item##_next = item->next;      \
	     item != (head); item = item##_next, item##_next = item->next)
