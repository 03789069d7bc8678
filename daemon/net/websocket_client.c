/** @file websocket_client.c  The client's way to an open websocket */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/url.h"
#include "daemon/net/random.h"
#include "daemon/net/websocket_impl.h"

enum {
	CONNECT_MS = 3000,
	UPGRADE_MS = 5000,
};

/* -- the address ---------------------------------------------------------- */

int websocket_url(const char *url, bool *tls, char host[254], uint16_t *port,
		  const char **target)
{
	struct url u;

	if (url_parse(&u, url) || !resolve_host_ok(u.host))
		return -EINVAL;
	*tls = u.tls;
	memcpy(host, u.host, sizeof(u.host));
	*port = u.port;
	*target = u.target;
	return 0;
}

/* -- phases --------------------------------------------------------------- */

static uint32_t elapsed(const struct websocket *ws)
{
	const uint64_t ms = uv_hrtime() / 1000000 - ws->started_ms;

	return ms ? (uint32_t)ms : 1; /* 0 is "not yet" */
}

static void over(struct websocket *ws, enum reason_class class,
		 const char *text)
{
	struct reason why;

	reason_set(&why, class, 0, "%s", text);
	websocket_over(ws, &why);
}

static void on_late(uv_timer_t *t)
{
	struct websocket *ws = t->data;
	struct reason why;

	if (upgrade_cut(ws->dial->upgrade, &why)) {
		websocket_over(ws, &why);
		return;
	}
	switch (ws->state) {
	case WS_PROXY:
		over(ws, REASON_TCP, "connected to the proxy, but it does not "
				     "answer: can it reach the service?");
		return;
	case WS_TLS:
		over(ws, REASON_TIMEOUT,
		     "connected, but the TLS handshake takes too long");
		return;
	default:
		over(ws, REASON_TIMEOUT,
		     "connected, but no answer to the upgrade: check url");
	}
}

/* -- upgrade ---------------------------------------------------------------- */

static int request(struct websocket *ws)
{
	struct websocket_dial *d = ws->dial;
	uint8_t random[UPGRADE_RANDOM];
	char key[UPGRADE_KEY];
	int err;

	random_bytes(random, sizeof(random));
	upgrade_key(key, random);
	err = upgrade_new(&d->upgrade, key, d->target, d->headers);
	if (!err)
		err = upgrade_request(&ws->out, d->host, d->port, d->tls,
				      d->target, d->headers, key);
	if (!err)
		err = stream_write(ws->stream, ws->out.data, ws->out.len);
	buf_clear(&ws->out);
	return err;
}

static void ask_service(struct websocket *ws)
{
	ws->state = WS_UPGRADE;
	if (request(ws))
		over(ws, REASON_NETWORK, "the upgrade cannot be sent");
}

static void on_answer(struct websocket *ws, const uint8_t *data, size_t len)
{
	struct websocket_dial *d = ws->dial;
	struct reason why;
	size_t used;
	const int result = upgrade_feed(d->upgrade, data, len, &used, &why);

	if (result == 0)
		return;
	if (result == -ENOMEM) {
		over(ws, REASON_NETWORK, "out of memory");
		return;
	}
	if (result < 0) {
		websocket_over(ws, &why);
		return;
	}
	ws->phases.upgrade = elapsed(ws);
	ws->dial = NULL;
	websocket_dial_free(d);
	websocket_opened(ws, data + used, len - used);
}

/* -- TLS, and the proxy before it -------------------------------------------- */

/* The service itself is at the other end now. */
static void reached(struct websocket *ws)
{
	const struct websocket_dial *d = ws->dial;

	if (!d->tls) {
		ask_service(ws);
		return;
	}
	ws->state = WS_TLS;
	if (stream_secure(ws->stream, d->tls, d->tls_name))
		over(ws, REASON_NETWORK, "no memory for the TLS handshake");
}

