/**
 * @file dialect_fireworks.c  Fireworks AI, as daemon/asr/vendor_fireworks.c knows it
 *
 * One message for each of audio, with the segments that changed.  Flavour
 * "new": ids are numbers, words say whether they are final (if words were asked
 * for).  Flavour "seed": ids are strings, and no more than id and text.  The
 * key stands alone in Authorization, behind "Bearer", or in the query.  Not
 * documented and assumed here: state.clear ends the open segment and ids go on;
 * close code 1000 after an error; 401 for a wrong key.
 */
#include <string.h>
#include <strings.h>

#include "daemon/asr/json.h"
#include "tools/asr-sim/query.h"

struct state {
	bool seed;
	bool words, times;        /* of timestamp_granularities */
	char language[16];
	json_t *changed;          /* segments of the next message */
	json_t *last;             /* final, as told */
	bool grown;               /* the open one was told as final */
};

static const char *const flavours[] = { "new", "seed", NULL };

static const char *const header_names[] = {
	"Authorization", "x-api-key", "User-Agent", NULL
};

static const char *const formats[] = { "verbose_json", NULL };
static const char *const granularities[] = { "word", "segment", NULL };
static const char internal[] = "internal, seen only in a discussion";
static const char unexplained[] = "used by others, but on no page";

static const struct query_rule rules[] = {
	{ .name = "language", .kind = QUERY_TEXT },
	{ .name = "response_format", .kind = QUERY_WORD, .words = formats },
	{ .name = "prompt", .kind = QUERY_TEXT },
	{ .name = "temperature", .kind = QUERY_NUMBER, .max = 1 },
	{ .name = "timestamp_granularities", .kind = QUERY_WORDS,
	  .words = granularities },
	{ .name = "timestamp_granularities[]", .kind = QUERY_WORDS,
	  .words = granularities, .unusual = "the name has no brackets" },
	{ .name = "text_timeout_seconds", .kind = QUERY_NUMBER, .min = 1,
	  .max = 29 },
	{ .name = "Authorization", .kind = QUERY_SECRET },
	{ .name = "model", .kind = QUERY_TEXT, .unusual = unexplained },
	{ .name = "skip_vad", .kind = QUERY_TEXT, .unusual = unexplained },
	{ .name = "vad_kwargs", .kind = QUERY_TEXT, .unusual = unexplained },
	{ .name = "audio_window_seconds", .kind = QUERY_TEXT,
	  .unusual = internal },
	{ .name = "max_audio_window_seconds", .kind = QUERY_TEXT,
	  .unusual = internal },
	{0}
};

static const char path[] = "/v1/audio/transcriptions/streaming";

/* -- the upgrade --------------------------------------------------------------- */

static const char *key_of(struct conn *c, const struct websocket_request *r,
			  const json_t *query)
{
	const char *key = r->header(r, "Authorization");

	if (!key)
		key = json_text(query, "Authorization");
	if (key && !strncasecmp(key, "Bearer ", 7)) {
		conn_note(c, "bearer", "the pages have the key without "
			  "\"Bearer\"");
		key += 7;
	}
	return key;
}

static void configure(struct conn *c, const json_t *query)
{
	struct state *st = conn_state(c);
	const char *asked = json_text(query, "timestamp_granularities");
	const char *language = json_text(query, "language");
	const double pause = query_number(query, "text_timeout_seconds", 1, 29,
					  0);

	st->seed = !strcmp(conn_sim(c)->flavour, "seed");
	st->words = asked && strstr(asked, "word");
	st->times = asked && strstr(asked, "segment");
	if (!language || strlen(language) >= sizeof(st->language))
		language = "en";
	memcpy(st->language, language, strlen(language) + 1);
	conn_audio_is(c, ASR_PCM_S16LE, 16000, (uint32_t)(pause * 1000));
}

static unsigned request(struct conn *c, const struct websocket_request *r,
			const char **body)
{
	json_t *query = query_read(c, r->target, rules);
	const enum key_verdict v = conn_key(c, key_of(c, r, query));

	if (!query_path(r->target, path))
		conn_violation(c, "target", "the request is not for %s", path);
	if (v == KEY_MISSING)
		conn_violation(c, "key", "no key in Authorization");
	configure(c, query);
	json_decref(query);
	if (!conn_sim(c)->expect_key || v == KEY_RIGHT)
		return 101;
	*body = "{\"error\":\"Unauthorized\"}";
	return 401;
}

/* -- messages -------------------------------------------------------------------- */

static void on_checkpoint(struct conn *c, const json_t *id)
{
	if (!json_is_string(id))
		conn_violation(c, "text", "checkpoint_id is no string");
	else if (!strcmp(json_string_value(id), "final"))
		conn_end_of_audio(c);
	else {
		conn_note(c, "checkpoint", "a checkpoint that is not \"final\"");
		conn_send(c, json_pack("{s:s}", "checkpoint_id",
				       json_string_value(id)));
	}
}

static void on_trace(struct conn *c, const json_t *msg)
{
	const char *id = json_text(msg, "trace_id");

	if (!id)
		conn_violation(c, "text", "a trace has no trace_id");
	else
		conn_send(c, json_pack("{s:s, s:s}", "object",
				       "stt.output.trace", "trace_id", id));
}

static void on_clear(struct conn *c, const json_t *msg)
{
	const char *id = json_text(msg, "reset_id");

	if (!id)
		conn_violation(c, "text", "a state.clear has no reset_id");
	conn_flush(c);
	conn_send(c, json_pack("{s:s*, s:s, s:s*}", "event_id",
			       json_text(msg, "event_id"), "object",
			       "stt.state.cleared", "reset_id", id));
}

