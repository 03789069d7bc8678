/** @file sip_link.c  SIP's TCP and TLS connections */
#include "daemon/ingress/sip_link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/list.h"
#include "daemon/base/log.h"
#include "daemon/net/stream.h"
#include "daemon/sig/sip_stream.h"

enum {
	LINKS_MAX = 1024,
	PER_SOURCE = 16,         /* that no call hangs on */
	STRANGERS = 16,
	QUEUE_MAX = 256 * 1024,  /* answers nobody reads */
	CONNECT_MS = 5000,
	SECOND_US = 1000 * 1000,
};
static const uint64_t first_us = 10ull * SECOND_US,
		      idle_us = 600ull * SECOND_US,
		      stranger_us = 2ull * SECOND_US;

struct sip_links {
	struct sip_sockets_config cfg;
	struct list all;         /* of struct link */
	unsigned n, strangers;
	uint64_t last_id;
	uint64_t refused;
	struct log_limit full;
};

struct link {
	struct list in_links;
	struct sip_links *owner;
	struct sip_peer peer;
	struct stream *stream;
	struct sip_stream *messages;
	bool connecting;         /* ours is not there yet ... */
	struct buf waiting;      /* ... and this waits for it */
	bool stranger;           /* not permitted */
	struct timer timer;      /* no message by then: closed */
};

static struct link *link_of(struct list *x)
{
	return list_item(x, struct link, in_links);
}

static void link_free(struct link *k)
{
	struct sip_links *l = k->owner;

	timers_disarm(l->cfg.timers, &k->timer);
	stream_close(k->stream);
	sip_stream_free(k->messages);
	buf_free(&k->waiting);
	list_remove(&k->in_links);
	l->n--;
	l->strangers -= k->stranger;
	free(k);
}

static void wait_for_message(struct link *k, uint64_t us)
{
	struct timers *ts = k->owner->cfg.timers;

	(void)timers_arm(ts, &k->timer, timers_now_us(ts) + us);
}

static bool used(const struct link *k)
{
	const struct sip_sockets_config *cfg = &k->owner->cfg;

	return cfg->used(&k->peer, cfg->arg);
}

static void on_silent(struct timer *t, uint64_t now_us)
{
	struct link *k = list_item(t, struct link, timer);

	(void)now_us;
	/* over TLS a goodbye has no other way */
	if (used(k))
		wait_for_message(k, idle_us);
	else
		link_free(k);
}

static void on_closed(const struct reason *why, void *arg)
{
	(void)why; /* callers come and go as they like */
	link_free(arg);
}

static void on_data(const uint8_t *data, size_t len, void *arg)
{
	struct link *k = arg;
	const struct sip_sockets_config *cfg = &k->owner->cfg;
	const uint8_t *message;
	size_t n;

	clock_live_run(cfg->clock);
	if (sip_stream_feed(k->messages, data, len)) {
		link_free(k);
		return;
	}
	while (sip_stream_next(k->messages, &message, &n)) {
		if (!k->stranger)
			wait_for_message(k, idle_us);
		cfg->message(&k->peer, message, n, cfg->arg);
	}
	if (sip_stream_pinged(k->messages)) {
		(void)stream_write(k->stream, "\r\n", 2);
		if (!k->stranger)
			wait_for_message(k, idle_us);
	}
	if (stream_queued(k->stream) > QUEUE_MAX)
		link_free(k);
}

static void on_open(void *arg)
{
	struct link *k = arg;

	k->connecting = false;
	if (k->waiting.len)
		(void)stream_write(k->stream, k->waiting.data, k->waiting.len);
	buf_free(&k->waiting);
	k->waiting = (struct buf){ 0 };
}

static const struct stream_cb callbacks = { .open = on_open, .data = on_data,
					    .closed = on_closed };

static const struct stream_cb nobody;

static unsigned count_of(const struct sip_links *l, const struct addr *from)
{
	unsigned n = 0;

	list_each((struct list *)&l->all, x)
		if (addr_same_ip(&link_of(x)->peer.from, from) &&
		    !used(link_of(x)))
			n++;
	return n;
}

static bool has_room(const struct sip_links *l, const struct link *k)
{
	if (k->stranger)
		return k->peer.transport == SIP_TCP &&
		       l->strangers < STRANGERS;
	return l->n - l->strangers < LINKS_MAX &&
	       count_of(l, &k->peer.from) < PER_SOURCE;
}

