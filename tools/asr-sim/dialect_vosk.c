/**
 * @file dialect_vosk.c  vosk-server, as daemon/asr/vendor_vosk.c knows it
 *
 * One reply to each audio message, no key, `{"eof" : 1}` to the byte.  Flavour
 * "python" (asr_server.py): an optional config, and `{"reset" : 1}`.  Flavour
 * "cpp" (asr_server.cpp): every other text is taken for audio, a config, too,
 * and what ends it may be binary: it compares C strings, so with a NUL.
 * The Python server dies of a text it does not know; here it is only reported.
 */
#include <string.h>

#include "daemon/asr/json.h"
#include "tools/asr-sim/conn.h"

enum { RATE = 8000 };

struct state {
	bool cpp;
	bool words;
	unsigned alternatives;
	bool heard;               /* audio came */
};

static const char *const flavours[] = { "python", "cpp", NULL };

static const char *const header_names[] = {
	"Authorization", "x-api-key", "User-Agent", NULL
};

static unsigned request(struct conn *c, const struct websocket_request *r,
			const char **body)
{
	struct state *st = conn_state(c);

	(void)body;
	st->cpp = !strcmp(conn_sim(c)->flavour, "cpp");
	st->words = true;
	if (strcmp(r->target, "/"))
		conn_note(c, "target", "the request is for %.64s, not /",
			  r->target);
	conn_audio_is(c, ASR_PCM_S16LE, RATE, 0);
	return 101;
}

/* -- messages -------------------------------------------------------------------- */

static bool is(const char *text, size_t len, const char *exactly)
{
	return len == strlen(exactly) && !memcmp(text, exactly, len);
}

static void check_fields(struct conn *c, json_t *config)
{
	static const char known[] =
		" sample_rate words max_alternatives phrase_list model ";
	const char *name;
	json_t *v;

	json_object_foreach(config, name, v) {
		char word[32];

		snprintf(word, sizeof(word), " %.28s ", name);
		if (!strstr(known, word))
			conn_note(c, "config field",
				  "%.64s is no field that is documented", name);
	}
	v = json_object_get(config, "phrase_list");
	if (v && !json_is_array(v))
		conn_violation(c, "config field", "phrase_list is no array");
	v = json_object_get(config, "model");
	if (v && !json_is_string(v))
		conn_violation(c, "config field", "model is no string");
}

/* A number or true, as the server's Python takes them. */
static unsigned count(const json_t *config, const char *name, unsigned otherwise)
{
	const json_t *v = json_object_get(config, name);

	if (!v)
		return otherwise;
	return json_is_boolean(v) ? json_is_true(v)
				  : (unsigned)json_integer_value(v);
}

static void on_config(struct conn *c, json_t *config)
{
	struct state *st = conn_state(c);
	const double rate = json_number_value(json_object_get(config,
							      "sample_rate"));

	conn_config(c, json_incref(config));
	check_fields(c, config);
	st->words = count(config, "words", st->words) > 0;
	st->alternatives = count(config, "max_alternatives", 0);
	if (st->heard)
		conn_violation(c, "order", "audio came before config");
	else if (rate >= 8000 && rate <= 48000)
		conn_audio_is(c, ASR_PCM_S16LE, (uint32_t)rate, 0);
	else if (json_object_get(config, "sample_rate"))
		conn_violation(c, "sample_rate", "sample_rate is not 8000 to "
			       "48000");
}

static void on_json(struct conn *c, const char *text_, size_t len)
{
	json_t *msg = json_message(text_, len);
	json_t *config = json_object_get(msg, "config");

	if (!msg)
		conn_violation(c, "json", "a text message is no JSON object");
	else if (json_is_object(config))
		on_config(c, config);
	else if (json_object_get(msg, "eof"))
		conn_violation(c, "eof", "eof is not exactly {\"eof\" : 1}");
	else
		conn_violation(c, "text", "a text message is neither config "
			       "nor eof");
	json_decref(msg);
}

static void text(struct conn *c, const char *text_, size_t len)
{
	const struct state *st = conn_state(c);

	if (is(text_, len, "{\"eof\" : 1}"))
		conn_end_of_audio(c);
	else if (st->cpp) {
		conn_violation(c, "text", "a text message that is not "
			       "{\"eof\" : 1}: it is taken for audio");
		conn_audio(c, (const uint8_t *)text_, len);
	} else if (is(text_, len, "{\"reset\" : 1}"))
		conn_flush(c);
	else
		on_json(c, text_, len);
}

static bool binary(struct conn *c, const uint8_t *data, size_t len)
{
	static const char end[] = "{\"eof\" : 1}";
	struct state *st = conn_state(c);

	if (st->cpp && len == sizeof(end) && !memcmp(data, end, len)) {
		conn_end_of_audio(c);
		return true;
	}
	st->heard = true;
	return false;
}

/* -- results ---------------------------------------------------------------------- */

static json_t *words_of(struct conn *c, const struct sim_result *r, bool conf)
{
	json_t *words = json_array();

	for (size_t i = 0; i < r->n_words; i++) {
		const struct filler_word *w = &r->words[i];
		json_t *word = json_pack("{s:f, s:f, s:s%}", "start",
					 conn_seconds(c, w->first), "end",
					 conn_seconds(c, w->end), "word",
					 r->text + w->at, (size_t)w->len);

		if (conf)
			json_object_set_new(word, "conf",
					    json_real(r->confidence));
		json_array_append_new(words, word);
	}
	return words;
}

static json_t *alternatives_of(struct conn *c, const struct sim_result *r)
{
	const struct state *st = conn_state(c);
	json_t *one = json_pack("{s:s, s:f}", "text", r->text, "confidence",
				100 * r->confidence);

	if (st->words && r->n_words > 0)
		json_object_set_new(one, "result", words_of(c, r, false));
	return json_pack("{s:[o]}", "alternatives", one);
}

static void result(struct conn *c, const struct sim_result *r)
{
	const struct state *st = conn_state(c);
	json_t *msg;

	if (!r->final)
		msg = json_pack("{s:s}", "partial", r->text);
	else if (st->alternatives > 0)
		msg = alternatives_of(c, r);
	else
		msg = json_pack("{s:s}", "text", r->text);
	if (r->final && !st->alternatives && st->words && r->n_words > 0)
		json_object_set_new(msg, "result", words_of(c, r, true));
	conn_send(c, msg);
}

static void ended(struct conn *c)
{
	conn_close(c, 1000);
}

/* It knows no errors: it only goes. */
static void error(struct conn *c, unsigned code, const char *text_, bool other)
{
	(void)code;
	(void)text_;
	(void)other;
	conn_close(c, 1011);
}

const struct dialect dialect_vosk = {
	.name = "vosk",
	.flavours = flavours,
	.headers = header_names,
	.state_size = sizeof(struct state),
	.any_pace = true, .lock_step = true, .tells_nothing = true,
	.request = request, .text = text, .binary = binary, .result = result,
	.ended = ended, .error = error,
};
