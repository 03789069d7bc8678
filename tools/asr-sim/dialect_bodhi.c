/**
 * @file dialect_bodhi.c  Bodhi by Navana, as daemon/asr/vendor_bodhi.c knows it
 *
 * Flavour "new" (stt.navana.ai): x-api-key.  Flavour "seed" (bodhi.navana.ai):
 * x-api-key and x-customer-id.  In-band 400 and close for an invalid config
 * message, as the pages say; anything else that they forbid is reported and
 * served.  Not documented and assumed here: close code 1000 after an error and
 * after 15 s without a message; a config field that is not known is ignored.
 */
#include <regex.h>
#include <string.h>
#include <strings.h>

#include "daemon/asr/json.h"
#include "daemon/base/array.h"
#include "tools/asr-sim/conn.h"

/* The service's pause when none is asked for is 440 ms; the shorter one makes a
 * better demonstration. */
enum { PAUSE_MS = 300, PAUSE_MIN_MS = 440, PAUSE_MAX_MS = 1200 };

struct state {
	bool configured;
	bool aux, lid;
	uint32_t pause_ms;
	char id[64];              /* our call_id */
	char language[8];
	bool confident;           /* not for te, or, en */
};

static const char *const flavours[] = { "new", "seed", NULL };

static const char *const header_names[] = {
	"x-api-key", "x-customer-id", "Authorization", "User-Agent", NULL
};

static bool is_uuid(const char *s)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (!s || strlen(s) != strlen(form))
		return false;
	for (size_t i = 0; form[i]; i++)
		if (form[i] == '-' ? s[i] != '-'
				   : !strchr("0123456789abcdefABCDEF", s[i]))
			return false;
	return true;
}

/* The pages' list, and the older names of the service's own examples. */
static bool is_model(const char *name)
{
	regex_t re;

	if (regcomp(&re, "^(bn|en|gu|hi|kn|ml|mr|or|ta|te|hi-en)"
		    "-(general|banking)(-[a-z]{3}[0-9]{2})?-v[0-9]+-8khz$",
		    REG_EXTENDED | REG_NOSUB))
		return false;
	const bool is = !regexec(&re, name, 0, NULL, 0);

	regfree(&re);
	return is;
}

/* -- the upgrade --------------------------------------------------------------- */

static unsigned request(struct conn *c, const struct websocket_request *r,
			const char **body)
{
	const bool seed = !strcmp(conn_sim(c)->flavour, "seed");
	const char *customer = r->header(r, "x-customer-id");
	const char *bearer = r->header(r, "Authorization");
	const char *key = r->header(r, "x-api-key");
	const enum key_verdict v = conn_key(c, key);
	bool refuse = v == KEY_WRONG;

	if (strcmp(r->target, "/"))
		conn_violation(c, "target", "the request is for %.64s, not /",
			       r->target);
	if (v == KEY_MISSING)
		conn_violation(c, "key", "no x-api-key header");
	if (bearer && key && (strncasecmp(bearer, "Bearer ", 7) ||
			      strcmp(bearer + 7, key)))
		conn_note(c, "bearer", "Authorization is not \"Bearer\" and "
			  "the key of x-api-key");
	if (seed && !is_uuid(customer)) {
		conn_violation(c, "customer", "%s", customer
			       ? "x-customer-id is no UUID"
			       : "no x-customer-id header");
		refuse = true;
	}
	if (!seed && customer)
		conn_note(c, "customer", "this host needs no x-customer-id");
	refuse |= v == KEY_MISSING;
	if (!conn_sim(c)->expect_key || !refuse)
		return 101;
	*body = "{\"error\":\"Unauthorised\",\"code\":401}";
	return 401;
}

/* -- the config message ------------------------------------------------------------ */

static void check_bool(struct conn *c, const char *name, const json_t *v)
{
	if (!json_is_boolean(v))
		conn_violation(c, "config field", "%s is not true or false",
			       name);
}

static void check_hotwords(struct conn *c, const json_t *v)
{
	const json_t *word;
	size_t i;

	if (!json_is_array(v))
		conn_violation(c, "config field", "hotwords is no array");
	json_array_foreach(v, i, word) {
		const json_t *score = json_object_get(word, "score");

		if (!json_text(word, "phrase"))
			conn_violation(c, "config field",
				       "a hotword has no phrase");
		if (score && !json_is_number(score))
			conn_violation(c, "config field",
				       "a hotword's score is no number");
	}
}

