/** @file fork.c  One websocket of FreeSWITCH */
#include "daemon/ingress/fork.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/buf.h"
#include "daemon/ingress/stream_leg.h"
#include "daemon/net/random.h"
#include "daemon/pub/line.h"

enum {
	LEGS = 2,
	RATE = 8000,
	SAMPLE_US = 125,
	SECOND_US = 1000 * 1000,
	BEGIN_US = 10 * SECOND_US,   /* from the upgrade to the first message */
	FIRST_US = 60 * SECOND_US,   /* ... to the first audio */
	JUDGE_US = 5 * SECOND_US,    /* of audio, before its rate is judged */
	LATE_US = 4 * SECOND_US,     /* what may have waited for the network */
	QUEUE_MAX = 64 * 1024,       /* not acknowledged: one that is slow */
	NORMAL = 1000,
	GOING_AWAY = 1001,           /* RFC 6455 section 7.4.1 */
	UNSUPPORTED = 1003,
	POLICY = 1008,
	INTERNAL = 1011,
};
static const uint64_t silent_us = 3600ull * SECOND_US;

struct fork {
	struct list in_all;
	struct forks *forks;
	struct websocket *ws;
	uint64_t since_us;
	bool over;               /* its call has ended, or there will be none */
	struct call *call;       /* NULL: nothing was said yet, or over */
	struct stream_leg *legs[LEGS];
	unsigned n_legs;         /* channels */
	uint64_t first_us;       /* of audio ... */
	uint64_t samples;        /* ... and how much came behind that */
};

/* -- the end ------------------------------------------------------------------- */

static void end_call(struct fork *k, const char *reason)
{
	for (unsigned i = 0; i < k->n_legs; i++) {
		stream_leg_close(k->legs[i], reason);
		k->legs[i] = NULL;
	}
	if (k->call)
		call_end(k->call, reason);
	k->call = NULL;
	k->over = true;
}

static void fork_free(struct fork *k)
{
	list_remove(&k->in_all);
	k->forks->count--;
	free(k);
}

/* We end it; closed() follows and frees. */
static void finish(struct fork *k, const char *reason, unsigned code,
		   const char *words)
{
	if (k->over)
		return;
	end_call(k, reason);
	websocket_finish_with(k->ws, code, words);
}

static void refuse(struct fork *k, const char *reason, unsigned code,
		   const char *words)
{
	uint64_t kept_back;

	if (log_limited(&k->forks->bad, timers_now_us(k->forks->timers),
			&kept_back))
		log_warn("websocket", "a connection ends: %s (%llu more since "
			 "the last such line)", words,
			 (unsigned long long)kept_back);
	finish(k, reason, code, words);
}

static void on_closed(const struct reason *why, void *arg)
{
	struct fork *k = arg;

	(void)why;
	clock_live_run(k->forks->clock);
	if (!k->over)
		end_call(k, "hangup");
	websocket_close(k->ws);
	fork_free(k);
}

/* -- transcripts ----------------------------------------------------------------- */

static void on_final(const struct event *e, void *arg)
{
	struct fork *k = arg;
	struct forks *f = k->forks;
	struct buf out = {0};
	uint64_t kept_back;

	buf_puts(&out, "{\"type\":\"transcription\",\"data\":");
	if (line_print(&out, e, 0) || out.err) {
		buf_free(&out);
		return;
	}
	out.data[out.len - 1] = '}'; /* was the line feed */
	if (websocket_unacknowledged(k->ws) <= QUEUE_MAX) {
		(void)websocket_send(k->ws, true, out.data, out.len);
	} else {
		f->unsent++;
		if (log_limited(&f->slow, e->now_us, &kept_back))
			log_warn("websocket", "a client does not read: "
				 "transcripts are not sent to it (%llu more "
				 "since the last such line)",
				 (unsigned long long)kept_back);
	}
	buf_free(&out);
}

/* -- its beginning ---------------------------------------------------------------- */

