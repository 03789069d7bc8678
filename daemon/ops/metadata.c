/** @file metadata.c  What FreeSWITCH's audio websockets say in text */
#include "daemon/ops/metadata.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/number.h"
#include "daemon/base/utf8.h"

static const char id_characters[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

static bool is_id(const char *text, size_t room)
{
	const size_t n = strspn(text, id_characters);

	return n > 0 && n < room && !text[n];
}

/* A text of sensible length without a NUL in it, or NULL. */
static const char *text_of(const json_t *v)
{
	const char *text = json_string_value(v);
	const size_t len = json_string_length(v);

	return text && len && len < METADATA_TEXT && strlen(text) == len ? text
									 : NULL;
}

/* -- members that are understood ------------------------------------------------ */

static void take_call(struct metadata *m, const json_t *v)
{
	const char *text = text_of(v);

	if (text && !*m->call && is_id(text, sizeof(m->call)))
		memcpy(m->call, text, strlen(text) + 1);
}

static void take_from(struct metadata *m, const json_t *v)
{
	m->from = text_of(v);
}

static void take_to(struct metadata *m, const json_t *v)
{
	m->to = text_of(v);
}

static void take_sip_call_id(struct metadata *m, const json_t *v)
{
	m->sip_call_id = text_of(v);
}

static void take_language(struct metadata *m, const json_t *v)
{
	m->language = text_of(v);
}

static void take_role(struct metadata *m, const json_t *v)
{
	const char *text = text_of(v);

	for (int r = ROLE_UNKNOWN; text && r <= ROLE_MIXED; r++)
		if (!strcmp(text, role_name((enum role)r))) {
			m->role = (enum role)r;
			m->has_role = true;
		}
}

static void take_rate(struct metadata *m, const json_t *v)
{
	const char *text = text_of(v);
	const size_t digits = text ? strspn(text, "0123456789") : 0;
	uint64_t rate;

	if (json_is_integer(v) && json_integer_value(v) > 0 &&
	    json_integer_value(v) < 1000000)
		m->rate = (unsigned)json_integer_value(v);
	if (!digits || number_parse(&rate, text, digits, 999999) || !rate)
		return;
	if (!text[digits])
		m->rate = (unsigned)rate;
	else if (!strcmp(text + digits, "k") && rate < 1000)
		m->rate = (unsigned)rate * 1000;
}

static void take_mix(struct metadata *m, const json_t *v)
{
	static const char *const names[] = {
		[MIX_MONO] = "mono", [MIX_MIXED] = "mixed",
		[MIX_STEREO] = "stereo",
	};
	const char *text = text_of(v);

	for (size_t i = MIX_MONO; text && i < ARRAY_LEN(names); i++)
		if (!strcmp(text, names[i]))
			m->mix = (enum metadata_mix)i;
}

static void take_channels(struct metadata *m, const json_t *v)
{
	if (m->mix == MIX_UNKNOWN && json_is_integer(v))
		m->mix = json_integer_value(v) == 1   ? MIX_MONO
			 : json_integer_value(v) == 2 ? MIX_STEREO
						      : MIX_UNKNOWN;
}

/* In the order of what holds when several are there. */
static const struct {
	const char *name;
	void (*take)(struct metadata *m, const json_t *v);
} members[] = {
	{ "call", take_call }, { "callSid", take_call }, { "uuid", take_call },
	{ "from", take_from }, { "to", take_to },
	{ "callId", take_sip_call_id }, { "sip_call_id", take_sip_call_id },
	{ "role", take_role }, { "language", take_language },
	{ "sampleRate", take_rate }, { "sample_rate", take_rate },
	{ "mixType", take_mix }, { "mix", take_mix },
	{ "channels", take_channels },
};

static bool is_known(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (!strcmp(members[i].name, name))
			return true;
	return false;
}

/* -- all others --------------------------------------------------------------------- */

static void take_id(struct metadata *m, const char *name, const json_t *v)
{
	const char *text = text_of(v);
	char *number = m->numbers[m->n_ids];

	if (json_is_integer(v)) {
		snprintf(number, sizeof(m->numbers[0]),
			 "%" JSON_INTEGER_FORMAT, json_integer_value(v));
		text = number;
	}
	if (text && is_id(name, EVENT_ID))
		m->ids[m->n_ids++] = (struct event_id){ name, text };
}

static void take_object(struct metadata *m, json_t *o)
{
	const char *name;
	json_t *v;

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		v = json_object_get(o, members[i].name);
		if (v)
			members[i].take(m, v);
	}
	json_object_foreach(o, name, v)
		if (!is_known(name) && m->n_ids < METADATA_IDS)
			take_id(m, name, v);
}

static void take_text(struct metadata *m, const char *text, size_t len)
{
	len = utf8_cut(text, len, sizeof(m->text) - 1);
	memcpy(m->text, text, len);
	if (strlen(m->text) == len && len)
		m->ids[m->n_ids++] = (struct event_id){ "metadata", m->text };
}

static json_t *object_of(const char *text, size_t len)
{
	json_error_t why;
	json_t *o = len <= METADATA_MAX
			    ? json_loadb(text, len, JSON_ALLOW_NUL, &why)
			    : NULL;

	if (!json_is_object(o)) {
		json_decref(o);
		return NULL;
	}
	return o;
}

void metadata_parse(struct metadata *out, const char *text, size_t len)
{
	*out = (struct metadata){0};
	out->json = object_of(text, len);
	if (out->json)
		take_object(out, out->json);
	else
		take_text(out, text, len);
}

void metadata_free(struct metadata *m)
{
	json_decref(m->json);
	*m = (struct metadata){0};
}

char metadata_digit(const char *text, size_t len)
{
	json_t *o = object_of(text, len);
	const char *event = json_string_value(json_object_get(o, "event"));
	const char *digit = json_string_value(json_object_get(o, "dtmf"));
	const char c = event && !strcmp(event, "dtmf") && digit && *digit &&
				       !digit[1] ? *digit : 0;

	json_decref(o);
	return c;
}
