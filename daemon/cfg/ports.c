/** @file ports.c  rtp { ports } */
#include "daemon/cfg/ports.h"

#include <errno.h>
#include <string.h>

#include "daemon/base/number.h"

enum { FEW = 32 };

int ports_parse(struct ports *out, const char *text)
{
	const char *dash = strchr(text, '-');
	uint64_t first, last;

	if (!dash || number_parse(&first, text, (size_t)(dash - text),
				  UINT16_MAX) ||
	    number_parse(&last, dash + 1, strlen(dash + 1), UINT16_MAX) ||
	    first == 0 || first + (first & 1) + 1 > last)
		return -EBADMSG;
	out->first = (uint16_t)first;
	out->last = (uint16_t)last;
	return 0;
}

void ports_warn(struct buf *out, const struct ports *p,
		const struct ports *ephemeral, unsigned legs)
{
	const unsigned even = p->first + (p->first & 1u);
	const unsigned pairs = (p->last + 1u - even) / 2;

	if (ephemeral->last >= p->first && ephemeral->first <= p->last)
		buf_printf(out, "rtp: ports %u-%u overlap with those the kernel "
			   "gives to any program (%u-%u): some may be taken "
			   "when a call comes; choose others, or change "
			   "net.ipv4.ip_local_port_range\n", p->first, p->last,
			   ephemeral->first, ephemeral->last);
	if (pairs < legs)
		buf_printf(out, "rtp: ports %u-%u are enough for %u legs, sip "
			   "max-calls is %u; widen them\n", p->first, p->last,
			   pairs, legs);
	else if (pairs < FEW)
		buf_printf(out, "rtp: ports %u-%u are enough for %u legs only, "
			   "and a pair rests for 30 s after each; widen them\n",
			   p->first, p->last, pairs);
}
