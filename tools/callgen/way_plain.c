/** @file way_plain.c  RTP to addresses that were given: nothing to set up */
#include "tools/callgen/gen.h"

static void begin(struct call *c)
{
	for (unsigned k = 0; k < c->gen->o->legs; k++) {
		struct leg *l = &c->legs[k];

		l->to = c->gen->o->to;
		l->to.port = (uint16_t)(l->to.port + 2 * l->number);
	}
	call_legs_begin(c);
}

static void end(struct call *c)
{
	gen_call_over(c, true);
}

const struct way way_plain = { .begin = begin, .end = end };
