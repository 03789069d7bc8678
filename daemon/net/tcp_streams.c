/*
 * A call notes events, tcp_streams_next() hands them out.  Segments that
 * waited live on in `done` until then, as events point into them; what points
 * into the packet that was fed is forgotten by the next call.
 */
#include "daemon/net/tcp_streams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/map.h"
#include "daemon/net/tcp_order.h"
#include "daemon/sig/sip.h"

enum {
	SIP_PORT = 5060,
	HELD_BYTES_MAX = 4 * 1024 * 1024,  /* All connections together */
	TICK_US = 250 * 1000,
	ACKED_US = 100 * 1000,             /* Its receiver had it: not late */
	GAP_US = 2 * 1000 * 1000,
	LINGER_US = 30 * 1000 * 1000,      /* Repetitions after the end */
};

#define IDLE_US (UINT64_C(600) * 1000 * 1000)

struct direction {
	struct tcp_order order;
	bool told;           /* The slot is in use */
	bool ended;
};

struct connection {
	bool used, closed;
	struct addr ends[2]; /* Direction i is from ends[i] */
	uint64_t hash;
	uint64_t last_us;    /* Segment, or when it was closed */
	struct direction dirs[2];
};

struct tcp_streams {
	struct connection connections[TCP_CONNECTIONS_MAX];
	struct map map;
	struct tcp_event *events;
	size_t n_events, size_events, at;
	struct list done;
	size_t held;
	uint64_t next_tick_us;
	bool borrowed;       /* Events may point into the caller's packet */
	int err;
	struct tcp_streams_stats stats;
};

struct ends {
	const struct addr *from, *to;
};

int tcp_streams_new(struct tcp_streams **out)
{
	struct tcp_streams *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	for (size_t i = 0; i < TCP_CONNECTIONS_MAX; i++)
		for (size_t d = 0; d < 2; d++)
			tcp_order_init(&t->connections[i].dirs[d].order);
	list_init(&t->done);
	*out = t;
	return 0;
}

static void forget_events(struct tcp_streams *t)
{
	list_each(&t->done, item) {
		list_remove(item);
		free(list_item(item, struct tcp_held, link));
	}
	t->n_events = t->at = 0;
	t->borrowed = false;
}

static void forget_old_events(struct tcp_streams *t)
{
	if (t->at == t->n_events || t->borrowed)
		forget_events(t);
	t->err = 0;
}

void tcp_streams_free(struct tcp_streams *t)
{
	if (!t)
		return;
	forget_events(t);
	for (size_t i = 0; i < TCP_CONNECTIONS_MAX; i++)
		for (size_t d = 0; d < 2; d++)
			tcp_order_reset(&t->connections[i].dirs[d].order);
	map_free(&t->map);
	free(t->events);
	free(t);
}

/* A clock that steps back has not gone on */
static uint64_t elapsed(uint64_t since_us, uint64_t now_us)
{
	return now_us > since_us ? now_us - since_us : 0;
}

static void note(struct tcp_streams *t, struct connection *c, size_t dir,
		 enum tcp_event_kind kind, struct tcp_piece piece)
{
	if (t->n_events == t->size_events) {
		const size_t size = t->size_events ? t->size_events * 2 : 16;
		void *more = realloc(t->events, size * sizeof(*t->events));

		if (!more) {
			t->err = -ENOMEM;
			return;
		}
		t->events = more;
		t->size_events = size;
	}
	t->events[t->n_events++] = (struct tcp_event){
		.kind = kind,
		.slot = (unsigned)(c - t->connections) * 2 + (unsigned)dir,
		.from = c->ends[dir],
		.to = c->ends[!dir],
		.data = piece.data,
		.len = piece.len,
	};
	c->dirs[dir].told = kind != TCP_END;
}

static void note_lost(struct tcp_streams *t, struct connection *c, size_t dir)
{
	t->stats.lost++;
	note(t, c, dir, TCP_LOST, (struct tcp_piece){ 0 });
}

/* The bytes before `seq` are lost */
static void go_on_at(struct tcp_streams *t, struct connection *c, size_t dir,
		     uint32_t seq)
{
	note_lost(t, c, dir);
	tcp_order_begin(&c->dirs[dir].order, seq);
}

static void end_direction(struct tcp_streams *t, struct connection *c,
			  size_t dir)
{
	struct direction *d = &c->dirs[dir];

	t->held -= d->order.bytes_held;
	tcp_order_reset(&d->order);
	if (d->told)
		note(t, c, dir, TCP_END, (struct tcp_piece){ 0 });
	d->ended = true;
}

static void close_connection(struct tcp_streams *t, struct connection *c,
			     uint64_t at_us)
{
	end_direction(t, c, 0);
	end_direction(t, c, 1);
	c->closed = true;
	c->last_us = at_us;
}

static void remove_connection(struct tcp_streams *t, struct connection *c)
{
	close_connection(t, c, 0);
	map_remove(&t->map, c->hash, c);
	c->used = false;
}

