/** @file leg_events.c  A segment of the uplink as an event */
#include "daemon/call/leg_events.h"

#include <stdlib.h>

#include "daemon/base/array.h"

static uint64_t moved(const struct positions *map, int64_t us, bool end,
		      const struct transcript_segment *t)
{
	if (us == TIME_UNKNOWN || !map)
		return EVENT_UNKNOWN;

	const uint64_t at =
		us < 0 ? 0 : ((uint64_t)us * 8000 + 500000) / 1000000;
	const uint64_t pos = end ? positions_end(map, at)
				 : positions_start(map, at);
	return MIN(MAX(pos, t->start), t->end);
}

static void words(struct event_segment *out, const struct uplink_segment *s)
{
	const struct asr_result *r = s->result;
	const size_t n = MIN(r->n_words, (size_t)RESULT_WORDS_MAX);
	struct event_word *w = n ? calloc(n, sizeof(*w)) : NULL;

	if (!w)
		return;
	for (size_t i = 0; i < n; i++)
		w[i] = (struct event_word){
			.text = r->words[i].text,
			.start = moved(s->map, r->words[i].start_us, false,
				       s->segment),
			.end = moved(s->map, r->words[i].end_us, true,
				     s->segment),
			.confidence = r->words[i].confidence,
		};
	out->words = w;
	out->n_words = n;
}

void leg_events_segment(struct event_segment *out,
			const struct uplink_segment *s)
{
	const struct transcript_segment *t = s->segment;
	const struct service *service = s->service;
	const struct asr_settings *set = &service->settings;

	out->segment = t->number;
	out->rev = t->rev;
	out->state = t->state;
	out->start = t->start;
	out->end = t->end;
	out->overlap = t->overlap;
	out->text = s->result ? s->result->text : t->text ? t->text : "";
	out->synthesised = !s->result || s->result->synthesised;
	out->confidence = s->result ? s->result->confidence : -1;
	out->language = s->result ? s->result->language : NULL;
	out->asr = service->config->name;
	out->vendor = service->vendor->name;
	out->model = set->model[0] ? set->model : NULL;
	out->session = s->session;
	out->connection = s->connection;
	out->vendor_segment = t->key;
	if (s->result)
		words(out, s);
}

void leg_events_segment_done(struct event_segment *out)
{
	free((void *)(uintptr_t)out->words);
	out->words = NULL;
}
