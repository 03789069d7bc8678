/*
 * Clients of ours that echo, for a server that misbehaves by the numbers:
 *
 *     ws_echo PORT FIRST LAST PARALLEL
 *
 * Connects to ws://127.0.0.1:PORT/FIRST, .../FIRST+1 and so on up to LAST,
 * PARALLEL at a time.  Each sends every message back.  What our layer does not
 * send or does not deliver is told in words: "(empty)" for an empty message,
 * "(dropped LEN)" for one that was read past.  Prints a line for each when it
 * is over: "NUMBER CLASS CODE TEXT".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/net/websocket.h"

struct client {
	struct websocket *ws;
	unsigned number;
};

static struct {
	uv_loop_t loop;
	uint16_t port;
	unsigned next, last;
} run;

static void start(struct client *c);

static void on_message(bool text, const uint8_t *data, size_t len, void *arg)
{
	struct client *c = arg;

	if (len)
		websocket_send(c->ws, text, data, len);
	else
		websocket_send(c->ws, text, "(empty)", strlen("(empty)"));
}

static void on_dropped(size_t len, void *arg)
{
	struct client *c = arg;
	char text[40];

	snprintf(text, sizeof(text), "(dropped %zu)", len);
	websocket_send(c->ws, true, text, strlen(text));
}

static void on_closed(const struct reason *why, void *arg)
{
	struct client *c = arg;

	printf("%u %s %u %s\n", c->number, reason_name(why->class), why->code,
	       why->text);
	websocket_close(c->ws);
	start(c);
}

static void start(struct client *c)
{
	static const struct websocket_cb cb = { .message = on_message,
						.dropped = on_dropped,
						.closed = on_closed };
	char target[16];
	const struct websocket_options o = {
		.host = "127.0.0.1", .port = run.port, .target = target,
	};

	if (run.next > run.last) {
		free(c);
		return;
	}
	c->number = run.next++;
	snprintf(target, sizeof(target), "/%u", c->number);
	if (websocket_connect(&c->ws, &run.loop, &o, &cb, c)) {
		fputs("no memory\n", stderr);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	if (argc != 5 || uv_loop_init(&run.loop)) {
		fputs("ws_echo PORT FIRST LAST PARALLEL\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	run.port = (uint16_t)atoi(argv[1]);
	run.next = (unsigned)atoi(argv[2]);
	run.last = (unsigned)atoi(argv[3]);
	for (int i = atoi(argv[4]); i > 0; i--) {
		struct client *c = calloc(1, sizeof(*c));

		if (!c)
			return 1;
		start(c);
	}
	uv_run(&run.loop, UV_RUN_DEFAULT);
	return uv_loop_close(&run.loop) ? 3 : 0;
}
