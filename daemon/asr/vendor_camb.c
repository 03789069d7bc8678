/**
 * @file vendor_camb.c  Camb.ai, streaming ASR (beta)
 *
 * Sources: docs.camb.ai "listen" and "Live transcription with the SDK", and
 * the Python SDK's live_transcription module, read in 2026.
 *
 *   -> GET /streaming-transcription/listen?encoding=mulaw&sample_rate=8000&..
 *      x-api-key: <key>     older: wss://client.camb.ai/apis/transcription/listen
 *   <- {"type":"Ready"}                  audio before that may be lost
 *   -> binary: audio
 *   <- {"type":"Results","is_final":false,"start":0.0,"duration":1.0,
 *       "channel":{..},"metadata":{"request_id":".."}}
 *      the whole utterance so far: it replaces the one before
 *   <- {"type":"UtteranceEnd","last_word_end":3.2}
 *   <- {"type":"Error","code":null,"message":".."}, then it closes
 *   -> {"type":"KeepAlive"}              text
 *   -> {"type":"CloseStream"}
 *   <- ... then it closes with 1000
 *
 * When is an utterance over?  Older pages say that is_final is always false;
 * newer ones that it is true once, and that UtteranceEnd follows; the SDK has
 * "Final" in reserve.  Which of it an account gets is not known before, so all
 * of it counts, and besides an utterance is over when the text begins anew,
 * and at the end of the stream.  What the service itself did not call final is
 * marked as synthesised, and a real final that comes late revises it.
 *
 * Encoding: 8 kHz µ-law first.  It is what the telephone line has and what the
 * SDK's own tests send at 8 kHz; nobody has seen 8 kHz PCM work, and what
 * happens without KeepAlive is not documented, so silence is sent as well.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/asr/compose.h"
#include "daemon/asr/json.h"
#include "daemon/asr/keep.h"
#include "daemon/asr/reply.h"
#include "daemon/asr/vendor.h"

enum { SAME_START_US = 50000 };

struct state {
	uint64_t session;
	uint64_t utterances;        /* begun so far */
	struct asr_result *open;    /* as last said; NULL: none */
	struct asr_result *closed;  /* the last that was closed; NULL: none */
	bool again;                 /* the open one was closed before */
};

static const char *const of_wire[] = {
	"encoding", "sample_rate", "channels", NULL
};

static const char *check(const struct asr_settings *s)
{
	if (compose_params_clash(s, of_wire) || compose_url_clash(s, of_wire))
		return "encoding, sample_rate and channels are the daemon's to "
		       "say: remove them from params and url; the key encoding "
		       "chooses what is sent";
	return compose_own_keys(s);
}

static void target(const struct asr_session *s, struct buf *out)
{
	const struct asr_settings *set = s->settings;
	const struct compose_pair fixed[] = {
		{ "model", set->model },
		{ "language", set->language },
		{ "encoding", compose_encoding(set) },
		{ "sample_rate", compose_rate(set) },
		{ "channels", "1" },
		{ NULL, NULL },
	};

	compose_target(out, set, fixed, NULL, NULL);
}

static void headers(const struct asr_session *s, struct buf *out)
{
	compose_header(out, "x-api-key", "", s->settings->key);
}

static void keepalive(const struct asr_session *s, struct asr_message *out)
{
	(void)s;
	compose_message(out, "{\"type\":\"KeepAlive\"}");
}

static void finish(const struct asr_session *s, struct asr_message *out)
{
	(void)s;
	compose_message(out, "{\"type\":\"CloseStream\"}");
}

static const struct reply_meaning meanings[] = {
	{ 401, REASON_AUTH, "Camb does not know this API key: check "
			    "api-key-file" },
	{ 402, REASON_PAYMENT, "the account's balance is used up: top it up at "
			       "Camb" },
	{ 403, REASON_AUTH, "the key may not use live transcription: ask Camb" },
	{ 404, REASON_CONFIG, "no such path at this host: check url" },
	{ 429, REASON_QUOTA, "too many connections at once for this account" },
	{ 1008, REASON_AUTH, "Camb does not allow this: check key, account and "
			     "model" },
	{ 0, REASON_NONE, NULL },
};

