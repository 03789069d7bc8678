/** @file sip_sockets.c  What SIP comes in by */
#include "daemon/ingress/sip_sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cfg/listen.h"
#include "daemon/ingress/sip_link.h"
#include "daemon/net/listener.h"
#include "daemon/net/udp.h"

enum { SOCKETS_MAX = 32, QUEUE = 2 * 1024 * 1024 };

struct sip_socket {
	struct sip_sockets *owner;
	unsigned number;
	struct listen_at listen;
	struct udp *udp;
	struct listener *listener;
};

struct sip_sockets {
	struct sip_sockets_config cfg;
	struct tls_context *tls;  /* NULL: nothing listens for it */
	struct sip_links *links;
	unsigned n;
	struct sip_socket sockets[SOCKETS_MAX];
};

static bool is(const struct sip_socket *s, const char *transport)
{
	return !strcmp(s->listen.transport, transport);
}

static void on_datagram(const struct packet *p, void *arg)
{
	const struct sip_socket *s = arg;
	const struct sip_sockets_config *cfg = &s->owner->cfg;
	const struct sip_peer peer = {
		.transport = SIP_UDP, .from = p->from, .at = p->to,
		.socket = s->number,
	};

	if (p->len)
		cfg->message(&peer, p->data, p->len, cfg->arg);
}

static void on_connection(uv_stream_t *from, void *arg)
{
	const struct sip_socket *s = arg;

	sip_links_accept(s->owner->links, from, &s->listen.at,
			 is(s, "tls") ? s->owner->tls : NULL);
}

static int open_one(struct sip_socket *s)
{
	const struct sip_sockets_config *cfg = &s->owner->cfg;
	const struct udp_options o = {
		.loop = cfg->loop, .at = s->listen.at, .clock = cfg->clock,
		.timers = cfg->timers, .queue = QUEUE,
	};

	return is(s, "udp")
		       ? udp_open(&s->udp, &o, on_datagram, s)
		       : listener_open(&s->listener, cfg->loop, &s->listen.at,
				       on_connection, s);
}

static void explain(struct reason *why, const char *item, int err)
{
	reason_set(why, REASON_CONFIG, 0, "listen \"%s\": %s; %s", item,
		   uv_strerror(err),
		   err == -EADDRINUSE
			   ? "another program has that port: end it, or choose "
			     "another one"
		   : err == -EADDRNOTAVAIL
			   ? "write an address of this machine"
			   : "choose another address or port");
}

static int open_tls(struct sip_sockets *s, struct reason *why)
{
	const struct config *c = s->cfg.config;

	if (s->tls)
		return 0;
	if (!*c->sip.tls_cert_file || !*c->sip.tls_key_file) {
		reason_set(why, REASON_CONFIG, 0, "a tls: socket needs "
			   "tls-cert-file and tls-key-file; add them");
		return -EINVAL;
	}
	return tls_server_context(&s->tls, c->sip.tls_cert_file,
				  c->sip.tls_key_file, why);
}

static int open_all(struct sip_sockets *s, struct reason *why)
{
	char **items = s->cfg.config->sip.listen;
	int err = 0;

	for (size_t i = 0; items && items[i] && !err; i++) {
		struct sip_socket *x = &s->sockets[s->n];

		if (s->n == SOCKETS_MAX) {
			reason_set(why, REASON_CONFIG, 0, "listen has more "
				   "than %d sockets; remove some", SOCKETS_MAX);
			return -EINVAL;
		}
		x->owner = s;
		x->number = s->n;
		err = listen_parse(&x->listen, items[i], "udp tcp tls");
		if (!err && is(x, "tls")) {
			err = open_tls(s, why);
			if (err)
				return err;
		}
		if (!err)
			err = open_one(x);
		if (err)
			explain(why, items[i], err);
		else
			s->n++;
	}
	if (!err && !s->n) {
		reason_set(why, REASON_CONFIG, 0, "nothing to listen on; add "
			   "listen = {\"udp:ADDRESS:5060\"}");
		err = -EINVAL;
	}
	return err;
}

int sip_sockets_open(struct sip_sockets **out,
		     const struct sip_sockets_config *cfg, struct reason *why)
{
	struct sip_sockets *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->cfg = *cfg;
	int err = sip_links_new(&s->links, cfg);

	if (!err)
		err = open_all(s, why);
	if (err) {
		sip_sockets_close(s);
		return err;
	}
	*out = s;
	return 0;
}

void sip_sockets_close(struct sip_sockets *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < s->n; i++) {
		udp_close(s->sockets[i].udp);
		listener_close(s->sockets[i].listener);
	}
	sip_links_free(s->links);
	tls_context_free(s->tls);
	free(s);
}

int sip_sockets_send(struct sip_sockets *s, const struct sip_peer *p,
		     const struct addr *to, const void *data, size_t len)
{
	if (p->transport != SIP_UDP)
		return sip_links_send(s->links, p, to, data, len);
	return udp_send(s->sockets[p->socket].udp, to, data, len);
}

unsigned sip_sockets_links(const struct sip_sockets *s)
{
	return sip_links_count(s->links);
}

uint64_t sip_sockets_refused(const struct sip_sockets *s)
{
	return sip_links_refused(s->links);
}
