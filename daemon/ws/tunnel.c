/** @file tunnel.c  A way through an HTTP proxy: CONNECT */
#include "daemon/ws/tunnel.h"

#include <errno.h>
#include <mbedtls/base64.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/number.h"
#include "daemon/ws/head.h"

enum { AUTH_MAX = 4096, RETRY_AFTER_MAX_S = 3600 };

struct tunnel {
	struct head head;
};

static bool printable(const char *text)
{
	for (; *text; text++)
		if ((uint8_t)*text <= ' ' || (uint8_t)*text >= 0x7f)
			return false;
	return true;
}

static int add_auth(struct buf *out, const char *auth)
{
	const size_t len = strlen(auth);
	const size_t room = (len + 2) / 3 * 4 + 1;
	size_t n = 0;
	uint8_t *to;

	if (len > AUTH_MAX || !strchr(auth, ':') || !printable(auth))
		return -EINVAL;
	buf_puts(out, "Proxy-Authorization: Basic ");
	to = buf_room(out, room);
	if (!to || mbedtls_base64_encode(to, room, &n, (const uint8_t *)auth,
					 len))
		return -ENOMEM;
	out->len += n;
	buf_puts(out, "\r\n");
	return 0;
}

int tunnel_request(struct buf *out, const char *host, uint16_t port,
		   const char *auth)
{
	const char *open = strchr(host, ':') ? "[" : "";
	const char *close = *open ? "]" : "";

	if (!*host || !printable(host))
		return -EINVAL;
	buf_printf(out, "CONNECT %s%s%s:%u HTTP/1.1\r\nHost: %s%s%s:%u\r\n",
		   open, host, close, port, open, host, close, port);
	if (auth) {
		const int err = add_auth(out, auth);

		if (err)
			return err;
	}
	buf_puts(out, "\r\n");
	return out->err;
}

int tunnel_new(struct tunnel **out)
{
	struct tunnel *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	head_init(&t->head, HTTP_RESPONSE);
	t->head.tunnel = true;
	*out = t;
	return 0;
}

void tunnel_free(struct tunnel *t)
{
	if (!t)
		return;
	head_free(&t->head);
	free(t);
}

/* Not by classes of HTTP alone: a 401 or 403 of the proxy is no matter of the
 * service's key, and a key is not read again for it. */
static void explain(const struct tunnel *t, struct reason *why)
{
	const unsigned status = t->head.parser.status_code;
	const char *retry = head_get(&t->head, "Retry-After", 0);
	enum reason_class class = REASON_CONFIG;
	const char *words = "check proxy";
	uint64_t s;

	switch (status) {
	case 401:
	case 407:
		words = "it wants a login, or refuses ours: check "
			"proxy-auth-file";
		break;
	case 403:
	case 451:
		words = "it does not let us through to this host and port: ask "
			"whoever runs it";
		break;
	case 400:
	case 405:
	case 501:
		words = "it does not know CONNECT: is it an HTTP proxy?";
		break;
	case 429:
	case 503:
		class = REASON_TCP;
		words = "it is overloaded";
		break;
	case 408:
	case 504:
		class = REASON_TCP;
		words = "the service did not answer it in time";
		break;
	default:
		if (status < 500)
			break;
		class = REASON_TCP;
		words = "it cannot reach the service: check url, and its way "
			"out";
	}
	reason_set(why, class, 0, "the proxy answers HTTP %u: %s", status,
		   words);
	if (retry && !number_parse(&s, retry, strlen(retry), UINT32_MAX))
		why->retry_after_ms =
			(uint32_t)(s < RETRY_AFTER_MAX_S ? s
							 : RETRY_AFTER_MAX_S) *
			1000;
}

int tunnel_feed(struct tunnel *t, const uint8_t *data, size_t len,
		struct reason *why)
{
	size_t used;
	const int err = head_feed(&t->head, data, len, &used);

	switch (err) {
	case 0:
	case -ENOMEM:
		return err;
	case 1:
		break;
	default:
		reason_set(why, REASON_CONFIG, 0,
			   "the proxy does not answer as an HTTP proxy does: "
			   "check host and port of proxy");
		return err;
	}
	if (t->head.parser.status_code / 100 != 2) {
		explain(t, why);
		return -EPROTO;
	}
	if (used < len) { /* behind it nobody speaks before we do */
		reason_set(why, REASON_CONFIG, 0,
			   "the proxy sends bytes before the service was asked: "
			   "check proxy");
		return -EPROTO;
	}
	return 1;
}