static enum reason_class meaning(unsigned code, const char **why)
{
	return reply_meaning(meanings, code, why);
}

/* -- does a text go on from another? -------------------------------------------- */

static bool in_word(char c)
{
	const unsigned char u = (unsigned char)c;

	return u >= 0x80 || (u >= '0' && u <= '9') ||
	       ((u | 0x20) >= 'a' && (u | 0x20) <= 'z');
}

/* The next word, without the punctuation around it; 0: there is none. */
static size_t next_word(const char **at)
{
	size_t n;

	while (**at && !in_word(**at))
		(*at)++;
	n = strcspn(*at, " \t\r\n");
	while (n > 0 && !in_word((*at)[n - 1]))
		n--;
	return n;
}

static size_t count_words(const char *text)
{
	size_t words = 0;

	for (size_t n; (n = next_word(&text)) > 0; text += n)
		words++;
	return words;
}

/* Of the words both have, are half or more the same, place by place? */
static bool resembles(const char *a, const char *b)
{
	size_t both = 0, same = 0, na, nb;

	while ((na = next_word(&a)) > 0 && (nb = next_word(&b)) > 0) {
		both++;
		same += na == nb && !strncasecmp(a, b, na);
		a += na;
		b += nb;
	}
	return both > 0 && 2 * same >= both;
}

static bool same_start(const struct asr_result *a, const struct asr_result *b)
{
	return a->start_us != TIME_UNKNOWN && b->start_us != TIME_UNKNOWN &&
	       llabs(a->start_us - b->start_us) <= SAME_START_US;
}

/*
 * Does `r` begin a new utterance, though nobody told that `open` is over?  The
 * words' times know best; without them a text that goes on from the other is
 * the same utterance, and another is a new one when it lies behind or has
 * become much shorter.
 */
static bool begins_anew(const struct asr_result *open,
			const struct asr_result *r)
{
	if (!*r->text)
		return true;
	if (open->n_words > 0 && r->n_words > 0 &&
	    r->words[0].start_us != TIME_UNKNOWN) {
		const struct asr_word *first = &open->words[0];
		const struct asr_word *last = &open->words[open->n_words - 1];

		if (last->end_us != TIME_UNKNOWN &&
		    r->words[0].start_us >= last->end_us)
			return true;
		if (first->start_us != TIME_UNKNOWN &&
		    r->words[0].start_us <= first->start_us + SAME_START_US)
			return false;
	}
	if (resembles(open->text, r->text))
		return false;
	return (open->end_us != TIME_UNKNOWN && r->start_us >= open->end_us) ||
	       2 * count_words(r->text) < count_words(open->text);
}

/* -- utterances ------------------------------------------------------------------ */

static void set_kept(struct asr_result **at, struct asr_result *r)
{
	free(*at);
	*at = r;
}

/* Close the open utterance in the service's place. */
static void close_open(struct state *st, const struct asr_sink *sink)
{
	struct asr_result *r = st->open;

	if (!r)
		return;
	st->open = NULL;
	st->again = false;
	r->state = RESULT_FINAL;
	r->synthesised = true;
	sink->result(r, sink->arg);
	set_kept(&st->closed, r);
}

/* Is it about the utterance that was closed last?  One that we closed goes on
 * with the same start; one the service closed is at best repeated. */
static bool is_about_closed(const struct state *st, const struct asr_result *r)
{
	const struct asr_result *c = st->closed;

	if (!c || !same_start(c, r))
		return false;
	return (c->synthesised && r->state == RESULT_FINAL) ||
	       resembles(c->text, r->text);
}

static void on_partial(struct state *st, const struct asr_result *r,
		       const struct asr_sink *sink)
{
	if (!st->again) /* a final stays one until the next */
		sink->result(r, sink->arg);
	set_kept(&st->open, keep_result(r));
}

static void on_final(struct state *st, const struct asr_result *r,
		     const struct asr_sink *sink)
{
	st->again = false;
	set_kept(&st->open, NULL);
	sink->result(r, sink->arg);
	set_kept(&st->closed, keep_result(r));
}

