/** @file app_probe.c  --probe: try one asr, phase by phase */
#include "daemon/app_probe.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "daemon/base/must.h"
#include "daemon/base/wall.h"
#include "daemon/call/connection.h"
#include "daemon/call/service.h"
#include "daemon/call/wire.h"
#include "daemon/net/timer.h"
#include "daemon/options.h"

enum {
	RATE = 8000,
	TONE_HZ = 440,
	TONE_MS = 1000,
	DAY_S = 24 * 3600,
	EXPIRY_DAYS = 14,
};

struct probe {
	uv_loop_t loop;
	struct service *service;
	struct connection *connection;
	struct wire *wire;
	struct timer_once *timer;  /* the next chunk of the tone */
	uint64_t began_ms;
	uint64_t sent_ms;          /* loop time of the first chunk; 0: none */
	uint64_t answer_ms;        /* ... of the first message after it */
	uint32_t tone_ms;          /* sent so far */
	bool words;
	bool told;                 /* how far it came */
	bool again;                /* the second connection, for resumption */
	bool retried;              /* once, as calls do: see net/tls.c */
	int code;
};

static void line(const char *phase, uint32_t ms, const char *text)
{
	printf("%-8s %6u ms  %s\n", phase, ms, text);
	fflush(stdout);
}

/* -- what was reached ----------------------------------------------------------- */

static void tell_tls(const struct probe *p, uint32_t ms)
{
	struct tls_facts f;
	char text[256], until[WALL_TEXT];

	if (!connection_tls(p->connection, &f))
		return;
	wall_print(until, f.not_after_s * 1000000);
	snprintf(text, sizeof(text), "%s, %s, certificate good until %.10s",
		 f.version, f.cipher, until);
	line("tls", ms, text);

	uv_timeval64_t now;
	uv_gettimeofday(&now);
	const int64_t left_s = (int64_t)f.not_after_s - now.tv_sec;
	if (f.not_after_s && left_s < EXPIRY_DAYS * DAY_S)
		printf("         the certificate ends in %" PRId64 " days: tell "
		       "whoever runs the service\n", left_s / DAY_S);
}

static void tell_phases(const struct probe *p, bool reached_end)
{
	struct websocket_phases ph;
	char at[ADDR_TEXT], text[256 + 2 * ADDR_TEXT];
	uint32_t before = 0;

	connection_phases(p->connection, &ph);
	if (ph.dns) {
		snprintf(text, sizeof(text), "%s",
			 p->service->proxy_host[0] ? p->service->proxy_host
						   : p->service->host);
		line("dns", ph.dns, text);
		before = ph.dns;
	}
	if (ph.tcp) {
		line("tcp", ph.tcp - before, addr_print(at, &ph.peer));
		before = ph.tcp;
	}
	if (ph.proxy) {
		snprintf(text, sizeof(text), "%.120s lets us through to %.120s",
			 p->service->proxy_host, p->service->host);
		line("proxy", ph.proxy - before, text);
		before = ph.proxy;
	}
	if (ph.tls) {
		if (reached_end)
			tell_tls(p, ph.tls - before);
		else
			line("tls", ph.tls - before, "agreed");
		before = ph.tls;
	}
	if (ph.upgrade)
		line("upgrade", ph.upgrade - before, "101, a websocket");
}

static void stop(struct probe *p, int code)
{
	p->code = code;
	connection_close(p->connection);
	p->connection = NULL;
	timer_once_stop(p->timer);
	uv_stop(&p->loop);
}

/* -- the tone -------------------------------------------------------------------- */

static void send_tone(void *arg)
{
	struct probe *p = arg;
	int16_t pcm[RATE / 2];
	const uint32_t ms = p->service->settings.chunk_ms;
	const size_t n = (size_t)ms * RATE / 1000;
	const uint8_t *data;

	must(n <= sizeof(pcm) / sizeof(pcm[0]));
	for (size_t i = 0; i < n; i++)
		pcm[i] = (int16_t)(8000 * sin(2 * M_PI * TONE_HZ *
					      ((double)p->tone_ms * RATE / 1000 +
					       (double)i) / RATE));
	if (!p->sent_ms)
		p->sent_ms = uv_now(&p->loop);
	p->tone_ms += ms;

	const bool last = p->tone_ms >= TONE_MS;
	const ptrdiff_t len = wire_encode(p->wire, pcm, n, last, &data);
	if (len > 0)
		connection_audio(p->connection, data, (size_t)len);
	if (!last) {
		timer_once_start(p->timer, ms);
		return;
	}
	line("tone", p->tone_ms, "of 440 Hz sent");
	connection_finish(p->connection);
}

/* -- what the connection reports ------------------------------------------------- */

static int connect_now(struct probe *p);

