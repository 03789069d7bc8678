/** @file check.c  What can only be judged when the whole file has been read */
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/network.h"
#include "daemon/base/url.h"
#include "daemon/cfg/load.h"
#include "daemon/cfg/value.h"

/* What the names of a call's ids are made of. */
#define HEADER_NAME                                                            \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

/* The vendors that this build has: the directory is the list. */
static const char *const vendors[] = {
#define X(name) #name,
#include "vendors.inc"
#undef X
	NULL
};

static bool is_built(const char *vendor)
{
	for (size_t i = 0; vendors[i]; i++)
		if (!strcmp(vendors[i], vendor))
			return true;
	return false;
}

static void check_vendor(const struct config_asr *a, struct complaints *to)
{
	if (!*a->vendor)
		complain(to, a->line, "asr \"%s\" has no vendor; write vendor "
			 "= one of: %s", a->name,
			 config_key_find("asr", "vendor")->choices);
	else if (!is_built(a->vendor))
		complain(to, a->line, "asr \"%s\": vendor %s is not built "
			 "yet; choose another", a->name, a->vendor);
}

/* A loopback address is the proxy's own when there is one. */
static bool stays_here(const struct config_asr *a, const struct url *u)
{
	char proxy[254];
	uint16_t port;

	return url_host_is_loopback(u->host) &&
	       (url_parse_proxy(proxy, &port, a->proxy) ||
		url_host_is_loopback(proxy));
}

static void check_url(const struct config_asr *a, struct complaints *to)
{
	struct url u;

	if (*a->proxy_auth_file && !*a->proxy)
		complain(to, a->line, "asr \"%s\": proxy-auth-file without "
			 "proxy; add proxy = \"http://host:port\" or remove it",
			 a->name);
	if (!*a->url || url_parse(&u, a->url))
		return;
	if (!u.tls && *a->tls_pin_sha256)
		complain(to, a->line, "asr \"%s\": tls-pin-sha256, but url %s "
			 "has no TLS; write wss:// or remove it", a->name,
			 a->url);
	if (!u.tls && !a->insecure && !stays_here(a, &u))
		complain(to, a->line, "asr \"%s\": url %s would send audio "
			 "and key unencrypted over the network; write "
			 "wss://, or insecure = yes to mean it", a->name,
			 a->url);
}

/* A chain of fallbacks that comes back to where it began never ends. */
static void check_fallback(const struct config *c, const struct config_asr *a,
			   struct complaints *to)
{
	const struct config_asr *next = a;

	if (*a->fallback && !config_asr(c, a->fallback)) {
		complain(to, a->line, "asr \"%s\": fallback \"%s\" is no asr "
			 "of this file; correct the name or add it", a->name,
			 a->fallback);
		return;
	}
	for (size_t i = 0; i <= c->n_asrs && *next->fallback; i++) {
		next = config_asr(c, next->fallback);
		if (!next)
			return;
		if (next != a)
			continue;
		complain(to, a->line, "asr \"%s\": its fallbacks lead back to "
			 "itself; end the chain somewhere", a->name);
		return;
	}
}

static bool is_last_resort(const struct config_route *r)
{
	return !*r->source && !*r->trunk && !*r->called && !*r->calling &&
	       !*r->header && !*r->language && !*r->role;
}

static void check_match(const struct config_route *r, struct complaints *to)
{
	const size_t name = strcspn(r->header, ":");
	struct network n;

	if (*r->trunk && network_parse(&n, r->trunk, strlen(r->trunk)))
		complain(to, r->line, "route: trunk: write an address or a "
			 "network, such as \"192.0.2.0/24\", with no bits set "
			 "behind its prefix");
	if (*r->header &&
	    (!name || strspn(r->header, HEADER_NAME) < name))
		complain(to, r->line, "route: header: write its name, or name "
			 "and value, such as \"X-Queue: sales\"");
}

static void check_routes(const struct config *c, struct complaints *to)
{
	const struct config_route *last = NULL;

	for (size_t i = 0; i < c->n_routes; i++) {
		const struct config_route *r = &c->routes[i];

		if (!*r->asr)
			complain(to, r->line, "route has no asr; write asr = "
				 "the name of one, or \"none\"");
		else if (strcmp(r->asr, "none") != 0 && !config_asr(c, r->asr))
			complain(to, r->line, "route: asr \"%s\" is not in "
				 "this file; correct the name, add it, or "
				 "write \"none\"", r->asr);
		check_match(r, to);
		if (last)
			complain(to, r->line, "route is never reached, the "
				 "one in line %u takes every leg; put it last",
				 last->line);
		else if (is_last_resort(r))
			last = r;
	}
}

static bool has_tls(char *const *listen)
{
	for (size_t i = 0; listen && listen[i]; i++)
		if (!strncmp(listen[i], "tls:", 4))
			return true;
	return false;
}

static void check_websocket(const struct config *c, struct complaints *to)
{
	if (c->websocket.given && has_tls(c->websocket.listen) &&
	    (!*c->websocket.tls_cert_file || !*c->websocket.tls_key_file))
		complain(to, c->websocket.line, "websocket: a tls: socket "
			 "needs tls-cert-file and tls-key-file; add them");
	if (c->websocket.given && *c->websocket.path &&
	    *c->websocket.path != '/')
		complain(to, c->websocket.line, "websocket: path = \"%s\": "
			 "write what follows the host, such as \"/fork\"",
			 c->websocket.path);
}

static void check_oreka(const struct config *c, struct complaints *to)
{
	if (c->oreka.given && (!c->oreka.listen || !c->oreka.listen[0]))
		complain(to, c->oreka.line, "oreka: nothing to listen on; add "
			 "listen = {\"udp:ADDRESS:5060\"}, an address of its "
			 "own: FreeSWITCH chooses the ports there");
}

static void check_sip(const struct config *c, struct complaints *to)
{
	if (!c->sip.given)
		return;
	if (!c->sip.listen || !c->sip.listen[0])
		complain(to, c->sip.line, "sip: nothing to listen on; add "
			 "listen = {\"udp:ADDRESS:5060\"}");
	if (has_tls(c->sip.listen) &&
	    (!*c->sip.tls_cert_file || !*c->sip.tls_key_file))
		complain(to, c->sip.line, "sip: a tls: socket needs "
			 "tls-cert-file and tls-key-file; add them");
}

void check_config(const struct config *c, struct complaints *to)
{
	for (size_t i = 0; i < c->n_asrs; i++) {
		check_vendor(&c->asrs[i], to);
		check_url(&c->asrs[i], to);
		check_fallback(c, &c->asrs[i], to);
	}
	check_routes(c, to);
	check_sip(c, to);
	check_websocket(c, to);
	check_oreka(c, to);
}
