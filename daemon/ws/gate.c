/** @file gate.c  Hands wslay each control frame whole (RFC 6455 section 5.2) */
#include "daemon/ws/gate.h"

#include <stdbool.h>
#include <string.h>

#include "daemon/base/rd.h"

enum { CONTROL = 0x08, CONTROL_MAX = 125 };

static size_t least(size_t a, uint64_t b)
{
	return b < a ? (size_t)b : a;
}

/* Length of the header, as far as its first two bytes tell. */
static size_t header_len(const struct gate *g)
{
	const uint8_t len = g->held[1] & 0x7f;

	if (g->n < 2)
		return 2;
	return 2 + (len == 126 ? 2u : len == 127 ? 8u : 0u) +
	       (g->held[1] & 0x80 ? 4u : 0u);
}

/* The header is whole: what follows? */
static void understand(struct gate *g)
{
	struct rd r = rd_of(g->held, g->n);
	const bool control = rd_u8(&r) & CONTROL;
	const uint8_t len = rd_u8(&r) & 0x7f;

	g->left = len == 126 ? rd_u16(&r) : len == 127 ? rd_u64(&r) : len;
	g->need = g->n;
	if (control && g->left <= CONTROL_MAX) {
		g->need += (size_t)g->left;
		g->left = 0;
	}
}

size_t gate_next(struct gate *g, const uint8_t **in, size_t *in_left,
		 uint8_t *out, size_t len)
{
	size_t n;

	while (!g->need && g->left == 0 && *in_left) {
		if (g->n == 0)
			g->kinds[g->frames++ % GATE_KINDS] = **in;
		g->held[g->n++] = *(*in)++;
		(*in_left)--;
		if (g->n >= 2 && g->n == header_len(g))
			understand(g);
	}
	if (g->n < g->need) {
		n = least(*in_left, g->need - g->n);
		memcpy(g->held + g->n, *in, n);
		g->n += n;
		*in += n;
		*in_left -= n;
	}
	if (g->need && g->n == g->need) {
		n = least(len, g->n - g->given);
		memcpy(out, g->held + g->given, n);
		g->given += n;
		if (g->given == g->n)
			g->n = g->given = g->need = 0;
		return n;
	}
	if (g->need || g->left == 0)
		return 0;
	n = least(least(len, *in_left), g->left);
	memcpy(out, *in, n);
	*in += n;
	*in_left -= n;
	g->left -= n;
	return n;
}