static enum role other(enum role r)
{
	return r == ROLE_CALLER	 ? ROLE_AGENT
	       : r == ROLE_AGENT ? ROLE_CALLER
				 : ROLE_UNKNOWN;
}

/* The first channel is the party's own; the second what it hears. */
static void tell_roles(const struct forks *f, const struct metadata *m,
		       enum metadata_mix mix, struct stream_leg_config lc[LEGS])
{
	const bool told = m->has_role && m->role != ROLE_UNKNOWN;

	if (mix == MIX_MIXED) {
		lc[0].role = ROLE_MIXED;
		lc[0].role_source = "mix";
		return;
	}
	if (mix == MIX_STEREO && (!told || m->role == ROLE_MIXED)) {
		lc[0].role = f->agent_first ? ROLE_AGENT : ROLE_CALLER;
		lc[0].role_source = "channel";
	} else if (told) {
		lc[0].role = m->role;
		lc[0].role_source = "metadata";
	}
	lc[1].role = other(lc[0].role);
	lc[1].role_source = lc[0].role_source;
}

static int open_legs(struct fork *k, const struct metadata *m,
		     enum metadata_mix mix)
{
	struct stream_leg_config lc[LEGS] = {
		{ .label = mix == MIX_STEREO ? "1" : NULL }, { .label = "2" },
	};

	tell_roles(k->forks, m, mix, lc);
	for (unsigned n = mix == MIX_STEREO ? 2 : 1; k->n_legs < n;
	     k->n_legs++) {
		struct stream_leg_config *one = &lc[k->n_legs];

		one->timers = k->forks->timers;
		one->call = k->call;
		one->language = m->language;
		one->final = k->forks->send_transcripts ? on_final : NULL;
		one->arg = k;
		const int err = stream_leg_open(&k->legs[k->n_legs], one);
		if (err)
			return err;
	}
	return 0;
}

static int open_call(struct fork *k, const struct metadata *m)
{
	struct forks *f = k->forks;
	char id[EVENT_ID], any[UUID_TEXT];
	const struct call_info i = {
		.id = id, .source = "websocket", .from = m->from, .to = m->to,
		.sip_call_id = m->sip_call_id, .language = m->language,
		.ids = m->ids, .n_ids = m->n_ids,
	};

	used_ids_take(&f->used, id, *m->call ? m->call : random_uuid(any),
		      f->calls);
	return call_open(&k->call, f->calls, &i);
}

static void begin(struct fork *k, const char *text, size_t len)
{
	struct forks *f = k->forks;
	struct metadata m;
	uint64_t kept_back;

	metadata_parse(&m, text, len);
	const enum metadata_mix mix = m.mix ? m.mix : f->mix;
	int err = open_call(k, &m);
	if (!err)
		err = open_legs(k, &m, mix);
	if (err) {
		if (log_limited(&f->failed, timers_now_us(f->timers),
				&kept_back))
			log_error("websocket", "no leg: %s (%llu more since "
				  "the last such line)", strerror(-err),
				  (unsigned long long)kept_back);
		finish(k, "error", INTERNAL, "no leg");
	} else if (m.rate && m.rate != RATE) {
		for (unsigned i = 0; i < k->n_legs; i++)
			stream_leg_unusable(k->legs[i], "codec");
		refuse(k, "codec", UNSUPPORTED, "send 8000 samples a second "
		       "(8k)");
	}
	metadata_free(&m);
}

/* -- audio ----------------------------------------------------------------------- */

/* A wrong rate, or two channels that were taken for one, would be noise to any
 * ASR; it shows in how fast the audio comes, whatever the network does. */
static bool comes_too_fast(struct fork *k, size_t n, uint64_t at_us)
{
	if (!k->first_us) {
		k->first_us = at_us;
		return false;
	}
	k->samples += n;
	const uint64_t passed_us = at_us - k->first_us;
	return passed_us >= JUDGE_US &&
	       k->samples * SAMPLE_US > passed_us * 3 / 2 + LATE_US;
}

