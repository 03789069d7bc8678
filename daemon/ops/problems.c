/** @file problems.c  The last things that went wrong, as the events told them */
#include "daemon/ops/problems.h"

#include <stdio.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/utf8.h"

/* What a daemon tells that nobody has to look after. */
static bool is_good_news(const struct event *e)
{
	static const char *const good[] = {
		"started", "stopping", "draining", "resumed", "asr_up",
		"capture_up", "asr_enabled", "asr_disabled",
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!strcmp(e->daemon.what, good[i]))
			return true;
	/* a reload, a journal that is back */
	return e->daemon.reason && (!strcmp(e->daemon.reason, "ok") ||
				    !strcmp(e->daemon.reason, "restored"));
}

static void copy(char *to, size_t room, const char *text)
{
	if (!text)
		text = "";
	snprintf(to, room, "%s", text);
	to[utf8_cut(to, strlen(to), room - 1)] = 0;
	utf8_clean(to);
}

static void add(struct problems *p, struct problem *one)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (!strcmp(p->kept[i].what, one->what) &&
		    !strcmp(p->kept[i].asr, one->asr) &&
		    !strcmp(p->kept[i].text, one->text))
			break;
	one->times = i < p->n ? p->kept[i].times + 1 : 1;
	if (i == PROBLEMS)
		i = 0; /* the oldest goes */
	if (i < p->n)
		memmove(&p->kept[i], &p->kept[i + 1],
			(p->n - i - 1) * sizeof(*one));
	else
		p->n++;
	p->kept[p->n - 1] = *one;
}

void problems_event(struct problems *p, const struct event *e)
{
	struct problem one = { .at_us = e->now_us };

	if (e->type == EVENT_DAEMON && !is_good_news(e)) {
		copy(one.what, sizeof(one.what), e->daemon.what);
		copy(one.asr, sizeof(one.asr), e->daemon.asr);
		copy(one.text, sizeof(one.text),
		     e->daemon.text ? e->daemon.text : e->daemon.reason);
	} else if (e->type == EVENT_LEG_STATE && e->leg_state.text) {
		copy(one.what, sizeof(one.what), e->leg_state.reason);
		copy(one.text, sizeof(one.text), e->leg_state.text);
	} else {
		return;
	}
	add(p, &one);
}

const struct problem *problems_at(const struct problems *p, size_t i)
{
	return i < p->n ? &p->kept[p->n - 1 - i] : NULL;
}
