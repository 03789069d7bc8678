/** @file upgrade_server.c  The server's side of the upgrade (RFC 6455 4.2) */
#include "daemon/ws/upgrade_server.h"

#include <errno.h>
#include <mbedtls/base64.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ws/head.h"

struct upgrade_server {
	struct head head;
};

int upgrade_server_new(struct upgrade_server **out)
{
	struct upgrade_server *u = malloc(sizeof(*u));

	if (!u)
		return -ENOMEM;
	head_init(&u->head, HTTP_REQUEST);
	*out = u;
	return 0;
}

void upgrade_server_free(struct upgrade_server *u)
{
	if (!u)
		return;
	head_free(&u->head);
	free(u);
}

/* base64 of 16 bytes (section 4.2.1, 5) */
static bool is_key(const char *key)
{
	uint8_t random[UPGRADE_RANDOM + 2];
	size_t n;

	return key && strlen(key) == UPGRADE_KEY - 1 &&
	       !mbedtls_base64_decode(random, sizeof(random), &n,
				      (const unsigned char *)key,
				      UPGRADE_KEY - 1) &&
	       n == UPGRADE_RANDOM;
}

static bool is_websocket(const struct head *h)
{
	const char *version = head_get(h, "Sec-WebSocket-Version", 0);

	return h->parser.method == HTTP_GET && h->parser.http_major == 1 &&
	       h->parser.http_minor >= 1 && *head_target(h) == '/' &&
	       head_get(h, "Host", 0) && !head_get(h, "Host", 1) &&
	       head_has_token(h, "Upgrade", "websocket") &&
	       head_has_token(h, "Connection", "upgrade") && version &&
	       !strcmp(version, "13") &&
	       is_key(head_get(h, "Sec-WebSocket-Key", 0)) &&
	       !head_get(h, "Sec-WebSocket-Key", 1);
}

int upgrade_server_feed(struct upgrade_server *u, const uint8_t *data,
			size_t len, size_t *used)
{
	const int err = head_feed(&u->head, data, len, used);

	if (err != 1)
		return err;
	return is_websocket(&u->head) ? 1 : -EPROTO;
}

const char *upgrade_server_target(const struct upgrade_server *u)
{
	return head_target(&u->head);
}

const char *upgrade_server_header(const struct upgrade_server *u,
				  const char *name)
{
	return head_get(&u->head, name, 0);
}

static const char *phrase(unsigned status)
{
	switch (status) {
#define XX(number, name, text) case number: return #text;
	HTTP_STATUS_MAP(XX)
#undef XX
	}
	return "Unknown";
}

void upgrade_server_answer(const struct upgrade_server *u, struct buf *out,
			   unsigned status, const char *headers,
			   const char *body, bool wrong_accept)
{
	char accept[UPGRADE_ACCEPT];
	const char *key = head_get(&u->head, "Sec-WebSocket-Key", 0);

	buf_printf(out, "HTTP/1.1 %u %s\r\n", status, phrase(status));
	if (status == 101) {
		upgrade_accept(accept, wrong_accept || !key ? "wrong" : key);
		buf_printf(out,
			   "Upgrade: websocket\r\nConnection: Upgrade\r\n"
			   "Sec-WebSocket-Accept: %s\r\n%s\r\n",
			   accept, headers ? headers : "");
		return;
	}
	buf_printf(out, "Connection: close\r\nContent-Length: %zu\r\n%s\r\n%s",
		   body ? strlen(body) : 0, headers ? headers : "",
		   body ? body : "");
}
