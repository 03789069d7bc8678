/**
 * @file way_websocket.c  FreeSWITCH's websockets: who may come in
 *
 * Strangers are closed before they have said a word, others are asked for path
 * and secret.  permessage-deflate and other extensions are simply not taken
 * (RFC 6455 section 9.1): the client goes on without.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/network.h"
#include "daemon/cfg/listen.h"
#include "daemon/ingress/fork.h"
#include "daemon/ingress/way.h"
#include "daemon/net/tls.h"
#include "daemon/ws/authorize.h"

enum {
	SERVERS_MAX = 8,
	PROTOCOL_MAX = 64,       /* bytes of a subprotocol's name */
	LOOK_US = 1000 * 1000,
};

struct way_websocket {
	struct way_config cfg;
	char *const *permit;
	const char *path;
	struct buf secret;
	bool asks;               /* for the secret */
	struct tls_context *tls;
	struct websocket_server *servers[SERVERS_MAX];
	size_t n_servers;
	unsigned max;
	struct forks forks;
	struct timer look;
	bool draining;
	char headers[PROTOCOL_MAX + 32]; /* of the answer of the moment */
	uint64_t refused;
	struct log_limit stranger, full, wrong;
};

/* -- who may come in --------------------------------------------------------- */

static void tell(struct way_websocket *w, struct log_limit *limit,
		 const struct addr *peer, const char *what)
{
	struct addr host = *peer;
	char text[ADDR_TEXT];
	uint64_t kept_back;

	host.port = 0;
	w->refused++;
	if (log_limited(limit, timers_now_us(w->cfg.timers), &kept_back))
		log_warn("websocket", "%s %s (%llu more since the last such "
			 "line)", addr_print(text, &host), what,
			 (unsigned long long)kept_back);
}

static bool on_welcome(const struct addr *peer, unsigned waiting, void *arg)
{
	struct way_websocket *w = arg;

	clock_live_run(w->cfg.clock);
	if (!network_any_has(w->permit, peer)) {
		tell(w, &w->stranger, peer, "is not in permit: closed");
		return false;
	}
	if (w->forks.count + waiting >= w->max) {
		tell(w, &w->full, peer, "is one too many, max-connections: "
		     "closed");
		return false;
	}
	return true;
}

static bool is_path(const struct way_websocket *w, const char *target)
{
	const size_t n = strcspn(target, "?");

	return !*w->path || (strlen(w->path) == n &&
			     !strncmp(w->path, target, n));
}

/* The first that the client offers, if it is one: some end the connection when
 * none is chosen. */