static void text(struct conn *c, const char *text_, size_t len)
{
	json_t *msg = json_message(text_, len);
	const json_t *checkpoint = json_object_get(msg, "checkpoint_id");
	const char *object = json_text(msg, "object");

	if (!msg)
		conn_violation(c, "json", "a text message is no JSON object");
	else if (checkpoint)
		on_checkpoint(c, checkpoint);
	else if (object && !strcmp(object, "stt.input.trace"))
		on_trace(c, msg);
	else if (object && !strcmp(object, "stt.state.clear"))
		on_clear(c, msg);
	else
		conn_violation(c, "text", "a text message is no checkpoint, "
			       "trace or state.clear");
	json_decref(msg);
}

/* -- results ---------------------------------------------------------------------- */

/* Of made-up words all but the last of a partial stay as they are. */
static bool word_is_final(const struct conn *c, const struct sim_result *r,
			  size_t i)
{
	return r->final || (conn_sim(c)->words > 0 && i + 1 < r->n_words);
}

static json_t *words_of(struct conn *c, const struct sim_result *r)
{
	const struct state *st = conn_state(c);
	json_t *words = json_array();

	for (size_t i = 0; i < r->n_words; i++) {
		const struct filler_word *w = &r->words[i];

		json_array_append_new(words, json_pack(
			"{s:s%, s:s, s:f, s:f, s:f, s:f, s:b}", "word",
			r->text + w->at, (size_t)w->len, "language",
			st->language, "probability", r->confidence,
			"hallucination_score", 0.01, "start",
			conn_seconds(c, w->first), "end",
			conn_seconds(c, w->end), "is_final",
			word_is_final(c, r, i)));
	}
	return words;
}

static json_t *segment_of(struct conn *c, const struct sim_result *r)
{
	const struct state *st = conn_state(c);

	if (st->seed)
		return json_pack("{s:o, s:s}", "id",
				 json_sprintf("%llu",
					      (unsigned long long)r->number),
				 "text", r->text);
	json_t *s = json_pack("{s:I, s:i, s:s, s:s}", "id",
			      (json_int_t)r->number, "seek", 0, "text", r->text,
			      "language", st->language);

	if (st->times) {
		json_object_set_new(s, "start", json_real(conn_seconds(c,
							  r->first)));
		json_object_set_new(s, "end", json_real(conn_seconds(c,
							r->end)));
	}
	if (st->words)
		json_object_set_new(s, "words", words_of(c, r));
	return s;
}

static void result(struct conn *c, const struct sim_result *r)
{
	struct state *st = conn_state(c);

	if (r->first == r->end || (st->grown && !r->final))
		return;
	json_t *s = segment_of(c, r);

	if (r->final) {
		json_decref(st->last);
		st->last = json_incref(s);
		st->grown = false;
	}
	if (!st->changed)
		st->changed = json_array();
	json_array_append_new(st->changed, s);
}

/* The texts and words of all segments of the message stand above them, too. */
static json_t *message_of(const struct state *st, json_t *segments)
{
	json_t *words = json_array(), *s;
	struct buf all = {0};
	size_t i;

	json_array_foreach(segments, i, s) {
		json_array_extend(words, json_object_get(s, "words"));
		buf_printf(&all, "%s%s", i ? " " : "", json_text(s, "text"));
	}
	json_t *msg = json_pack("{s:s, s:s, s:s, s:O}", "task", "transcribe",
				"language", st->language, "text",
				buf_str(&all), "segments", segments);

	if (st->words)
		json_object_set(msg, "words", words);
	json_decref(words);
	buf_free(&all);
	return msg;
}

static void send_segments(struct conn *c, json_t *segments)
{
	const struct state *st = conn_state(c);

	conn_send(c, st->seed ? json_pack("{s:O}", "segments", segments)
			      : message_of(st, segments));
	json_decref(segments);
}

static void told(struct conn *c)
{
	struct state *st = conn_state(c);
	json_t *segments = st->changed;

	st->changed = NULL;
	if (segments)
		send_segments(c, segments);
}

/*
 * Taken back: what comes last is the segment before, so that the open one is
 * no more, until it comes again.  Grown: final too early, and once more when it
 * really ends.
 */
static void special(struct conn *c, int fault)
{
	struct state *st = conn_state(c);

	told(c);
	if (fault == FAULT_GROW) {
		conn_repeat(c, true);
		st->grown = st->changed != NULL;
		told(c);
	} else if (st->last) {
		send_segments(c, json_pack("[O]", st->last));
	} else {
		conn_note(c, "retract", "there was no segment before");
	}
}

static void ended(struct conn *c)
{
	conn_send(c, json_pack("{s:s}", "checkpoint_id", "final"));
}

static void error(struct conn *c, unsigned code, const char *text_, bool other)
{
	conn_send(c, other ? json_pack("{s:{s:s, s:o}}", "error", "message",
				       text_, "code", json_sprintf("%u", code))
			   : json_pack("{s:s}", "error", text_));
	conn_close(c, 1000);
}

static void fini(struct conn *c)
{
	struct state *st = conn_state(c);

	json_decref(st->changed);
	json_decref(st->last);
}

const struct dialect dialect_fireworks = {
	.name = "fireworks",
	.flavours = flavours,
	.headers = header_names,
	.state_size = sizeof(struct state),
	.chunk_min_ms = 50, .chunk_max_ms = 400,
	.specials = 1u << FAULT_RETRACT | 1u << FAULT_GROW,
	.request = request, .text = text, .result = result, .told = told,
	.ended = ended, .error = error, .special = special, .fini = fini,
};
