/** @file audiosocket_names.c  Whose an AudioSocket will be */
#include "daemon/ingress/audiosocket_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct told {
	struct list item;
	struct audiosocket_names *names;
	uint8_t uuid[16];
	struct command command;
	struct timer keep;
};

static struct told *told_of(struct list *item)
{
	return list_item(item, struct told, item);
}

void audiosocket_names_init(struct audiosocket_names *n, struct timers *ts)
{
	*n = (struct audiosocket_names){ .timers = ts };
	list_init(&n->all);
}

static void forget(struct told *t)
{
	timers_disarm(t->names->timers, &t->keep);
	list_remove(&t->item);
	t->names->count--;
	command_free(&t->command);
	free(t);
}

static void on_keep(struct timer *k, uint64_t now_us)
{
	(void)now_us;
	forget(list_item(k, struct told, keep));
}

static struct told *find(struct audiosocket_names *n, const uint8_t uuid[16])
{
	list_each(&n->all, x)
		if (!memcmp(told_of(x)->uuid, uuid, 16))
			return told_of(x);
	return NULL;
}

int audiosocket_names_add(struct audiosocket_names *n,
			  const uint8_t uuid[16], const struct command *c)
{
	struct told *old = find(n, uuid), *t;

	if (!old && n->count >= AUDIOSOCKET_NAMES_MAX)
		return -ENOSPC;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->keep.due = on_keep;
	if (timers_arm(n->timers, &t->keep, timers_now_us(n->timers) +
		       AUDIOSOCKET_NAMES_KEEP_US)) {
		free(t);
		return -ENOMEM;
	}
	if (old)
		forget(old);
	t->names = n;
	memcpy(t->uuid, uuid, 16);
	command_copy(&t->command, c);
	list_init(&t->item);
	list_add(&n->all, &t->item);
	n->count++;
	return 0;
}

int audiosocket_names_take(struct audiosocket_names *n, struct command *out,
			   const uint8_t uuid[16])
{
	struct told *t = find(n, uuid);

	if (!t)
		return -ENOENT;
	command_copy(out, &t->command);
	forget(t);
	return 0;
}

void audiosocket_names_clear(struct audiosocket_names *n)
{
	list_each(&n->all, x)
		forget(told_of(x));
}
