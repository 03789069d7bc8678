/**
 * @file fuzz_metadata.c  What FreeSWITCH's websockets say in text
 *
 * Input: one message, daemon/ops/metadata.c.  jansson is not instrumented, so a
 * mutator of our own changes members and values.
 */
#include <jansson.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/must.h"
#include "daemon/ops/metadata.h"
#include "tests/fuzz/fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed);

static void check_text(const char *text)
{
	must(!text || (*text && strnlen(text, METADATA_TEXT) < METADATA_TEXT));
}

static void check(const struct metadata *m)
{
	must(strnlen(m->call, METADATA_CALL) < METADATA_CALL);
	must(!strpbrk(m->call, " /\"\n%"));
	check_text(m->from);
	check_text(m->to);
	check_text(m->sip_call_id);
	check_text(m->language);
	must(m->role <= ROLE_MIXED && m->mix <= MIX_STEREO);
	must(m->rate < 1000000 && m->n_ids <= METADATA_IDS);
	for (size_t i = 0; i < m->n_ids; i++) {
		must(*m->ids[i].name &&
		     strnlen(m->ids[i].name, EVENT_ID) < EVENT_ID);
		must(m->ids[i].value);
		check_text(m->ids[i].value);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct metadata m;

	metadata_parse(&m, (const char *)data, len);
	check(&m);
	fuzz_count_input(m.json != NULL);
	metadata_free(&m);
	(void)metadata_digit((const char *)data, len);
	return 0;
}

/* -- the mutator: members and values, not bytes ---------------------------- */

static unsigned chance;

static unsigned roll(size_t n)
{
	chance = chance * 1664525u + 1013904223u;
	return (unsigned)((chance >> 8) % n);
}

static json_t *text(void)
{
	static const char *const texts[] = {
		"", "c1", "a b", "caller", "mixed", "stereo", "8k", "16k",
		"999k", "1000k", "8000", "00008000", "-1", "9@h", "dtmf", "5",
		"%s%n", "\n", "\x7f", "\xe0\xa4\x95\xe0\xa4\x95",
	};
	static const size_t sizes[] = { 46, 47, 48, 64, 65, 254, 255, 256 };
	char room[257];

	if (roll(6))
		return json_string(texts[roll(ARRAY_LEN(texts))]);
	const size_t n = sizes[roll(ARRAY_LEN(sizes))];
	memset(room, 'a' + (int)roll(26), n);
	room[roll(n)] = roll(9) ? 'x' : 0;
	return json_stringn(room, n);
}

static json_t *value(void)
{
	static const json_int_t ints[] = { 0, 1, 2, 3, -1, 8000, 999999,
					   1000000, INT64_MAX, INT64_MIN };
	json_t *o;

	switch (roll(8)) {
	case 0: return json_boolean(roll(2));
	case 1: return json_integer(ints[roll(ARRAY_LEN(ints))]);
	case 2: return roll(2) ? json_real(8000.0) : json_null();
	case 3:
		o = json_array();
		json_array_append_new(o, text());
		return o;
	}
	return text();
}

static void change(json_t *o)
{
	static const char *const keys[] = {
		"call", "callSid", "uuid", "from", "to", "sip_call_id",
		"callId", "role", "language", "sampleRate", "sample_rate",
		"mixType", "mix", "channels", "event", "dtmf", "x",
	};
	const char *key = keys[roll(ARRAY_LEN(keys))];
	char name[80];

	if (!roll(5)) {
		json_object_del(o, key);
	} else if (roll(8)) {
		json_object_set_new(o, key, value());
	} else {
		for (unsigned n = roll(50); n > 0; n--) {
			snprintf(name, sizeof(name), "%0*u", (int)roll(70) + 1,
				 n);
			json_object_set_new(o, name, value());
		}
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed)
{
	json_t *o = json_loadb((const char *)data, size, JSON_ALLOW_NUL, NULL);

	chance = seed;
	if (!json_is_object(o) || !roll(20)) {
		json_decref(o);
		return LLVMFuzzerMutate(data, size, max);
	}
	for (unsigned n = 1 + roll(3); n > 0; n--)
		change(o);
	const size_t n = json_dumpb(o, (char *)data, max, JSON_COMPACT);
	json_decref(o);
	return n <= max && n ? n : LLVMFuzzerMutate(data, size, max);
}