static void check_fields(struct conn *c, json_t *config)
{
	static const char *const switches[] = {
		"parse_number", "aux", "exclude_partial", "at_start_lid",
		"transliterate",
	};
	static const char *const known[] = {
		"sample_rate", "transaction_id", "model", "hotwords",
		"endpoint_silence_duration", "channels",
	};
	const char *name;
	json_t *v;

	json_object_foreach(config, name, v) {
		bool found = false;

		for (size_t i = 0; i < ARRAY_LEN(switches); i++)
			if (!strcmp(name, switches[i])) {
				check_bool(c, name, v);
				found = true;
			}
		for (size_t i = 0; i < ARRAY_LEN(known); i++)
			found |= !strcmp(name, known[i]);
		if (!found)
			conn_note(c, "config field",
				  "%.64s is no field that is documented", name);
	}
	v = json_object_get(config, "channels");
	if (v && json_integer_value(v) != 1)
		conn_violation(c, "channels", "channels is not 1: only mono");
	v = json_object_get(config, "hotwords");
	if (v)
		check_hotwords(c, v);
}

static uint32_t pause_of(struct conn *c, const json_t *config)
{
	const json_t *v = json_object_get(config, "endpoint_silence_duration");

	if (!v)
		return PAUSE_MS;
	if (!json_is_number(v)) {
		conn_violation(c, "config field",
			       "endpoint_silence_duration is no number");
		return PAUSE_MS;
	}
	const double ms = json_number_value(v) * 1000;

	if (!(ms >= PAUSE_MIN_MS && ms <= PAUSE_MAX_MS)) {
		conn_note(c, "config field", "endpoint_silence_duration is "
			  "clamped to 0.44-1.2");
		return ms > PAUSE_MAX_MS ? PAUSE_MAX_MS : PAUSE_MIN_MS;
	}
	return (uint32_t)(ms + 0.5);
}

static uint32_t rate_of(struct conn *c, const json_t *config)
{
	const json_t *v = json_object_get(config, "sample_rate");
	const json_int_t rate = json_integer_value(v);

	if (!json_is_integer(v))
		conn_violation(c, "sample_rate", "sample_rate is missing or no "
			       "integer");
	else if (rate < 8000 || rate > 48000)
		conn_violation(c, "sample_rate", "sample_rate %lld is not "
			       "8000 or more", (long long)rate);
	else
		return (uint32_t)rate;
	return 8000;
}

/* What the pages say brings an in-band 400.  NULL: all well. */
static const char *refusal(const json_t *config)
{
	const char *model = json_text(config, "model");

	if (!json_is_object(config))
		return "the first message must be {\"config\": {...}}";
	if (!is_uuid(json_text(config, "transaction_id")))
		return "transaction_id is missing or no UUID";
	if (!model)
		return "model is missing";
	if (!is_model(model))
		return "the requested model is not available";
	return NULL;
}

static void error(struct conn *c, unsigned code, const char *text, bool other)
{
	if (other)
		conn_send(c, json_pack("{s:s, s:s, s:i, s:s}", "error",
				       "bodhi_error", "message", text, "code",
				       (int)code, "timestamp",
				       "2026-01-02T03:04:05Z"));
	else
		conn_send(c, json_pack("{s:s, s:i}", "error", text, "code",
				       (int)code));
	conn_close(c, 1000);
}

static void read_language(struct state *st, const char *model)
{
	const size_t n = strcspn(model, "-");

	if (n < sizeof(st->language)) {
		memcpy(st->language, model, n);
		st->language[n] = '\0';
	}
	st->confident = strcmp(st->language, "te") &&
			strcmp(st->language, "or") && strcmp(st->language, "en");
}

static void on_config(struct conn *c, json_t *config)
{
	struct state *st = conn_state(c);
	const char *why = refusal(config);

	if (why) {
		conn_violation(c, "config", "%s", why);
		error(c, 400, why, false);
		return;
	}
	st->configured = true;
	conn_config(c, json_incref(config));
	check_fields(c, config);
	read_language(st, json_text(config, "model"));
	st->aux = json_is_true(json_object_get(config, "aux"));
	st->lid = json_is_true(json_object_get(config, "at_start_lid"));
	if (json_is_true(json_object_get(config, "exclude_partial")))
		conn_without_partials(c);
	/* an id of ours for the call, the same in every run */
	const char *id = json_text(config, "transaction_id");

	memcpy(st->id, id, strlen(id) + 1);
	st->id[0] = st->id[0] == 'c' ? 'd' : 'c';
	conn_unique(c, "transaction_id", id);
	st->pause_ms = pause_of(c, config);
	if (conn_audio_known(c))
		conn_violation(c, "order", "audio came before config");
	else
		conn_audio_is(c, ASR_PCM_S16LE, rate_of(c, config),
			      st->pause_ms);
}

/* -- messages -------------------------------------------------------------------------- */

