/** @file names.c  Where each named subscriber goes on */
#include "daemon/pub/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void names_init(struct names *n)
{
	list_init(&n->all);
	n->n = 0;
}

static void forget(struct names *n, struct named *one)
{
	list_remove(&one->in);
	free(one);
	n->n--;
}

void names_fini(struct names *n)
{
	list_each(&n->all, item)
		forget(n, list_item(item, struct named, in));
}

static void make_room(struct names *n)
{
	list_each(&n->all, item) {
		struct named *one = list_item(item, struct named, in);

		if (n->n < NAMES_MAX)
			return;
		if (!one->holder)
			forget(n, one);
	}
}

struct named *names_use(struct names *n, const char *name)
{
	list_each(&n->all, item) {
		struct named *one = list_item(item, struct named, in);

		if (strcmp(one->name, name) != 0)
			continue;
		list_remove(&one->in);
		list_add(&n->all, &one->in);
		return one;
	}
	make_room(n);
	if (n->n >= NAMES_MAX)
		return NULL;
	struct named *one = calloc(1, sizeof(*one));
	if (!one)
		return NULL;
	snprintf(one->name, sizeof(one->name), "%s", name);
	list_add(&n->all, &one->in);
	n->n++;
	return one;
}