static int request_tunnel(struct websocket *ws)
{
	struct websocket_dial *d = ws->dial;
	int err = tunnel_new(&d->tunnel);

	if (!err)
		err = tunnel_request(&ws->out, d->host, d->port, d->proxy_auth);
	if (!err)
		err = stream_write(ws->stream, ws->out.data, ws->out.len);
	buf_clear(&ws->out);
	return err;
}

static void on_tunnel(struct websocket *ws, const uint8_t *data, size_t len)
{
	struct reason why;
	const int result = tunnel_feed(ws->dial->tunnel, data, len, &why);

	if (result == 0)
		return;
	if (result == -ENOMEM) {
		over(ws, REASON_NETWORK, "out of memory");
		return;
	}
	if (result < 0) {
		websocket_over(ws, &why);
		return;
	}
	ws->phases.proxy = elapsed(ws);
	reached(ws);
}

/* -- the stream --------------------------------------------------------------- */

static void on_open(void *arg)
{
	struct websocket *ws = arg;

	ws->phases.tls = elapsed(ws);
	ask_service(ws);
}

static void on_data(const uint8_t *data, size_t len, void *arg)
{
	struct websocket *ws = arg;

	if (ws->state == WS_PROXY)
		on_tunnel(ws, data, len);
	else if (ws->state == WS_UPGRADE)
		on_answer(ws, data, len);
	else if (ws->state == WS_OPEN || ws->state == WS_FINISHING)
		websocket_input(ws, data, len);
}

static void on_closed(const struct reason *why, void *arg)
{
	struct websocket *ws = arg;
	struct reason better;

	if (ws->state == WS_PROXY) {
		over(ws, REASON_TCP, "the proxy ended the connection without "
				     "an answer: check proxy");
		return;
	}
	if (ws->dial && upgrade_cut(ws->dial->upgrade, &better))
		why = &better;
	websocket_over(ws, why);
}

/* -- DNS and TCP ---------------------------------------------------------------- */

static void on_raced(struct stream *s, const struct reason *why, void *arg)
{
	static const struct stream_cb cb = {
		.open = on_open,
		.data = on_data,
		.drained = websocket_drained,
		.closed = on_closed,
	};
	struct websocket *ws = arg;
	struct websocket_dial *d = ws->dial;
	struct reason with;

	race_close(d->race);
	d->race = NULL;
	if (!s) {
		if (*d->proxy)
			reason_set(&with, why->class, 0, "proxy: %.180s",
				   why->text);
		websocket_over(ws, *d->proxy ? &with : why);
		return;
	}
	ws->stream = s;
	stream_adopt(s, &cb, ws);
	ws->phases.tcp = elapsed(ws);
	ws->phases.peer = stream_peer(s);
	uv_timer_start(&ws->timer, on_late, d->upgrade_timeout_ms, 0);
	if (!*d->proxy) {
		reached(ws);
		return;
	}
	ws->state = WS_PROXY;
	if (request_tunnel(ws))
		over(ws, REASON_NETWORK, "the proxy cannot be asked");
}

static int run_race(struct websocket *ws, const struct addr *a, size_t n)
{
	const struct race_options o = {
		.to = a, .n = n, .timeout_ms = ws->dial->connect_timeout_ms,
	};

	ws->state = WS_CONNECT;
	return race_open(&ws->dial->race, ws->loop, &o, on_raced, ws);
}

static void on_resolved(const struct addr *a, size_t n, const char *error,
			void *arg)
{
	struct websocket *ws = arg;
	struct websocket_dial *d = ws->dial;
	struct reason why;

	resolve_close(d->resolve);
	d->resolve = NULL;
	if (n == 0) {
		reason_set(&why, REASON_DNS, 0,
			   "%s%.80s does not resolve: %s; check the name and "
			   "/etc/resolv.conf", *d->proxy ? "proxy: " : "",
			   *d->proxy ? d->proxy : d->host, error);
		websocket_over(ws, &why);
		return;
	}
	ws->phases.dns = elapsed(ws);
	if (run_race(ws, a, n))
		over(ws, REASON_TCP, "no memory left on this host");
}