static bool is_eof(struct conn *c, const json_t *v)
{
	if (json_is_string(v) && !strcmp(json_string_value(v), "1"))
		conn_note(c, "eof", "eof is \"1\", not 1");
	else if (!json_is_integer(v) || json_integer_value(v) != 1)
		return false;
	return true;
}

static void on_json(struct conn *c, json_t *msg)
{
	struct state *st = conn_state(c);
	json_t *config = json_object_get(msg, "config");
	const json_t *eof = json_object_get(msg, "eof");

	if (json_object_size(msg) != 1)
		conn_violation(c, "text", "a text message has members beside "
			       "config or eof");
	if (config && st->configured)
		conn_violation(c, "config", "a second config message");
	else if (config || (!st->configured && !eof))
		on_config(c, config);
	else if (is_eof(c, eof)) {
		if (!st->configured)
			conn_violation(c, "order", "eof came before config");
		conn_end_of_audio(c);
	} else
		conn_violation(c, "text", "a text message is neither config "
			       "nor eof");
}

static void text(struct conn *c, const char *text_, size_t len)
{
	const struct state *st = conn_state(c);
	json_t *msg = json_message(text_, len);

	if (msg)
		on_json(c, msg);
	else {
		conn_violation(c, "json", "a text message is no JSON object");
		if (!st->configured)
			error(c, 400, "invalid JSON", false);
	}
	json_decref(msg);
}

static bool binary(struct conn *c, const uint8_t *data, size_t len)
{
	const struct state *st = conn_state(c);

	if (len >= 6 && !memcmp(data, "{\"eof\"", 6))
		conn_violation(c, "eof", "eof came as a binary message: it is "
			       "taken for audio");
	if (!st->configured && !conn_audio_known(c)) {
		conn_violation(c, "order", "audio came before config");
		conn_audio_is(c, ASR_PCM_S16LE, 8000, PAUSE_MS);
	}
	return false;
}

/* -- results ---------------------------------------------------------------------------- */

/* Tokens have the beginning of their word, the last one the segment's end. */
static json_t *meta_of(struct conn *c, const struct sim_result *r)
{
	const struct state *st = conn_state(c);
	json_t *tokens = json_array(), *stamps = json_array();
	json_t *words = json_array();

	for (size_t i = 0; i < r->n_words; i++) {
		const struct filler_word *w = &r->words[i];
		const uint64_t at = i + 1 < r->n_words ? w->first : r->end;
		const char *s = r->text + w->at;

		json_array_append_new(tokens, json_sprintf("\u2581%.*s",
							   (int)w->len, s));
		json_array_append_new(stamps,
				      json_real(conn_seconds(c, at - r->first)));
		if (!r->final)
			continue;
		json_t *word = json_pack("{s:s%, s:f, s:f}", "word", s,
					 (size_t)w->len, "start_time",
					 conn_seconds(c, w->first), "end_time",
					 conn_seconds(c, w->end));

		if (st->confident)
			json_object_set_new(word, "confidence",
					    json_real(r->confidence));
		json_array_append_new(words, word);
	}
	json_t *meta = json_pack("{s:o, s:o, s:f, s:o}", "tokens", tokens,
				 "timestamps", stamps, "start_time",
				 conn_seconds(c, r->first), "words", words);

	if (st->confident && r->final && r->n_words > 0)
		json_object_set_new(meta, "confidence", json_real(r->confidence));
	return meta;
}

static void result(struct conn *c, const struct sim_result *r)
{
	const struct state *st = conn_state(c);
	json_t *msg = json_pack("{s:s, s:I, s:b, s:s, s:s, s:o}", "call_id",
				st->id, "segment_id", (json_int_t)r->number,
				"eos", r->last, "type",
				r->final ? "complete" : "partial", "text",
				r->text, "segment_meta", meta_of(c, r));

	if (st->lid)
		json_object_set_new(msg, "language_code",
				    json_string(st->language));
	if (st->aux)
		json_object_set_new(msg, "aux_info", json_pack("{s:f, s:f, s:f}",
			"request_time", 0.02, "eot_wait_time",
			st->pause_ms / 1000.0, "processed_audio_duration",
			conn_seconds(c, r->end)));
	conn_send(c, msg);
}

const struct dialect dialect_bodhi = {
	.name = "bodhi",
	.flavours = flavours,
	.headers = header_names,
	.state_size = sizeof(struct state),
	.chunk_min_ms = 50, .chunk_max_ms = 500, .chunk_fixed = true,
	.tells_nothing = true,
	.idle_ms = 15000,
	.request = request, .text = text, .binary = binary,
	.result = result, .error = error,
};
