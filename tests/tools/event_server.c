/*
 * The journal and the event socket alone, told by stdin what happens, a
 * command a line; for tests of the socket's protocol.
 *
 *     event_server SOCKET [--size BYTES] [--tick MS] [--epoch HEX]
 *                  [--mode OCTAL] [--group NAME] [--events FILE]
 *                  [--journal DIRECTORY] [--journal-size BYTES] [--age MS]
 *                  [--text no] [--retry MS]
 *
 *     start CALL LEG            call.start and leg.start
 *     partial LEG SEGMENT REV TEXT
 *     final LEG SEGMENT REV TEXT
 *     speech LEG
 *     gap LEG                   a short durable event
 *     burst N LEG BYTES         N final segments of BYTES text each
 *     end CALL LEG              leg.end and call.end
 *     daemon WHAT
 *     sync                      prints where it stands as JSON on stdout
 *     (end of input)            closes all; exit 0 if the loop was empty
 *
 * The call of a leg is the leg's name up to the first '-'.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/base/must.h"
#include "daemon/net/now.h"
#include "daemon/pub/file.h"
#include "daemon/pub/journal.h"
#include "daemon/pub/subscribers.h"

enum { COMMAND_MAX = 1024, WORDS = 5 };

struct server {
	uv_loop_t loop;
	uv_pipe_t input;
	struct journal *journal;
	struct subscribers *subscribers;
	struct event_file *file;
	size_t len;
	char line[COMMAND_MAX];
	char bytes[65536];
};

static void emit(struct server *s, struct event e, const char *leg)
{
	char call[EVENT_ID];

	e.now_us = now_wall_us();
	if (leg) {
		snprintf(call, sizeof(call), "%.*s", (int)strcspn(leg, "-"), leg);
		e.call = call;
		e.leg = e.type == EVENT_CALL_START || e.type == EVENT_CALL_END
			? NULL : leg;
		e.role = ROLE_CALLER;
	}
	journal_emit(s->journal, &e);
}

static void segment(struct server *s, enum segment_state state,
		    const char *leg, uint64_t number, uint64_t rev,
		    const char *text)
{
	emit(s, (struct event){ .type = EVENT_SEGMENT, .segment = {
		.segment = number, .rev = rev, .state = state, .text = text,
		.end = 8000, .heard = 8000, .confidence = -1,
		.latency_ms = EVENT_UNKNOWN } }, leg);
}

static void burst(struct server *s, uint64_t n, const char *leg, size_t bytes)
{
	static uint64_t number = 1000;
	char *text = malloc(bytes + 1);

	must(text);
	memset(text, 'x', bytes);
	text[bytes] = 0;
	for (uint64_t i = 0; i < n; i++)
		segment(s, SEGMENT_FINAL, leg, ++number, 1, text);
	free(text);
}

static void sync_line(const struct server *s)
{
	struct subscribers_stats st;
	struct journal_stats j;

	subscribers_stats(s->subscribers, &st);
	journal_stats(s->journal, &j);
	printf("{\"first\":%" PRIu64 ",\"next\":%" PRIu64 ",\"connected\":%u,"
	       "\"accepted\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"lost\":%"
	       PRIu64 ",\"stalled\":%" PRIu64 ",\"bad\":%" PRIu64
	       ",\"trouble\":%d,\"segments\":%u,\"bytes\":%" PRIu64
	       ",\"unwritten\":%" PRIu64 ",\"syncs\":%" PRIu64 "}\n",
	       journal_first(s->journal), journal_next(s->journal),
	       st.connected, st.accepted, st.refused, st.lost, st.stalled,
	       st.bad, j.trouble, j.segments, j.bytes, j.unwritten, j.syncs);
	fflush(stdout);
}

static void command(struct server *s, char *line)
{
	char *w[WORDS] = {0};
	uint64_t n[WORDS] = {0};

	for (int i = 0; i < WORDS; i++) {
		w[i] = i < WORDS - 1 ? strsep(&line, " ") : line;
		n[i] = w[i] ? strtoull(w[i], NULL, 10) : 0;
		if (!line)
			break;
	}
	if (!strcmp(w[0], "sync")) {
		sync_line(s);
	} else if (!strcmp(w[0], "daemon")) {
		emit(s, (struct event){ .type = EVENT_DAEMON,
					.daemon = { .what = w[1] } }, NULL);
	} else if (!strcmp(w[0], "start")) {
		emit(s, (struct event){ .type = EVENT_CALL_START,
			.call_start = { .source = "rtp" } }, w[2]);
		emit(s, (struct event){ .type = EVENT_LEG_START,
			.leg_start = { .asr = "none" } }, w[2]);
	} else if (!strcmp(w[0], "partial")) {
		segment(s, SEGMENT_PARTIAL, w[1], n[2], n[3], w[4]);
	} else if (!strcmp(w[0], "final")) {
		segment(s, SEGMENT_FINAL, w[1], n[2], n[3], w[4]);
	} else if (!strcmp(w[0], "speech")) {
		emit(s, (struct event){ .type = EVENT_SPEECH }, w[1]);
	} else if (!strcmp(w[0], "gap")) {
		emit(s, (struct event){ .type = EVENT_GAP,
			.gap = { .end = 80, .cause = "dns" } }, w[1]);
	} else if (!strcmp(w[0], "burst")) {
		burst(s, n[1], w[2], n[3]);
	} else if (!strcmp(w[0], "end")) {
		emit(s, (struct event){ .type = EVENT_LEG_END, .leg_end = {
			.reason = "bye", .offset_us = EVENT_UNKNOWN,
			.jitter_ms = -1, .mos = -1 } }, w[2]);
		emit(s, (struct event){ .type = EVENT_CALL_END,
			.call_end = { "bye", 0, 1 } }, w[2]);
	} else {
		fprintf(stderr, "no such command: %s\n", w[0]);
		exit(2);
	}
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *b)
{
	struct server *s = h->data;

	(void)hint;
	*b = uv_buf_init(s->bytes, sizeof(s->bytes));
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *b)
{
	struct server *s = h->data;

	if (n < 0) {
		subscribers_close(s->subscribers);
		journal_close_disk(s->journal);
		uv_close((uv_handle_t *)h, NULL);
		return;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (b->base[i] != '\n') {
			must(s->len < COMMAND_MAX - 1);
			s->line[s->len++] = b->base[i];
			continue;
		}
		s->line[s->len] = 0;
		s->len = 0;
		command(s, s->line);
	}
}

static const char *option(char **argv, const char *name, const char *otherwise)
{
	for (char **a = argv; *a; a++)
		if (!strcmp(*a, name) && a[1])
			return a[1];
	return otherwise;
}

int main(int argc, char **argv)
{
	static struct server s;
	struct buf why = {0};

	if (argc < 2)
		return 64;
	signal(SIGPIPE, SIG_IGN);
	const struct subscribers_options o = {
		.path = argv[1], .group = option(argv, "--group", NULL),
		.mode = (unsigned)strtoul(option(argv, "--mode", "660"), NULL,
					  8),
		.tick_ms = (uint32_t)strtoul(option(argv, "--tick", "0"), NULL,
					      10) };
	const char *events = option(argv, "--events", NULL);
	const uint64_t age_us =
		strtoull(option(argv, "--age", "0"), NULL, 10) * 1000;
	const struct journal_disk jd = {
		.loop = &s.loop, .directory = option(argv, "--journal", ""),
		.size = strtoull(option(argv, "--journal-size", "268435456"),
				 NULL, 10),
		.age_us = age_us,
		.text = strcmp(option(argv, "--text", "yes"), "no") != 0,
		.retry_ms = (uint32_t)strtoul(option(argv, "--retry", "100"),
					      NULL, 10) };

	signal(SIGXFSZ, SIG_IGN);
	uv_loop_init(&s.loop);
	must(!journal_new(&s.journal, strtoul(option(argv, "--size", "16777216"),
					      NULL, 10),
			  strtoull(option(argv, "--epoch", "abc"), NULL, 16)));
	journal_set_age(s.journal, age_us);
	must(!*jd.directory || !journal_open_disk(s.journal, &jd));
	journal_begin(s.journal, now_wall_us());
	must(!events || !event_file_open(&s.file, s.journal, events, NULL,
					 NULL));
	const int err = subscribers_open(&s.subscribers, &s.loop, s.journal, &o,
					 &why);
	if (err)
		fprintf(stderr, "%s\n", buf_str(&why));
	buf_free(&why);
	if (!err) {
		uv_pipe_init(&s.loop, &s.input, 0);
		s.input.data = &s;
		must(!uv_pipe_open(&s.input, STDIN_FILENO));
		must(!uv_read_start((uv_stream_t *)&s.input, on_alloc,
				    on_read));
		sync_line(&s);
	}
	if (err)
		journal_close_disk(s.journal);
	uv_run(&s.loop, UV_RUN_DEFAULT);
	must(!event_file_close(s.file));
	journal_free(s.journal);
	const int left = uv_loop_close(&s.loop);
	if (left)
		fprintf(stderr, "the loop is not empty\n");
	return err ? 1 : left ? 2 : 0;
}