static const char *subprotocol(struct way_websocket *w, const char *offered)
{
	static const char token[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789!#$%&'*+-.^_`|~";
	const size_t n = offered ? strspn(offered, token) : 0;

	if (!n || n > PROTOCOL_MAX || !strchr(", \t", offered[n]))
		return NULL;
	snprintf(w->headers, sizeof(w->headers),
		 "Sec-WebSocket-Protocol: %.*s\r\n", (int)n, offered);
	return w->headers;
}

static void on_request(struct websocket *ws, const struct websocket_request *r,
		       struct websocket_answer *a, void *arg)
{
	struct way_websocket *w = arg;

	clock_live_run(w->cfg.clock);
	if (!is_path(w, r->target)) {
		tell(w, &w->wrong, &r->peer, "asks for another path: 404");
		a->status = 404;
	} else if (w->asks &&
		   !authorize_matches(r->header(r, "Authorization"),
				      buf_str(&w->secret), w->secret.len)) {
		tell(w, &w->wrong, &r->peer, "does not know the secret of "
		     "auth-file: 401");
		a->status = 401;
		a->headers = "WWW-Authenticate: Basic realm=\"trunkscribe\"\r\n";
	} else if (w->draining || fork_accept(&w->forks, ws, a)) {
		w->refused++;
		a->status = 503;
		a->headers = "Retry-After: 60\r\n";
	} else {
		a->headers = subprotocol(w, r->header(r,
						"Sec-WebSocket-Protocol"));
	}
}

/* -- the way ------------------------------------------------------------------- */

static bool wanted(const struct config *c)
{
	return c->websocket.given;
}

static void on_look(struct timer *t, uint64_t now_us)
{
	struct way_websocket *w = list_item(t, struct way_websocket, look);

	forks_look(&w->forks, now_us);
	timers_arm(w->cfg.timers, t, now_us + LOOK_US);
}

static void close_all(struct way_websocket *w)
{
	for (size_t i = 0; i < w->n_servers; i++)
		websocket_server_close(w->servers[i]);
	forks_close(&w->forks);
	timers_disarm(w->cfg.timers, &w->look);
	tls_context_free(w->tls);
	config_wipe(&w->secret);
	free(w);
}

static int listen_at(struct way_websocket *w, const char *text,
		     struct reason *why)
{
	static const struct websocket_server_cb cb = {
		.welcome = on_welcome, .request = on_request,
	};
	struct listen_at at;
	int err = listen_parse(&at, text, "tcp tls");

	if (!err && w->n_servers == SERVERS_MAX)
		err = -E2BIG;
	if (!err)
		err = websocket_listen(&w->servers[w->n_servers], w->cfg.loop,
				       &at.at, !strcmp(at.transport, "tls")
				       ? w->tls : NULL, &cb, w);
	if (err)
		snprintf(why->text, sizeof(why->text), "%s: %s; change listen, "
			 "or end what has it", text, strerror(-err));
	else
		w->n_servers++;
	return err;
}

/* Secret and certificate. */
static int read_files(struct way_websocket *w, const struct config *c,
		      struct reason *why)
{
	struct buf text = {0};
	int err = 0;

	if (*c->websocket.auth_file) {
		err = config_secret(&w->secret, c->websocket.auth_file,
				    getenv("CREDENTIALS_DIRECTORY"), &text);
		w->asks = true;
		if (err)
			snprintf(why->text, sizeof(why->text), "auth-file: %s",
				 buf_str(&text));
		buf_free(&text);
	}
	if (!err && *c->websocket.tls_cert_file)
		err = tls_server_context(&w->tls, c->websocket.tls_cert_file,
					 c->websocket.tls_key_file, why);
	return err;
}

static void init(struct way_websocket *w, const struct way_config *cfg)
{
	static char four[] = "127.0.0.0/8", six[] = "::1";
	static char *const nearby[] = { four, six, NULL };
	const struct config *c = cfg->config;

	w->cfg = *cfg;
	w->permit = c->websocket.permit ? c->websocket.permit : nearby;
	w->path = c->websocket.path;
	w->max = c->websocket.max_connections;
	w->look.due = on_look;
	w->forks = (struct forks){
		.timers = cfg->timers, .clock = cfg->clock,
		.calls = cfg->calls,
		.mix = !strcmp(c->websocket.mix, "stereo")  ? MIX_STEREO
		       : !strcmp(c->websocket.mix, "mixed") ? MIX_MIXED
							    : MIX_MONO,
		.agent_first = !strcmp(c->websocket.stereo, "agent-caller"),
		.send_transcripts = c->websocket.send_transcripts,
	};
	list_init(&w->forks.all);
}

static int open_websocket(void **out, const struct way_config *cfg,
			  struct reason *why)
{
	static char here[] = "tcp:127.0.0.1:9093";
	static char *const local[] = { here, NULL };
	char *const *at = cfg->config->websocket.listen;
	struct way_websocket *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	init(w, cfg);
	int err = read_files(w, cfg->config, why);
	at = at ? at : local;
	for (size_t i = 0; at[i] && !err; i++)
		err = listen_at(w, at[i], why);
	if (!err)
		err = timers_arm(cfg->timers, &w->look,
				 timers_now_us(cfg->timers) + LOOK_US);
	if (err) {
		close_all(w);
		return err;
	}
	*out = w;
	return 0;
}

static void drain(void *way)
{
	((struct way_websocket *)way)->draining = true;
}

static void resume(void *way)
{
	((struct way_websocket *)way)->draining = false;
}

static void end(void *way, const char *reason)
{
	forks_end(&((struct way_websocket *)way)->forks, reason);
}

static void close_websocket(void *way)
{
	struct way_websocket *w = way;

	if (!w)
		return;
	log_info("websocket", "%llu connections, %llu refused, %llu "
		 "transcripts not sent",
		 (unsigned long long)w->forks.accepted,
		 (unsigned long long)w->refused,
		 (unsigned long long)w->forks.unsent);
	close_all(w);
}

static bool command(void *way, const struct command *c, struct answer *a)
{
	(void)a;
	return c->kind == COMMAND_HANGUP &&
	       forks_hang_up(&((struct way_websocket *)way)->forks, c->call,
			     "ctl");
}

const struct way way_websocket = {
	.name = "websocket", .wanted = wanted, .open = open_websocket,
	.drain = drain, .resume = resume, .command = command, .end = end,
	.close = close_websocket,
};