static void on_ready(void *arg)
{
	struct probe *p = arg;
	struct tls_facts f;

	if (p->again) { /* it is open: that is all this one is for */
		if (connection_tls(p->connection, &f))
			printf("resumption          %s\n",
			       f.resumed ? "the service takes TLS sessions up "
					   "again"
					 : "none: each connection costs a full "
					   "TLS handshake");
		connection_finish(p->connection);
		return;
	}
	tell_phases(p, true);
	p->told = true;
	if (p->service->vendor->ready_ms)
		line("ready", (uint32_t)(uv_now(&p->loop) - p->began_ms),
		     "since the start: the service says so");
	timer_once_start(p->timer, 0);
}

static void on_heard(void *arg)
{
	struct probe *p = arg;

	if (p->sent_ms && !p->answer_ms)
		p->answer_ms = uv_now(&p->loop);
}

static bool on_result(const struct asr_result *r, void *arg)
{
	struct probe *p = arg;

	p->words |= r->text[0] != '\0';
	return true;
}

static void tell_answer(const struct probe *p)
{
	if (p->answer_ms)
		line("answer", (uint32_t)(p->answer_ms - p->sent_ms),
		     p->words ? "with words (in a tone: a simulator?)"
			      : "no words, as it should be for a tone");
	else
		line("answer", 0, "none, but the service ended in order");
}

static bool lost_in_handshake(const struct probe *p, const struct reason *why)
{
	struct websocket_phases ph;

	connection_phases(p->connection, &ph);
	return !p->retried && why->class == REASON_NETWORK && p->service->tls &&
	       ph.tcp && !ph.tls;
}

static void on_over(const struct reason *why, bool drained, void *arg)
{
	struct probe *p = arg;

	if (p->again) {
		stop(p, EXIT_OK);
		return;
	}
	if (!drained && lost_in_handshake(p, why)) {
		printf("         %s\n", why->text);
		p->retried = true;
		connection_close(p->connection);
		p->connection = NULL;
		if (connect_now(p))
			stop(p, EXIT_RUNTIME);
		return;
	}
	if (!drained) {
		if (!p->told)
			tell_phases(p, false);
		printf("FAILED   %s: %s\n", reason_name(why->class), why->text);
		stop(p, EXIT_RUNTIME);
		return;
	}
	tell_answer(p);
	connection_close(p->connection);
	p->connection = NULL;
	if (!p->service->tls) {
		stop(p, EXIT_OK);
		return;
	}
	p->again = true;
	if (connect_now(p))
		stop(p, EXIT_OK);
}

static void on_nothing(void *arg)
{
	(void)arg;
}

static void on_session(const char *id, void *arg)
{
	(void)id;
	(void)arg;
}

static void on_speech(enum speech_event e, int64_t at_us, void *arg)
{
	(void)e;
	(void)at_us;
	(void)arg;
}

static const struct connection_cb connection_cb = {
	.ready = on_ready, .room = on_nothing, .session = on_session,
	.result = on_result, .speech = on_speech, .heard = on_heard,
	.bad = on_nothing, .over = on_over,
};

static int connect_now(struct probe *p)
{
	return connection_open(&p->connection, &p->loop, p->service,
			       &connection_cb, p);
}

static int run(struct probe *p)
{
	int err = timer_once_open(&p->timer, &p->loop, send_tone, p);

	if (!err)
		err = wire_new(&p->wire, &p->service->settings.wire);
	p->began_ms = uv_now(&p->loop);
	if (!err)
		err = connect_now(p);
	if (err) {
		fprintf(stderr, "trunkscribed: %s\n", strerror(-err));
		return EXIT_RUNTIME;
	}
	uv_run(&p->loop, UV_RUN_DEFAULT);
	return p->code;
}

int app_probe(const char *name, const struct config *c)
{
	const struct config_asr *asr = config_asr(c, name);
	struct probe p = {0};
	struct buf why = {0};

	if (!asr) {
		fprintf(stderr, "trunkscribed: --probe %s: %s has no such asr\n",
			name, c->file);
		return EXIT_CONFIG;
	}
	if (service_open(&p.service, asr, getenv("CREDENTIALS_DIRECTORY"),
			 &why)) {
		fprintf(stderr, "trunkscribed: %s\n", buf_str(&why));
		buf_free(&why);
		return EXIT_CONFIG;
	}
	printf("%s: %s, %s\n", name, p.service->vendor->name, p.service->host);
	uv_loop_init(&p.loop);
	p.code = run(&p);
	timer_once_close(p.timer);
	uv_run(&p.loop, UV_RUN_DEFAULT);
	must(uv_loop_close(&p.loop) == 0);
	wire_free(p.wire);
	service_close(p.service);
	return p.code;
}