static void on_text(struct state *st, struct asr_result *r,
		    const struct asr_sink *sink)
{
	const bool final = r->state == RESULT_FINAL;
	const bool about_closed = !st->open && is_about_closed(st, r);
	char key[JSON_ID_SIZE];

	if (about_closed && !st->closed->synthesised &&
	    (!final || !strcmp(st->closed->text, r->text)))
		return; /* late, or said twice */
	if (st->open || about_closed) {
		const struct asr_result *of = st->open ? st->open : st->closed;

		snprintf(key, sizeof(key), "%s", of->key);
		st->again |= about_closed;
	} else {
		snprintf(key, sizeof(key), "%" PRIu64, st->utterances++);
	}
	r->key = key;
	if (final)
		on_final(st, r, sink);
	else
		on_partial(st, r, sink);
	r->key = NULL;
}

/* Silence the service is done with: no segment, but its audio is settled. */
static void on_silence(const struct state *st, struct asr_result *r,
		       const struct asr_sink *sink)
{
	char key[JSON_ID_SIZE];

	if (r->state != RESULT_FINAL || r->end_us == TIME_UNKNOWN)
		return;
	snprintf(key, sizeof(key), "%" PRIu64, st->utterances);
	r->key = key;
	sink->result(r, sink->arg);
	r->key = NULL;
}

static int on_results(struct state *st, const json_t *msg, bool final,
		      const struct asr_sink *sink)
{
	struct asr_word *words;
	struct asr_result r;
	const int err = reply_results(&r, &words, msg);

	if (err)
		return err;
	r.state = final || json_is_true(json_object_get(msg, "is_final"))
			  ? RESULT_FINAL : RESULT_PARTIAL;
	if (st->open && begins_anew(st->open, &r))
		close_open(st, sink);
	if (*r.text)
		on_text(st, &r, sink);
	else
		on_silence(st, &r, sink);
	free(words);
	return 0;
}

static int on_message(const struct asr_session *s, json_t *msg,
		      const struct asr_sink *sink)
{
	struct state *st = s->state;
	const char *type = json_text(msg, "type");

	if (json_object_get(msg, "type") && !type)
		return -EBADMSG;
	reply_session(&st->session,
		      json_object_get(json_object_get(msg, "metadata"),
				      "request_id"), sink);
	if (!type)
		return 1;
	if (!strcmp(type, "Results") || !strcmp(type, "Final"))
		return on_results(st, msg, *type == 'F', sink);
	if (!strcmp(type, "Ready"))
		sink->ready(sink->arg);
	else if (!strcmp(type, "UtteranceEnd"))
		close_open(st, sink);
	else if (!strcmp(type, "Error"))
		reply_refused(s, sink, meanings, REASON_NONE,
			      json_code(json_object_get(msg, "code")),
			      json_text(msg, "message"));
	else
		return 1;
	return 0;
}

static int parse(const struct asr_session *s, const char *text, size_t len,
		 uint64_t now_us, const struct asr_sink *sink)
{
	(void)now_us;
	return reply_parse(s, text, len, sink, on_message);
}

static void tick(const struct asr_session *s, uint64_t now_us, bool ending,
		 const struct asr_sink *sink)
{
	(void)now_us;
	if (ending)
		close_open(s->state, sink);
}

static void close_state(const struct asr_session *s)
{
	struct state *st = s->state;

	set_kept(&st->open, NULL);
	set_kept(&st->closed, NULL);
}

const struct asr_vendor asr_vendor_camb = {
	.name = "camb",
	.url = "wss://realtime.camb.ai/streaming-transcription/listen",
	.state_size = sizeof(struct state),
	.wires = asr_wires_telephone,
	.n_wires = ASR_WIRES_TELEPHONE,
	.chunk_min_ms = 20, .chunk_ms = 100, .chunk_max_ms = 1000,
	.ready_ms = 15000,
	.catchup = 1.25,
	.idle = ASR_IDLE_SILENCE,
	.idle_ms = 5000, .idle_first_ms = 1500, .idle_next_ms = 5000,
	.drain_ms = 5000, .drain_max_ms = 15000,
	.closer = ASR_SERVER_CLOSES, .close_is_done = true,
	.check = check, .target = target, .headers = headers,
	.keepalive = keepalive, .finish = finish, .meaning = meaning,
	.parse = parse, .tick = tick, .close = close_state,
};
