/** @file upgrade.c  The client's side of the upgrade (RFC 6455 section 4.1) */
#include "daemon/ws/upgrade.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/number.h"
#include "daemon/base/utf8.h"
#include "daemon/ws/head.h"

struct upgrade {
	struct head head;
	char accept[UPGRADE_ACCEPT];
	struct buf offered; /**< Comma-separated subprotocols */
	struct buf secrets; /**< Words of the request, each with a NUL */
};

enum {
	RETRY_AFTER_MAX_S = 24 * 3600,
	SECRET_MIN = 12, /* shorter words are too common to strike out */
};

/* -- the request ---------------------------------------------------------- */

static bool printable(const char *text, bool space)
{
	for (; *text; text++)
		if ((uint8_t)*text < (space ? 0x20 : 0x21) || *text == 0x7f)
			return false;
	return true;
}

static bool ours(const char *line, size_t name_len)
{
	static const char *const names[] = {
		"Host", "Upgrade", "Connection", "Sec-WebSocket-Key",
		"Sec-WebSocket-Version", "Sec-WebSocket-Extensions",
		"Content-Length", "Transfer-Encoding",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == name_len &&
		    !strncasecmp(names[i], line, name_len))
			return true;
	return false;
}

/* Only whole lines "Name: value CRLF"; a stray CR or LF would add a header. */
static bool header_lines(const char *headers)
{
	while (*headers) {
		const size_t n = strcspn(headers, "\r\n");
		const size_t name = strcspn(headers, ": \t\r\n");

		if (name == 0 || headers[name] != ':' || ours(headers, name) ||
		    strncmp(headers + n, "\r\n", 2))
			return false;
		for (size_t i = 0; i < n; i++)
			if (((uint8_t)headers[i] < 0x20 && headers[i] != '\t') ||
			    headers[i] == 0x7f)
				return false;
		headers += n + 2;
	}
	return true;
}

int upgrade_request(struct buf *out, const char *host, uint16_t port, bool tls,
		    const char *target, const char *headers, const char *key)
{
	const bool v6 = strchr(host, ':');

	if (!*host || !printable(host, false) || *target != '/' ||
	    !printable(target, false) || (headers && !header_lines(headers)))
		return -EINVAL;

	buf_printf(out, "GET %s HTTP/1.1\r\nHost: %s%s%s", target,
		   v6 ? "[" : "", host, v6 ? "]" : "");
	if (port && port != (tls ? 443 : 80))
		buf_printf(out, ":%u", port);
	buf_printf(out,
		   "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		   "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n"
		   "%s\r\n",
		   key, headers ? headers : "");
	return out->err;
}

/* -- the answer ----------------------------------------------------------- */

static void note_offers(struct upgrade *u, const char *headers)
{
	static const char name[] = "Sec-WebSocket-Protocol:";

	while (*headers) {
		const size_t n = strcspn(headers, "\r\n");

		if (!strncasecmp(headers, name, sizeof(name) - 1)) {
			buf_add(&u->offered, headers + sizeof(name) - 1,
				n - (sizeof(name) - 1));
			buf_puts(&u->offered, ",");
		}
		headers += n + strspn(headers + n, "\r\n");
	}
}

/* Values of headers and of the query; names are no secrets. */
static void note_secrets(struct upgrade *u, const char *text)
{
	while (*text) {
		text += strspn(text, " \t\r\n&=?;,:/\"");

		const size_t n = strcspn(text, " \t\r\n&=?;,:/\"");

		if (n >= SECRET_MIN && text[n] != ':' && text[n] != '=') {
			buf_add(&u->secrets, text, n);
			buf_add(&u->secrets, "", 1);
		}
		text += n;
	}
}

int upgrade_new(struct upgrade **out, const char *key, const char *target,
		const char *headers)
{
	struct upgrade *u = calloc(1, sizeof(*u));

	if (!u)
		return -ENOMEM;
	head_init(&u->head, HTTP_RESPONSE);
	upgrade_accept(u->accept, key);
	note_secrets(u, target);
	if (headers) {
		note_offers(u, headers);
		note_secrets(u, headers);
	}
	if (u->offered.err || u->secrets.err) {
		upgrade_free(u);
		return -ENOMEM;
	}
	*out = u;
	return 0;
}

void upgrade_free(struct upgrade *u)
{
	if (!u)
		return;
	head_free(&u->head);
	buf_free(&u->offered);
	buf_free(&u->secrets);
	free(u);
}

static void strike_out(const struct upgrade *u, char *text)
{
	const char *word = buf_str(&u->secrets);
	const char *end = word + u->secrets.len;

	for (; word < end; word += strlen(word) + 1)
		for (char *at; (at = strstr(text, word));)
			memset(at, '*', strlen(word));
}

