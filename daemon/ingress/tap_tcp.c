/** @file tap_tcp.c  SIP over TCP in a tap's packets */
#include "daemon/ingress/tap_tcp.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/net/tcp_streams.h"
#include "daemon/sig/sip_stream.h"

struct tap_tcp {
	struct tcp_streams *streams;
	struct sip_stream *slots[TCP_SLOTS]; /* by direction; NULL: unused */
};

int tap_tcp_new(struct tap_tcp **out)
{
	struct tap_tcp *x = calloc(1, sizeof(*x));

	if (!x)
		return -ENOMEM;
	if (tcp_streams_new(&x->streams)) {
		free(x);
		return -ENOMEM;
	}
	*out = x;
	return 0;
}

void tap_tcp_free(struct tap_tcp *x)
{
	if (!x)
		return;
	for (unsigned i = 0; i < TCP_SLOTS; i++)
		sip_stream_free(x->slots[i]);
	tcp_streams_free(x->streams);
	free(x);
}

static void take_bytes(struct tap *t, const struct tcp_event *e)
{
	struct sip_stream **slot = &t->tcp->slots[e->slot];
	const uint8_t *message;
	size_t len;

	if (!*slot && sip_stream_new(slot))
		return;
	if (sip_stream_feed(*slot, e->data, e->len))
		t->stats.sip_bad++;
	while (sip_stream_next(*slot, &message, &len))
		tap_sip(t, &e->from, message, len);
}

static void take_events(struct tap *t)
{
	struct tcp_event e;

	while (tcp_streams_next(t->tcp->streams, &e)) {
		struct sip_stream **slot = &t->tcp->slots[e.slot];

		switch (e.kind) {
		case TCP_BYTES:
			take_bytes(t, &e);
			break;
		case TCP_LOST:
			if (*slot)
				sip_stream_lost(*slot);
			break;
		case TCP_END:
			sip_stream_free(*slot);
			*slot = NULL;
			break;
		}
	}
}

void tap_tcp_packet(struct tap *t, const struct decap_packet *p,
		    uint64_t at_us)
{
	tcp_streams_tick(t->tcp->streams, at_us);
	if (tcp_streams_feed(t->tcp->streams, p, at_us))
		t->stats.sip_bad++;
	take_events(t);
}

void tap_tcp_end(struct tap *t)
{
	tcp_streams_flush(t->tcp->streams);
	take_events(t);
}
