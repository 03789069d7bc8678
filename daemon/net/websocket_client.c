/** @file websocket_client.c  The client's way to an open websocket */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/url.h"
#include "daemon/net/random.h"
#include "daemon/net/websocket_impl.h"

enum {
	DNS_MS = 10000,
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

	if (ws->state == WS_RESOLVE) {
		over(ws, REASON_DNS, "the name server does not answer: check "
				     "/etc/resolv.conf");
		return;
	}
	if (upgrade_cut(ws->dial->upgrade, &why)) {
		websocket_over(ws, &why);
		return;
	}
	over(ws, REASON_TIMEOUT,
	     ws->state == WS_TLS
		     ? "connected, but the TLS handshake takes too long"
		     : "connected, but no answer to the upgrade: check url");
}

static void on_connected(void *arg)
{
	struct websocket *ws = arg;

	ws->phases.tcp = elapsed(ws);
	ws->phases.peer = stream_peer(ws->stream);
	ws->state = WS_TLS;
	uv_timer_start(&ws->timer, on_late, ws->dial->upgrade_timeout_ms, 0);
}

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

static void on_open(void *arg)
{
	struct websocket *ws = arg;

	if (ws->dial->tls)
		ws->phases.tls = elapsed(ws);
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

static void on_data(const uint8_t *data, size_t len, void *arg)
{
	struct websocket *ws = arg;

	if (ws->state == WS_UPGRADE)
		on_answer(ws, data, len);
	else if (ws->state == WS_OPEN || ws->state == WS_FINISHING)
		websocket_input(ws, data, len);
}

static void try_next(struct websocket *ws);

static void on_closed(const struct reason *why, void *arg)
{
	struct websocket *ws = arg;
	struct websocket_dial *d = ws->dial;
	struct reason http;

	if (ws->state == WS_CONNECT && d->next < d->addresses) {
		stream_close(ws->stream);
		ws->stream = NULL;
		try_next(ws);
		return;
	}
	if (d && upgrade_cut(d->upgrade, &http))
		why = &http;
	websocket_over(ws, why);
}

static void try_next(struct websocket *ws)
{
	static const struct stream_cb cb = {
		.connected = on_connected,
		.open = on_open,
		.data = on_data,
		.drained = websocket_drained,
		.closed = on_closed,
	};
	struct websocket_dial *d = ws->dial;
	const struct stream_options o = {
		.to = &d->address[d->next++],
		.timeout_ms = d->connect_timeout_ms,
		.tls = d->tls,
		.tls_name = d->tls_name,
	};

	uv_timer_stop(&ws->timer);
	ws->state = WS_CONNECT;
	if (stream_connect(&ws->stream, ws->loop, &o, &cb, ws))
		over(ws, REASON_TCP, "no socket or no memory left on this host");
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
			   "%s does not resolve: %s; check the name and "
			   "/etc/resolv.conf", d->host, error);
		websocket_over(ws, &why);
		return;
	}
	ws->phases.dns = elapsed(ws);
	memcpy(d->address, a, n * sizeof(*a));
	d->addresses = n;
	try_next(ws);
}

static void on_numeric(uv_timer_t *t)
{
	try_next(t->data);
}

/* -- the beginning -------------------------------------------------------- */

void websocket_dial_free(struct websocket_dial *d)
{
	if (!d)
		return;
	resolve_close(d->resolve);
	upgrade_free(d->upgrade);
	free(d->target);
	free(d->headers);
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
	d->connect_timeout_ms =
		o->connect_timeout_ms ? o->connect_timeout_ms : CONNECT_MS;
	d->upgrade_timeout_ms =
		o->upgrade_timeout_ms ? o->upgrade_timeout_ms : UPGRADE_MS;
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
	err = upgrade_request(&b, o->host, o->port, o->tls,
			      o->target ? o->target : "/", o->headers, "");
	buf_free(&b);
	return err;
}

int websocket_connect(struct websocket **out, uv_loop_t *loop,
		      const struct websocket_options *o,
		      const struct websocket_cb *cb, void *arg)
{
	struct websocket *ws;
	struct websocket_dial *d;
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
	d = ws->dial;
	if (!err && !addr_parse(&d->address[0], d->host, strlen(d->host))) {
		d->address[0].port = d->port;
		d->addresses = 1;
		uv_timer_start(&ws->timer, on_numeric, 0, 0);
	} else if (!err) {
		err = resolve_open(&d->resolve, loop, d->host, d->port,
				   on_resolved, ws);
		uv_timer_start(&ws->timer, on_late, DNS_MS, 0);
	}
	if (err) {
		websocket_close(ws);
		return err;
	}
	*out = ws;
	return 0;
}