/* One line of foreign text: what the service has to say, fit to print. */
static void tell(const struct upgrade *u, struct buf *out, const char *label,
		 const char *text, size_t max)
{
	char *line = text ? strdup(text) : NULL;
	size_t n = 0;

	if (!line)
		return;
	for (const char *p = line; *p; p++)
		if (!strchr(" \t\r\n", *p))
			line[n++] = *p;
		else if (n && line[n - 1] != ' ')
			line[n++] = ' ';
	line[n] = 0;
	strike_out(u, line);
	/* a page for a browser tells a reader of logs nothing */
	if (n && *line != '<')
		buf_printf(out, "; %s%.*s", label,
			   (int)utf8_cut(line, n, max), line);
	free(line);
}

static const char *advice(unsigned status)
{
	switch (status) {
	case 200:
		return "the address is not a websocket: check url";
	case 400:
		return "it does not understand the request: check url and params";
	case 401:
	case 403:
		return "it refused the key: check key-file";
	case 402:
		return "the account has no credit: pay the service";
	case 404:
		return "nothing is there: check the path in url";
	case 407:
		return "a proxy wants a login: name the service's own address";
	case 429:
		return "too many sessions or requests: ask for a higher quota";
	}
	if (status >= 300 && status < 400)
		return "it redirects, which is never followed: check url";
	if (status >= 500)
		return "the service has trouble";
	return "check url";
}

static void explain(const struct upgrade *u, struct reason *why)
{
	const struct head *h = &u->head;
	const unsigned status = h->parser.status_code;
	const char *retry = head_get(h, "Retry-After", 0);
	const char *id = head_get(h, "x-request-id", 0);
	uint64_t seconds;
	struct buf more = {0};

	if (!id)
		id = head_get(h, "dg-request-id", 0);
	tell(u, &more, "", head_get(h, "dg-error", 0), 60);
	tell(u, &more, "", buf_str(&h->body), 90);
	tell(u, &more, "id ", id, 40);
	reason_set(why, reason_of_http(status), status, "HTTP %u: %s%s", status,
		   advice(status), buf_str(&more));
	buf_free(&more);
	/* only the form in seconds: a date needs a clock, and services that
	 * throttle send seconds (RFC 9110 section 10.2.3) */
	if (retry && !number_parse(&seconds, retry, strlen(retry), UINT32_MAX))
		why->retry_after_ms =
			(uint32_t)(seconds < RETRY_AFTER_MAX_S
					   ? seconds
					   : RETRY_AFTER_MAX_S) * 1000;
}

static bool subprotocol_offered(const struct upgrade *u)
{
	const char *got = head_get(&u->head, "Sec-WebSocket-Protocol", 0);

	if (!got)
		return true;
	return !head_get(&u->head, "Sec-WebSocket-Protocol", 1) &&
	       head_list_has(buf_str(&u->offered), got, strlen(got));
}

static int check_101(const struct upgrade *u, struct reason *why)
{
	const struct head *h = &u->head;
	const char *accept = head_get(h, "Sec-WebSocket-Accept", 0);
	const char *what = NULL;

	if (h->parser.http_major != 1 || h->parser.http_minor < 1)
		what = "it does not speak HTTP/1.1";
	else if (!head_has_token(h, "Upgrade", "websocket"))
		what = "no \"Upgrade: websocket\" in its answer";
	else if (!head_has_token(h, "Connection", "upgrade"))
		what = "no \"Connection: upgrade\" in its answer";
	else if (!accept || strcmp(accept, u->accept) ||
		 head_get(h, "Sec-WebSocket-Accept", 1))
		what = "its accept key does not fit ours";
	else if (head_get(h, "Sec-WebSocket-Extensions", 0))
		what = "it wants an extension that was not offered";
	else if (!subprotocol_offered(u))
		what = "it wants a subprotocol that was not offered";
	if (!what)
		return 1;
	reason_set(why, REASON_CONFIG, 101,
		   "not a websocket service: %s; check url, and proxies before "
		   "the service", what);
	return -EPROTO;
}

int upgrade_feed(struct upgrade *u, const uint8_t *data, size_t len,
		 size_t *used, struct reason *why)
{
	const int err = head_feed(&u->head, data, len, used);

	switch (err) {
	case 0:
	case -ENOMEM:
		return err;
	case -EMSGSIZE:
		reason_set(why, REASON_PROTOCOL, 0,
			   "the service's answer to the upgrade is over %d KiB "
			   "or %d headers", UPGRADE_HEAD / 1024, UPGRADE_HEADERS);
		return err;
	case -EBADMSG:
		reason_set(why, REASON_PROTOCOL, 0,
			   "the service does not answer in HTTP: check host, "
			   "port and whether url must say wss");
		return err;
	}
	if (u->head.parser.status_code == 101)
		return check_101(u, why);
	if (!u->head.message_done)
		return 0;
	explain(u, why);
	return -EPROTO;
}

bool upgrade_cut(struct upgrade *u, struct reason *why)
{
	if (!u || !u->head.done)
		return false;
	explain(u, why);
	return true;
}
