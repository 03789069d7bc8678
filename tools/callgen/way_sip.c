/** @file way_sip.c  One socket for all calls */
#include "tools/callgen/way_sip.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/hash.h"
#include "daemon/base/must.h"
#include "daemon/net/random.h"
#include "daemon/net/stream.h"
#include "daemon/net/udp.h"
#include "daemon/sig/sip_stream.h"

enum { CONNECT_MS = 10000 };

/* -- whose message --------------------------------------------------------------- */

static bool same_id(const void *value, const void *key)
{
	const struct sip_call *s = value;

	return piece_is(*(const struct piece *)key, s->id);
}

static void received(struct sip_end *e, const uint8_t *data, size_t len)
{
	struct sip_text m;

	if (sip_text_read(&m, (const char *)data, len))
		return;
	const struct piece id = sip_text_header(&m, "Call-ID", 'i', 0);
	struct sip_call *s = id.p ? map_find(&e->calls, hash_bytes(id.p, id.len),
					     same_id, &id) : NULL;

	if (s) {
		sip_call_received(s, &m);
	} else if (m.request && !piece_is(m.method, "ACK")) {
		struct buf b = {0};

		sip_write_answer(&b, &m, piece_is(m.method, "OPTIONS") ? 200
								       : 481);
		sip_end_send(e, &b);
		buf_free(&b);
	}
}

static void on_datagram(const struct packet *p, void *arg)
{
	received(arg, p->data, p->len);
}

static void on_open(void *arg)
{
	struct sip_end *e = arg;

	e->up = true;
	if (e->early.len)
		stream_write(e->stream, e->early.data, e->early.len);
	buf_free(&e->early);
}

static void on_data(const uint8_t *data, size_t len, void *arg)
{
	struct sip_end *e = arg;

	if (sip_stream_feed(e->in, data, len))
		return;
	while (!e->closing && sip_stream_next(e->in, &data, &len) == 1)
		received(e, data, len);
}

static void on_stream_closed(const struct reason *why, void *arg)
{
	struct sip_end *e = arg;

	complain(EXIT_RUN, "the connection: %s", why->text);
	e->up = false;
	gen_stop(e->gen);
	list_each(&e->gen->calls, x)
		sip_call_broke(list_item(x, struct call, in_gen)->priv);
}

void sip_end_send(struct sip_end *e, const struct buf *message)
{
	if (e->udp)
		udp_send(e->udp, &e->gen->o->sip, message->data, message->len);
	else if (e->up)
		stream_write(e->stream, message->data, message->len);
	else
		buf_add(&e->early, message->data, message->len);
}

/* -- life ---------------------------------------------------------------------------- */

static int open_udp(struct sip_end *e)
{
	const struct udp_options o = { .loop = e->gen->loop,
				       .at = e->gen->o->from,
				       .timers = e->gen->timers };
	const int err = udp_open(&e->udp, &o, on_datagram, e);

	if (!err)
		e->at = udp_address(e->udp);
	return err;
}

static int open_tcp(struct sip_end *e)
{
	static const struct stream_cb cb = { .open = on_open, .data = on_data,
					     .closed = on_stream_closed };

	e->at = e->gen->o->from;
	e->at.port = 5060; /* never called back: answers come this way */
	return sip_stream_new(&e->in) ? -1
		: stream_connect(&e->stream, e->gen->loop, &e->gen->o->sip,
				 CONNECT_MS, &cb, e);
}

static int load_dialect(struct sip_end *e)
{
	const struct options *o = e->gen->o;
	struct buf why = {0};
	int code = 0;

	if (!o->siprec)
		return 0;
	if (dialect_load(&e->dialect, o->siprec, &why))
		code = complain(EXIT_INPUT, "%s", buf_str(&why));
	else if (e->dialect.legs != o->legs)
		code = complain(EXIT_USAGE, "%s has %u legs: add --legs %u",
			    o->siprec, e->dialect.legs, e->dialect.legs);
	buf_free(&why);
	return code;
}

int way_sip_open(struct gen *g)
{
	struct sip_end *e = calloc(1, sizeof(*e));
	uint8_t chance[6];

	must(e);
	e->gen = g;
	random_bytes(chance, sizeof(chance));
	for (size_t i = 0; i < sizeof(chance); i++)
		snprintf(e->run + 2 * i, 3, "%02x", chance[i]);
	g->way_state = e;
	int code = load_dialect(e);

	if (!code && (g->o->transport == TRANSPORT_UDP ? open_udp(e)
						       : open_tcp(e)))
		code = complain(EXIT_RUN, "no socket for SIP");
	if (code) {
		way_sip_close(g);
		way_sip_free(g);
	}
	return code;
}

void way_sip_close(struct gen *g)
{
	struct sip_end *e = g->way_state;

	e->closing = true;
	udp_close(e->udp);
	stream_close(e->stream);
}

void way_sip_free(struct gen *g)
{
	struct sip_end *e = g->way_state;

	sip_stream_free(e->in);
	buf_free(&e->early);
	dialect_free(&e->dialect);
	map_free(&e->calls);
	free(e);
	g->way_state = NULL;
}

const struct way way_sip = { .begin = sip_call_begin, .end = sip_call_end,
			     .hold = sip_call_hold };