static void take(struct tcp_streams *t, struct connection *c, size_t dir,
		 const struct tcp_segment *in)
{
	struct tcp_piece piece;
	size_t hole;

	tcp_order_take(&c->dirs[dir].order, in, &piece, &hole);
	if (piece.len)
		note(t, c, dir, TCP_BYTES, piece);
	if (hole)
		note_lost(t, c, dir);
}

/* Hand out what no longer waits; with `give_up` the hole before it is lost */
static void drain(struct tcp_streams *t, struct connection *c, size_t dir,
		  bool give_up, uint64_t at_us)
{
	struct tcp_order *o = &c->dirs[dir].order;
	struct tcp_held *h;

	while ((h = tcp_order_first(o))) {
		const struct tcp_segment in = { h->seq, h->data, h->len,
						h->wire_len };
		const enum tcp_verdict v = tcp_order_judge(o, &in);

		if (v == TCP_AHEAD || v == TCP_FAR) {
			if (!give_up)
				break;
			give_up = false;
			go_on_at(t, c, dir, h->seq);
		}
		t->held -= h->len;
		tcp_order_pop(o);
		list_add(&t->done, &h->link);
		if (v != TCP_REPEATED)
			take(t, c, dir, &in);
		o->since_us = at_us;
	}
}

static void feed_data(struct tcp_streams *t, struct connection *c, size_t dir,
		      const struct tcp_segment *in, uint64_t at_us)
{
	struct tcp_order *o = &c->dirs[dir].order;
	enum tcp_verdict v = tcp_order_judge(o, in);

	while (v == TCP_AHEAD && (!tcp_order_has_room(o, in->len) ||
				  t->held + in->len > HELD_BYTES_MAX)) {
		if (o->n_held)
			drain(t, c, dir, true, at_us);
		else
			go_on_at(t, c, dir, in->seq);
		v = tcp_order_judge(o, in);
	}
	switch (v) {
	case TCP_REPEATED:
		t->stats.repeated++;
		break;
	case TCP_AHEAD:
		t->stats.out_of_order++;
		t->held -= o->bytes_held;
		if (tcp_order_hold(o, in, at_us) < 0)
			t->err = -ENOMEM;
		t->held += o->bytes_held;
		break;
	case TCP_FAR:
		while (o->n_held)
			drain(t, c, dir, true, at_us);
		go_on_at(t, c, dir, in->seq);
		take(t, c, dir, in);
		break;
	case TCP_NEXT:
		take(t, c, dir, in);
		break;
	}
	drain(t, c, dir, false, at_us);
}

/* ---- connections ---- */

static bool same_ends(const void *value, const void *key)
{
	const struct connection *c = value;
	const struct ends *e = key;

	return (addr_equal(&c->ends[0], e->from) &&
		addr_equal(&c->ends[1], e->to)) ||
	       (addr_equal(&c->ends[1], e->from) &&
		addr_equal(&c->ends[0], e->to));
}

/* Who makes room: first those that never said anything (a flood of SYNs must
 * not push out a trunk), then the one silent longest */
static struct connection *make_room(struct tcp_streams *t)
{
	struct connection *victim = NULL;
	bool victim_told = true;

	for (size_t i = 0; i < TCP_CONNECTIONS_MAX; i++) {
		struct connection *c = &t->connections[i];
		const bool told = c->dirs[0].told || c->dirs[1].told;

		if (!c->used)
			return c;
		if (!victim || told < victim_told ||
		    (told == victim_told && c->last_us < victim->last_us)) {
			victim = c;
			victim_told = told;
		}
	}
	t->stats.evicted++;
	remove_connection(t, victim);
	return victim;
}

static bool worth_following(const struct decap_packet *p)
{
	if (p->from.port == SIP_PORT || p->to.port == SIP_PORT)
		return p->wire_len || p->tcp_flags & DECAP_SYN;
	return p->len && sip_looks_like(p->data, p->len);
}

static struct connection *find_or_begin(struct tcp_streams *t,
					const struct decap_packet *p)
{
	const struct ends key = { &p->from, &p->to };
	const uint64_t hash = addr_hash(&p->from) + addr_hash(&p->to);
	struct connection *c = map_find(&t->map, hash, same_ends, &key);

	if (c || !worth_following(p))
		return c;
	c = make_room(t);
	if (map_put(&t->map, hash, c) < 0) {
		t->err = -ENOMEM;
		return NULL;
	}
	c->used = true;
	c->closed = false;
	c->hash = hash;
	c->ends[0] = p->from;
	c->ends[1] = p->to;
	c->dirs[0].ended = c->dirs[1].ended = false;
	return c;
}

static void begin_direction(struct tcp_streams *t, struct connection *c,
			    size_t dir, uint32_t seq)
{
	struct direction *d = &c->dirs[dir];

	if (d->order.known && d->order.first == seq)
		return; /* The same SYN once more */
	if (d->order.known)
		end_direction(t, c, dir);
	d->ended = false;
	tcp_order_begin(&d->order, seq);
}