static void take_audio(struct fork *k, const uint8_t *data, size_t len,
		       uint64_t at_us)
{
	const size_t frame = 2 * (size_t)k->n_legs;

	if (len % frame) {
		refuse(k, "bad_message", UNSUPPORTED, k->n_legs == 2
		       ? "a binary message of no whole stereo samples"
		       : "a binary message of no whole samples");
		return;
	}
	if (comes_too_fast(k, len / frame, at_us)) {
		for (unsigned i = 0; i < k->n_legs; i++)
			stream_leg_unusable(k->legs[i], "codec");
		refuse(k, "codec", UNSUPPORTED, "audio comes faster than 8000 "
		       "samples a second; look at rate (8k) and mix");
		return;
	}
	for (unsigned i = 0; i < k->n_legs; i++)
		stream_leg_samples(k->legs[i], data + (size_t)2 * i,
				   len / frame, frame, at_us);
}

static void on_message(bool text, const uint8_t *data, size_t len, void *arg)
{
	struct fork *k = arg;
	const uint64_t at_us = clock_live_run(k->forks->clock);
	const char *words = (const char *)data;

	if (k->over)
		return;
	if (!k->call)
		begin(k, words, text ? len : 0);
	else if (text && metadata_digit(words, len))
		stream_leg_digit(k->legs[0], metadata_digit(words, len));
	if (!text && !k->over)
		take_audio(k, data, len, at_us);
}

static void on_dropped(size_t len, void *arg)
{
	struct fork *k = arg;

	(void)len;
	clock_live_run(k->forks->clock);
	if (!k->over)
		refuse(k, "bad_message", POLICY, "a message over 256 KiB");
}

/* -- all of them ------------------------------------------------------------------ */

int fork_accept(struct forks *f, struct websocket *ws,
		struct websocket_answer *answer)
{
	static const struct websocket_cb cb = {
		.message = on_message, .dropped = on_dropped,
		.closed = on_closed,
	};
	struct fork *k = calloc(1, sizeof(*k));

	if (!k)
		return -ENOMEM;
	k->forks = f;
	k->ws = ws;
	k->since_us = timers_now_us(f->timers);
	list_init(&k->in_all);
	list_add(&f->all, &k->in_all);
	f->count++;
	f->accepted++;
	answer->status = 101;
	answer->cb = &cb;
	answer->arg = k;
	return 0;
}

static bool is_silent(const struct fork *k, uint64_t now_us)
{
	const struct stream_leg *l = k->legs[0];

	if (!k->call)
		return now_us - k->since_us >= BEGIN_US;
	return now_us - stream_leg_heard_us(l) >=
	       (stream_leg_has_spoken(l) ? silent_us : FIRST_US);
}

void forks_look(struct forks *f, uint64_t now_us)
{
	list_each(&f->all, x) {
		struct fork *k = list_item(x, struct fork, in_all);

		if (!k->over && is_silent(k, now_us))
			finish(k, "timeout", POLICY, "nothing came");
	}
}

bool forks_hang_up(struct forks *f, const char *call, const char *reason)
{
	list_each(&f->all, x) {
		struct fork *k = list_item(x, struct fork, in_all);

		if (!k->call || strcmp(call_id(k->call), call) != 0)
			continue;
		finish(k, reason, NORMAL, "hung up");
		return true;
	}
	return false;
}

void forks_end(struct forks *f, const char *reason)
{
	list_each(&f->all, x)
		finish(list_item(x, struct fork, in_all), reason, GOING_AWAY,
		       "ends");
}

void forks_close(struct forks *f)
{
	list_each(&f->all, x) {
		struct fork *k = list_item(x, struct fork, in_all);

		if (!k->over)
			end_call(k, "end");
		websocket_close(k->ws);
		fork_free(k);
	}
}