static void say_full(struct sip_links *l, const struct addr *from)
{
	const uint64_t now_us = timers_now_us(l->cfg.timers);
	char text[ADDR_TEXT];
	uint64_t more;

	l->refused++;
	if (log_limited(&l->full, now_us, &more))
		log_warn("sip", "a connection from %s is refused: %d are open, "
			 "or %d of its own without a call, or it is not in permit (%llu more "
			 "since the last such line)", addr_print(text, from),
			 LINKS_MAX, PER_SOURCE, (unsigned long long)more);
}

static void add(struct sip_links *l, struct link *k)
{
	k->peer.link = ++l->last_id;
	list_add(&l->all, &k->in_links);
	l->n++;
	l->strangers += k->stranger;
	wait_for_message(k, k->stranger ? stranger_us : first_us);
}

void sip_links_accept(struct sip_links *l, uv_stream_t *from,
		      const struct addr *at, const struct tls_context *tls)
{
	struct link *k = calloc(1, sizeof(*k));
	struct stream *s;

	clock_live_run(l->cfg.clock);
	if (stream_accept(&s, from, tls, k ? &callbacks : &nobody, k)) {
		free(k);
		return;
	}
	if (!k || sip_stream_new(&k->messages)) {
		stream_close(s);
		free(k);
		return;
	}
	list_init(&k->in_links);
	k->owner = l;
	k->stream = s;
	k->timer.due = on_silent;
	k->peer = (struct sip_peer){
		.transport = tls ? SIP_TLS : SIP_TCP,
		.from = stream_peer(s), .at = stream_local(s),
	};
	if (!k->peer.at.family)
		k->peer.at = *at;
	k->stranger = !l->cfg.permitted(&k->peer.from, l->cfg.arg);
	if (has_room(l, k)) {
		add(l, k);
		return;
	}
	say_full(l, &k->peer.from);
	sip_stream_free(k->messages);
	stream_reset(s);
	free(k);
}

/* The one it came by, else the newest of that source. */
static struct link *find(const struct sip_links *l, const struct sip_peer *p)
{
	struct link *other = NULL;

	list_each((struct list *)&l->all, x) {
		struct link *k = link_of(x);

		if (k->peer.link == p->link)
			return k;
		if (k->peer.transport == p->transport &&
		    addr_same_ip(&k->peer.from, &p->from))
			other = k;
	}
	return other;
}

/* The connection is gone: one of ours to where they listen (RFC 3261 section
 * 18.2.2).  Not over TLS: whom to trust there nobody has said. */
static int connect_to(struct sip_links *l, const struct sip_peer *p,
		      const struct addr *to, const void *data, size_t len)
{
	struct link *k;
	int err;

	if (p->transport != SIP_TCP || !to->family || !to->port ||
	    l->n - l->strangers >= LINKS_MAX)
		return -ENOTCONN;
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	list_init(&k->in_links);
	k->owner = l;
	k->connecting = true;
	k->timer.due = on_silent;
	k->peer = (struct sip_peer){ .transport = SIP_TCP, .from = *to,
				     .at = p->at };
	buf_add(&k->waiting, data, len);
	err = k->waiting.err ? k->waiting.err : sip_stream_new(&k->messages);
	if (!err)
		err = stream_connect(&k->stream, l->cfg.loop, to, CONNECT_MS,
				     &callbacks, k);
	if (err) {
		sip_stream_free(k->messages);
		buf_free(&k->waiting);
		free(k);
		return err;
	}
	add(l, k);
	return 0;
}

int sip_links_send(struct sip_links *l, const struct sip_peer *p,
		   const struct addr *to, const void *data, size_t len)
{
	struct link *k = find(l, p);

	if (!k)
		return connect_to(l, p, to, data, len);
	if (k->connecting) {
		buf_add(&k->waiting, data, len);
		return k->waiting.err;
	}
	return stream_queued(k->stream) > QUEUE_MAX
		       ? -ENOBUFS
		       : stream_write(k->stream, data, len);
}

int sip_links_new(struct sip_links **out, const struct sip_sockets_config *cfg)
{
	struct sip_links *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->cfg = *cfg;
	list_init(&l->all);
	*out = l;
	return 0;
}

void sip_links_free(struct sip_links *l)
{
	if (!l)
		return;
	list_each(&l->all, x)
		link_free(link_of(x));
	free(l);
}

unsigned sip_links_count(const struct sip_links *l)
{
	return l->n;
}

uint64_t sip_links_refused(const struct sip_links *l)
{
	return l->refused;
}