static void feed_syn(struct tcp_streams *t, struct connection *c, size_t dir,
		     const struct decap_packet *p)
{
	const uint32_t seq = p->tcp_seq + 1;

	/* Ports used again: the other side answers with a SYN of its own */
	if (!(p->tcp_flags & DECAP_ACK) &&
	    (c->closed || (c->dirs[dir].order.known &&
			   c->dirs[dir].order.first != seq)))
		end_direction(t, c, !dir);
	c->closed = false;
	begin_direction(t, c, dir, seq);
	if (!(p->tcp_flags & DECAP_ACK))
		c->dirs[!dir].ended = false;
}

/* RFC 5961: a reset that is not at the right place may be anybody's */
static bool believable_reset(const struct tcp_order *o, uint32_t seq)
{
	return !o->known || (uint32_t)(seq - o->next) < 65536;
}

static void feed_ack(struct tcp_streams *t, struct connection *c, size_t dir,
		     uint32_t ack, uint64_t at_us)
{
	const struct tcp_order *o = &c->dirs[dir].order;
	const struct tcp_held *h = tcp_order_first(o);

	if (h && (int32_t)(ack - h->seq) >= 0 &&
	    elapsed(o->since_us, at_us) >= ACKED_US)
		drain(t, c, dir, true, at_us);
}

static void feed_segment(struct tcp_streams *t, struct connection *c,
			 size_t dir, const struct decap_packet *p,
			 uint64_t at_us)
{
	struct direction *d = &c->dirs[dir];
	const bool syn = p->tcp_flags & DECAP_SYN;
	const struct tcp_segment in = { p->tcp_seq + syn, p->data, p->len,
					p->wire_len };

	t->stats.segments++;
	if (p->tcp_flags & DECAP_RST) {
		if (!c->closed && believable_reset(&d->order, p->tcp_seq))
			close_connection(t, c, at_us);
		return;
	}
	if (syn)
		feed_syn(t, c, dir, p);
	if (d->ended)
		return;
	c->last_us = at_us;
	if (in.wire_len)
		feed_data(t, c, dir, &in, at_us);
	if (p->tcp_flags & DECAP_FIN) {
		d->order.fin = true;
		d->order.fin_seq = in.seq + (uint32_t)in.wire_len;
		if (!d->order.known)
			tcp_order_begin(&d->order, d->order.fin_seq);
	}
	if (p->tcp_flags & DECAP_ACK && !c->dirs[!dir].ended)
		feed_ack(t, c, !dir, p->tcp_ack, at_us);
	if (d->order.fin && d->order.next == d->order.fin_seq) {
		end_direction(t, c, dir);
		if (c->dirs[!dir].ended)
			close_connection(t, c, at_us);
	}
}

static void tick(struct tcp_streams *t, uint64_t now_us)
{
	/* Too far ahead: the clock stepped back */
	if (now_us < t->next_tick_us && t->next_tick_us - now_us <= TICK_US)
		return;
	t->next_tick_us = now_us + TICK_US;
	for (size_t i = 0; i < TCP_CONNECTIONS_MAX; i++) {
		struct connection *c = &t->connections[i];

		for (size_t d = 0; c->used && d < 2; d++) {
			struct tcp_order *o = &c->dirs[d].order;

			if (o->n_held && elapsed(o->since_us, now_us) >= GAP_US)
				drain(t, c, d, true, now_us);
		}
		if (c->used && elapsed(c->last_us, now_us) >=
				       (c->closed ? LINGER_US : IDLE_US))
			remove_connection(t, c);
	}
}

int tcp_streams_feed(struct tcp_streams *t, const struct decap_packet *p,
		     uint64_t at_us)
{
	forget_old_events(t);
	if (p->kind != DECAP_TCP)
		return 0;
	tick(t, at_us);
	t->borrowed = true;
	struct connection *c = find_or_begin(t, p);

	if (c)
		feed_segment(t, c, addr_equal(&c->ends[1], &p->from), p, at_us);
	return t->err;
}

void tcp_streams_tick(struct tcp_streams *t, uint64_t now_us)
{
	forget_old_events(t);
	tick(t, now_us);
}

void tcp_streams_flush(struct tcp_streams *t)
{
	forget_old_events(t);
	for (size_t i = 0; i < TCP_CONNECTIONS_MAX; i++) {
		struct connection *c = &t->connections[i];

		for (size_t d = 0; c->used && d < 2; d++)
			while (c->dirs[d].order.n_held)
				drain(t, c, d, true, c->last_us);
		if (c->used)
			remove_connection(t, c);
	}
}

int tcp_streams_next(struct tcp_streams *t, struct tcp_event *out)
{
	if (t->at == t->n_events)
		return 0;
	*out = t->events[t->at++];
	return 1;
}

void tcp_streams_stats(const struct tcp_streams *t,
		       struct tcp_streams_stats *out)
{
	*out = t->stats;
}
