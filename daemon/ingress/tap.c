/** @file tap.c  Calls found in somebody else's packets: the way in */
#include "daemon/ingress/tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ingress/tap_calls.h"
#include "daemon/ingress/tap_same.h"
#include "daemon/ingress/tap_tcp.h"
#include "daemon/media/rtcp.h"

enum { SWEEP_US = 10 * 1000 * 1000 };

static void on_sweep(struct timer *timer, uint64_t now_us)
{
	struct tap *t = list_item(timer, struct tap, sweep);

	tap_flows_sweep(t, now_us);
	timers_arm(t->cfg.timers, &t->sweep, now_us + SWEEP_US);
}

int tap_new(struct tap **out, const struct tap_config *cfg)
{
	struct tap *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->cfg = *cfg;
	t->sweep.due = on_sweep;
	t->generation = 1;
	list_init(&t->calls);
	list_init(&t->flow_list);
	if (tap_tcp_new(&t->tcp)) {
		free(t);
		return -ENOMEM;
	}
	*out = t;
	return 0;
}

void tap_free(struct tap *t)
{
	if (!t)
		return;
	timers_disarm(t->cfg.timers, &t->sweep);
	tap_flows_free(t); /* first: a call looks at all there are */
	list_each(&t->calls, c)
		tap_call_free(list_item(c, struct tap_call, in_tap));
	tap_tcp_free(t->tcp);
	map_free(&t->by_call_id);
	map_free(&t->by_number);
	map_free(&t->by_address);
	map_free(&t->flows);
	tap_anchors_free(t->anchors);
	free(t);
}

/* By the first byte (RFC 7983 section 7). */
static void take_udp(struct tap *t, const struct decap_packet *p,
		     uint64_t at_us)
{
	if (!p->len)
		return;

	const uint8_t first = p->data[0];
	if (first >= 128 && first < 192) {
		if (rtcp_is(p->data, p->len))
			t->stats.rtcp++;
		else
			tap_rtp(t, p, at_us);
	} else if (first >= 16 && first < 20) {
		tap_zrtp(t, p);
	} else if (sip_looks_like(p->data, p->len)) {
		tap_sip(t, &p->from, p->data, p->len);
	}
}

void tap_packet(struct tap *t, const struct decap_packet *p, uint64_t at_us)
{
	if (!t->sweep.slot)
		timers_arm(t->cfg.timers, &t->sweep, at_us + SWEEP_US);
	if (p->kind == DECAP_UDP)
		take_udp(t, p, at_us);
	else
		tap_tcp_packet(t, p, at_us);
}

void tap_drain(struct tap *t, bool on)
{
	t->draining = on;
}

bool tap_hang_up(struct tap *t, const char *call, const char *reason)
{
	list_each(&t->calls, x) {
		struct tap_call *c = list_item(x, struct tap_call, in_tap);

		if (!c->call || strcmp(call_id(c->call), call) != 0)
			continue;
		tap_call_end(c, reason);
		return true;
	}
	return false;
}

void tap_end(struct tap *t, const char *reason)
{
	tap_tcp_end(t);
	list_each(&t->calls, x) {
		struct tap_call *c = list_item(x, struct tap_call, in_tap);

		tap_call_end(c, c->bye_us ? "bye" : reason);
	}
}

void tap_stats(const struct tap *t, struct tap_stats *out)
{
	*out = t->stats;
}
