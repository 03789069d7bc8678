/*
 * Prints what sip_parse() and sdp_parse() make of messages, a line each, for
 * comparison with another decoder.
 *
 *     sip_dump FILE...        every file is one message
 *     sip_dump -c CAPTURE     every UDP datagram that looks like SIP, and every
 *                             message out of TCP streams
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/net/capture_file.h"
#include "daemon/net/decap.h"
#include "daemon/net/tcp_streams.h"
#include "daemon/sig/sdp.h"
#include "daemon/sig/sip.h"
#include "daemon/sig/sip_stream.h"

static void print_sdp(const struct sip_message *m)
{
	static const char *const directions[] = { "sendrecv", "sendonly",
						  "recvonly", "inactive" };
	char at[ADDR_TEXT];
	struct sdp *s = malloc(sizeof(*s));
	const int err = s ? sdp_parse(s, m->sdp, m->sdp_len) : 0;

	if (err)
		printf(" sdp:%s", strerror(-err));
	for (size_t i = 0; s && !err && i < s->n_media; i++) {
		const struct sdp_media *l = &s->media[i];

		printf(" media:%s:%u:%s:", addr_print(at, &l->at), l->at.port,
		       directions[l->direction]);
		for (size_t k = 0; k < l->n_formats; k++)
			printf("%s%u", k ? "," : "", l->formats[k].pt);
	}
	free(s);
}

static void print(const char *name, const uint8_t *data, size_t len)
{
	struct sip_message *m;
	const int err = sip_parse(&m, data, len);

	if (err) {
		printf("%s error %s\n", name, strerror(-err));
		return;
	}
	printf("%s ok %s %u %" PRIu32 " [%s] [%s] [%s] [%s] [%s]%s", name,
	       m->request ? "request" : "response",
	       m->request ? (unsigned)m->method : m->status, m->cseq,
	       m->call_id, m->from, m->from_tag, m->to, m->to_tag,
	       m->siprec ? " siprec" : "");
	if (m->sdp_len)
		print_sdp(m);
	putchar('\n');
	sip_free(m);
}

static int dump_file(const char *path)
{
	static uint8_t all[256 * 1024];
	FILE *f = fopen(path, "rb");

	if (!f) {
		perror(path);
		return 3;
	}
	const size_t len = fread(all, 1, sizeof(all), f);
	/* A block of its own, so that a sanitizer sees one byte too many */
	uint8_t *exact = malloc(len ? len : 1);
	const char *slash = strrchr(path, '/');

	fclose(f);
	if (exact) {
		memcpy(exact, all, len);
		print(slash ? slash + 1 : path, exact, len);
	}
	free(exact);
	return 0;
}

static struct sip_stream *streams[TCP_SLOTS];

static void take_events(struct tcp_streams *t, const char *time)
{
	struct tcp_event e;
	const uint8_t *data;
	size_t len;

	while (tcp_streams_next(t, &e) == 1) {
		struct sip_stream **s = &streams[e.slot];

		if (e.kind == TCP_END) {
			sip_stream_free(*s);
			*s = NULL;
			continue;
		}
		if (!*s && sip_stream_new(s) < 0)
			continue;
		if (e.kind == TCP_LOST)
			sip_stream_lost(*s);
		else
			(void)sip_stream_feed(*s, e.data, e.len);
		while (sip_stream_next(*s, &data, &len) == 1)
			print(time, data, len);
	}
}

static int dump_frames(struct capture_file *file, struct decap *d,
		       struct tcp_streams *t)
{
	struct reason why;
	struct decap_packet p;
	struct frame f;
	char time[32] = "";
	int got;

	while ((got = capture_file_next(file, &f, &why)) == 1) {
		if (decap_feed(d, f.link_type, f.at_us, f.data, f.len,
			       f.wire_len, &p) != 1)
			continue;
		snprintf(time, sizeof(time), "%" PRIu64, f.at_us);
		if (p.kind == DECAP_UDP && sip_looks_like(p.data, p.len))
			print(time, p.data, p.len);
		if (p.kind == DECAP_TCP &&
		    tcp_streams_feed(t, &p, f.at_us) == 0)
			take_events(t, time);
	}
	tcp_streams_flush(t);
	take_events(t, time);
	return got < 0 ? 3 : 0;
}

static int dump_capture(const char *path)
{
	struct capture_file *file;
	struct tcp_streams *t;
	struct reason why;
	struct decap *d;

	if (capture_file_open(&file, path, &why) < 0) {
		fprintf(stderr, "%s\n", why.text);
		return 3;
	}
	if (decap_new(&d) < 0 || tcp_streams_new(&t) < 0)
		return 2;
	const int rc = dump_frames(file, d, t);

	tcp_streams_free(t);
	decap_free(d);
	capture_file_close(file);
	return rc;
}

int main(int argc, char **argv)
{
	int rc = 0;

	if (argc == 3 && strcmp(argv[1], "-c") == 0)
		return dump_capture(argv[2]);
	for (int i = 1; i < argc && !rc; i++)
		rc = dump_file(argv[i]);
	return argc > 1 ? rc : 64;
}