/* To the proxy, if there is one: it resolves the service's name itself. */
static int start(struct websocket *ws)
{
	struct websocket_dial *d = ws->dial;
	const char *host = *d->proxy ? d->proxy : d->host;
	const uint16_t port = *d->proxy ? d->proxy_port : d->port;
	struct addr a;
	int err = 0;

	if (!addr_parse(&a, host, strlen(host))) {
		a.port = port;
		return run_race(ws, &a, 1);
	}
	if (!d->resolver) {
		err = resolver_open(&d->own, ws->loop, NULL);
		d->resolver = d->own;
	}
	return err ? err
		   : resolve_open(&d->resolve, d->resolver, host, port,
				  on_resolved, ws);
}

/* -- the beginning -------------------------------------------------------- */

void websocket_dial_stop(struct websocket_dial *d)
{
	resolve_close(d->resolve);
	d->resolve = NULL;
	resolver_close(d->own);
	d->own = NULL;
	race_close(d->race);
	d->race = NULL;
}

static void wipe(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void websocket_dial_free(struct websocket_dial *d)
{
	if (!d)
		return;
	websocket_dial_stop(d);
	tunnel_free(d->tunnel);
	upgrade_free(d->upgrade);
	free(d->target);
	wipe(d->headers);
	wipe(d->proxy_auth);
	free(d);
}

static int new_dial(struct websocket_dial **out,
		    const struct websocket_options *o)
{
	struct websocket_dial *d = calloc(1, sizeof(*d));
	const char *name = o->tls_name ? o->tls_name : o->host;

	if (!d)
		return -ENOMEM;
	*out = d;
	memcpy(d->host, o->host, strlen(o->host));
	memcpy(d->tls_name, name, strlen(name));
	d->port = o->port;
	d->tls = o->tls;
	d->resolver = o->resolver;
	d->connect_timeout_ms =
		o->connect_timeout_ms ? o->connect_timeout_ms : CONNECT_MS;
	d->upgrade_timeout_ms =
		o->upgrade_timeout_ms ? o->upgrade_timeout_ms : UPGRADE_MS;
	if (o->proxy_host) {
		memcpy(d->proxy, o->proxy_host, strlen(o->proxy_host));
		d->proxy_port = o->proxy_port;
		if (o->proxy_auth && !(d->proxy_auth = strdup(o->proxy_auth)))
			return -ENOMEM;
	}
	d->target = strdup(o->target ? o->target : "/");
	d->headers = strdup(o->headers ? o->headers : "");
	return d->target && d->headers ? 0 : -ENOMEM;
}

/* Would the request be refused?  Better told now. */
static int check(const struct websocket_options *o)
{
	struct buf b = {0};
	int err;

	if (!o->host || !o->port || !resolve_host_ok(o->host) ||
	    (o->tls_name && !resolve_host_ok(o->tls_name)))
		return -EINVAL;
	if (o->proxy_host &&
	    (!o->proxy_port || !resolve_host_ok(o->proxy_host)))
		return -EINVAL;
	err = upgrade_request(&b, o->host, o->port, o->tls,
			      o->target ? o->target : "/", o->headers, "");
	if (!err && o->proxy_host)
		err = tunnel_request(&b, o->host, o->port, o->proxy_auth);
	if (b.data)
		explicit_bzero(b.data, b.size);
	buf_free(&b);
	return err;
}

int websocket_connect(struct websocket **out, uv_loop_t *loop,
		      const struct websocket_options *o,
		      const struct websocket_cb *cb, void *arg)
{
	struct websocket *ws;
	int err = check(o);

	if (!err)
		err = websocket_new(&ws, loop, false);
	if (err)
		return err;
	if (cb)
		ws->cb = *cb;
	ws->arg = arg;
	if (o->low_water)
		ws->low_water = o->low_water;
	if (o->ping_ms)
		ws->ping_ms = o->ping_ms;
	err = new_dial(&ws->dial, o);
	if (!err)
		err = start(ws);
	if (err) {
		websocket_close(ws);
		return err;
	}
	*out = ws;
	return 0;
}
