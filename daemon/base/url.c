/** @file url.c  A websocket's address (RFC 3986, RFC 6455 section 3) */
#include "daemon/base/url.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/addr.h"
#include "daemon/base/number.h"

enum { LABEL_MAX = 63 }; /* RFC 1035 section 2.3.4 */

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

/* Underscores are no host name's, but container networks use them. */
static bool host_name_ok(const char *host, size_t len)
{
	size_t label = 0;

	for (size_t i = 0; i < len; i++) {
		if (host[i] == '.') {
			if (label == 0)
				return false;
			label = 0;
			continue;
		}
		if (!is_alnum(host[i]) && host[i] != '-' && host[i] != '_')
			return false;
		if (++label > LABEL_MAX)
			return false;
	}
	return len > 0;
}

/* The host is copied, what follows it returned; NULL: it makes no sense. */
static const char *take_host(struct url *u, const char *at)
{
	const bool bracket = *at == '[';
	const char *host = at + bracket;
	const size_t len = strcspn(host, bracket ? "]" : ":/?#@");
	const char *end = host + len;
	struct addr a;

	if (len >= sizeof(u->host))
		return NULL;
	if (bracket) {
		if (*end != ']' || addr_parse(&a, host, len) || a.family != 6)
			return NULL;
		end++;
	} else if (!host_name_ok(host, len)) {
		return NULL;
	}
	memcpy(u->host, host, len);
	u->host[len] = '\0';
	return end;
}

static const char *take_port(struct url *u, const char *at)
{
	uint64_t port;

	if (*at != ':')
		return at;
	const size_t len = strcspn(++at, "/?#@");

	if (number_parse(&port, at, len, UINT16_MAX) || port == 0)
		return NULL;
	u->port = (uint16_t)port;
	return at + len;
}

int url_parse(struct url *out, const char *text)
{
	struct url u = { .port = 80, .target = "/" };

	for (const char *c = text; *c; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
			return -EINVAL;
	u.tls = !strncasecmp(text, "wss://", 6);
	if (!u.tls && strncasecmp(text, "ws://", 5) != 0)
		return -EINVAL;
	if (u.tls)
		u.port = 443;

	const char *at = take_host(&u, text + (u.tls ? 6 : 5));

	if (at)
		at = take_port(&u, at);
	if (!at || (*at && *at != '/') || strchr(at, '#'))
		return -EINVAL;
	if (*at)
		u.target = at;
	*out = u;
	return 0;
}

int url_parse_proxy(char host[254], uint16_t *port, const char *text)
{
	struct url u = { .port = 0 };

	if (strncasecmp(text, "http://", 7) != 0)
		return -EINVAL;

	const char *at = take_host(&u, text + 7);

	if (at)
		at = take_port(&u, at);
	if (!at || !u.port || (*at && strcmp(at, "/") != 0))
		return -EINVAL;
	memcpy(host, u.host, sizeof(u.host));
	*port = u.port;
	return 0;
}

bool url_host_is_loopback(const char *host)
{
	struct addr a;

	if (!strcasecmp(host, "localhost"))
		return true;
	return !addr_parse(&a, host, strlen(host)) && addr_is_loopback(&a);
}
