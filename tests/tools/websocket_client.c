/*
 * A websocket client of ours for honest and dishonest peers in tests:
 *
 *     websocket_client URL [--ca FILE] [--name TLS_NAME] [--say TEXT]
 *                          [--header LINE] [--finish N] [--times N]
 *                          [--proxy PORT] [--proxy-auth USER:PASSWORD]
 *                          [--pin SHA256] [--timeout MS]
 *
 * Sends every message back that comes.  Prints, a line each: "open", "tls
 * VERSION CIPHER RESUMED", "text LEN CRC32", "binary LEN CRC32", "dropped LEN",
 * "closed CLASS CODE RETRY_MS TEXT".  --finish closes after N messages; --times
 * connects so often, one after the other; --timeout is the upgrade's; a proxy is
 * on this machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "daemon/base/buf.h"
#include "daemon/net/tls.h"
#include "daemon/net/websocket.h"

static struct {
	uv_loop_t loop;
	struct websocket *ws;
	struct websocket_options o;
	struct tls_context *trust;
	const char *say;
	unsigned finish, times, messages;
} c;

static void start(void);

static void on_open(void *arg)
{
	struct tls_facts f;

	(void)arg;
	puts("open");
	if (websocket_tls(c.ws)) {
		tls_facts(websocket_tls(c.ws), &f);
		printf("tls %s %s %d\n", f.version, f.cipher, f.resumed);
	}
	if (c.say)
		websocket_send(c.ws, true, c.say, strlen(c.say));
	if (c.finish == 0)
		websocket_finish(c.ws, 1000);
}

static void on_message(bool text, const uint8_t *data, size_t len, void *arg)
{
	(void)arg;
	printf("%s %zu %08lx\n", text ? "text" : "binary", len,
	       crc32(0, data, (unsigned)len));
	if (len)
		websocket_send(c.ws, text, data, len);
	if (++c.messages == c.finish)
		websocket_finish(c.ws, 1000);
}

static void on_dropped(size_t len, void *arg)
{
	(void)arg;
	printf("dropped %zu\n", len);
}

static void on_closed(const struct reason *why, void *arg)
{
	(void)arg;
	printf("closed %s %u %u %s\n", reason_name(why->class), why->code,
	       why->retry_after_ms, why->text);
	websocket_close(c.ws);
	c.ws = NULL;
	/* TLS 1.2 alone is next (net/tls.c): as every owner tries again */
	if (strstr(why->text, "once more, with 1.2 alone") || --c.times)
		start();
}

static void start(void)
{
	static const struct websocket_cb cb = {
		.open = on_open,
		.message = on_message,
		.dropped = on_dropped,
		.closed = on_closed,
	};

	c.messages = 0;
	if (websocket_connect(&c.ws, &c.loop, &c.o, &cb, NULL)) {
		fputs("options that cannot be\n", stderr);
		exit(2);
	}
}

static int usage(void)
{
	fputs("websocket_client URL [--ca FILE] [--name TLS_NAME] [--say TEXT]"
	      " [--header LINE] [--finish N] [--times N] [--proxy PORT]"
	      " [--proxy-auth USER:PASSWORD] [--pin SHA256] [--timeout MS]\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static char host[254];
	struct buf headers = {0};
	const char *ca = NULL, *pin = NULL;
	struct reason why;
	bool tls;

	setvbuf(stdout, NULL, _IOLBF, 0);
	c.finish = (unsigned)-1;
	c.times = 1;
	if (argc % 2 || websocket_url(argv[1], &tls, host, &c.o.port,
				      &c.o.target))
		return usage();
	for (int i = 2; i < argc; i += 2) {
		const char *value = argv[i + 1];

		if (!strcmp(argv[i], "--ca"))
			ca = value;
		else if (!strcmp(argv[i], "--name"))
			c.o.tls_name = value;
		else if (!strcmp(argv[i], "--say"))
			c.say = value;
		else if (!strcmp(argv[i], "--header"))
			buf_printf(&headers, "%s\r\n", value);
		else if (!strcmp(argv[i], "--proxy"))
			c.o.proxy_port = (uint16_t)atoi(value);
		else if (!strcmp(argv[i], "--proxy-auth"))
			c.o.proxy_auth = value;
		else if (!strcmp(argv[i], "--pin"))
			pin = value;
		else if (!strcmp(argv[i], "--timeout"))
			c.o.upgrade_timeout_ms = (uint32_t)atoi(value);
		else if (!strcmp(argv[i], "--finish"))
			c.finish = (unsigned)atoi(value);
		else if (!strcmp(argv[i], "--times"))
			c.times = (unsigned)atoi(value);
		else
			return usage();
	}
	if (tls && tls_client_context(&c.trust, ca, &why)) {
		fprintf(stderr, "%s\n", why.text);
		return 1;
	}
	if (pin && (!c.trust || tls_context_pin(c.trust, pin)))
		return usage();
	c.o.host = host;
	c.o.proxy_host = c.o.proxy_port ? "localhost" : NULL;
	c.o.tls = c.trust;
	c.o.headers = buf_str(&headers);
	if (uv_loop_init(&c.loop))
		return 1;
	start();
	uv_run(&c.loop, UV_RUN_DEFAULT);
	tls_context_free(c.trust);
	buf_free(&headers);
	return uv_loop_close(&c.loop) ? 3 : 0;
}
