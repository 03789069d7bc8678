/** @file recall.c  A line of the journal -> an event, as far as it matters */
#include "daemon/pub/recall.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "daemon/base/array.h"
#include "daemon/base/number.h"
#include "daemon/pub/line.h"

enum { SPANS = 64, SAMPLES_PER_MS = 8 };

static uint64_t samples(const json_t *ms)
{
	const json_int_t v = json_integer_value(ms);

	return json_is_integer(ms) && v >= 0 && v < INT64_MAX / SAMPLES_PER_MS
	       ? (uint64_t)v * SAMPLES_PER_MS : EVENT_UNKNOWN;
}

static uint64_t at(const json_t *o, const char *key)
{
	return samples(json_object_get(o, key));
}

static const char *text(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

/* "2026-01-02T03:04:05.678901Z" -> since the Unix epoch [us] */
static uint64_t wall(const char *t)
{
	static const struct { uint8_t at, len; } part[] = {
		{ 0, 4 }, { 5, 2 }, { 8, 2 }, { 11, 2 }, { 14, 2 }, { 17, 2 },
		{ 20, 6 } };
	uint64_t v[ARRAY_LEN(part)];

	if (!t || strlen(t) != 27)
		return EVENT_UNKNOWN;
	for (size_t i = 0; i < ARRAY_LEN(part); i++)
		if (number_parse(&v[i], t + part[i].at, part[i].len, 999999))
			return EVENT_UNKNOWN;
	struct tm tm = { .tm_year = (int)v[0] - 1900, .tm_mon = (int)v[1] - 1,
			 .tm_mday = (int)v[2], .tm_hour = (int)v[3],
			 .tm_min = (int)v[4], .tm_sec = (int)v[5] };
	const time_t s = timegm(&tm);

	return s < 0 ? EVENT_UNKNOWN : (uint64_t)s * 1000000 + v[6];
}

static int type_of(const json_t *o, enum event_type *out)
{
	const char *name = text(o, "type");

	for (int t = 0; name && t < EVENT_DAEMON; t++)
		if (!strcmp(name, line_type_name((enum event_type)t))) {
			*out = (enum event_type)t;
			return 0;
		}
	return -EBADMSG;
}

static enum role role_of(const json_t *o)
{
	const char *name = text(o, "role");

	for (int r = ROLE_CALLER; name && r <= ROLE_MIXED; r++)
		if (!strcmp(name, role_name((enum role)r)))
			return (enum role)r;
	return ROLE_UNKNOWN;
}

static void gap(struct event *e, const json_t *o,
		struct event_span span[SPANS])
{
	const json_t *spans = json_object_get(o, "spans"), *one;
	size_t i;

	e->gap.start = at(o, "start_ms");
	e->gap.end = at(o, "end_ms");
	e->gap.cause = text(o, "cause");
	if (!e->gap.cause || e->gap.end == EVENT_UNKNOWN ||
	    e->gap.start == EVENT_UNKNOWN) {
		e->gap.start = e->gap.end = 0;
		e->gap.cause = "rtp_loss";
	}
	if (json_array_size(spans) > SPANS || json_object_get(o, "spans_omitted"))
		return; /* too many: as if it were one hole */
	json_array_foreach(spans, i, one) {
		span[i].start = samples(json_array_get(one, 0));
		span[i].end = samples(json_array_get(one, 1));
		if (span[i].start == EVENT_UNKNOWN ||
		    span[i].end == EVENT_UNKNOWN ||
		    span[i].end < span[i].start)
			return;
	}
	e->gap.spans = span;
	e->gap.n_spans = json_array_size(spans);
}

static void fields(struct event *e, const json_t *o,
		   struct event_span span[SPANS])
{
	const char *state = text(o, "state");

	switch (e->type) {
	case EVENT_LEG_START:
	case EVENT_LEG_UPDATE:
		e->leg_start.asr = text(o, "asr");
		break;
	case EVENT_LEG_MEDIA:
		e->leg_media.at_us = wall(text(o, "at"));
		break;
	case EVENT_SEGMENT:
		e->segment.state = state && !strcmp(state, "final")
				   ? SEGMENT_FINAL : SEGMENT_RETRACTED;
		e->segment.end = at(o, "end_ms");
		break;
	case EVENT_GAP:
		gap(e, o, span);
		break;
	case EVENT_DISCONTINUITY:
		e->discontinuity.at = at(o, "at_ms");
		break;
	case EVENT_DTMF:
		e->dtmf.at = at(o, "at_ms");
		break;
	case EVENT_PAUSE:
	case EVENT_RESUME:
		e->pause.at = at(o, "at_ms");
		break;
	default:
		break;
	}
}

static bool is_id(const char *name)
{
	return name && *name && strlen(name) < EVENT_ID;
}

int recall_line(const char *line, size_t len, uint64_t at_us,
		void (*tell)(const struct event *e, void *arg), void *arg)
{
	struct event_span span[SPANS];
	struct event e = { .now_us = at_us };
	json_error_t why;
	json_t *o = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);

	if (!o)
		return json_error_code(&why) == json_error_out_of_memory
		       ? -ENOMEM : -EBADMSG;
	if (json_is_object(o) && !type_of(o, &e.type)) {
		e.call = text(o, "call");
		e.leg = text(o, "leg");
		e.role = role_of(o);
		fields(&e, o, span);
		if (is_id(e.call) && (!e.leg || is_id(e.leg)))
			tell(&e, arg);
	}
	json_decref(o);
	return 0;
}
