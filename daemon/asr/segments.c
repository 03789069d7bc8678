/** @file segments.c  Segments that a service overwrites by their numbers */
#include "daemon/asr/segments.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/asr/keep.h"
#include "daemon/asr/reply.h"
#include "daemon/base/array.h"

static struct segment *find(struct segments *s, int64_t id)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->all[i].id == id)
			return &s->all[i];
	return NULL;
}

static void drop(struct segments *s, size_t i)
{
	free(s->all[i].kept);
	s->n--;
	memmove(&s->all[i], &s->all[i + 1],
		(s->n - i) * sizeof(s->all[0]));
}

static void tell(struct segment *g, struct asr_result *r,
		 enum result_state state, const struct asr_sink *sink)
{
	r->state = state;
	r->key = g->key;
	sink->result(r, sink->arg);
}

static void set_standing(struct segment *g, enum segment_standing standing)
{
	free(g->kept);
	g->kept = NULL;
	g->standing = standing;
}

/* Close an open one in the service's place, as it was said last. */
static void close_open(struct segment *g, const struct asr_sink *sink)
{
	if (g->standing != SEGMENT_IS_OPEN || !g->kept)
		return;
	g->kept->synthesised = true;
	tell(g, g->kept, RESULT_FINAL, sink);
	set_standing(g, SEGMENT_IS_CLOSED);
}

static void retract(struct segments *s, struct segment *g,
		    const struct asr_sink *sink)
{
	struct asr_result r = {
		.text = "", .start_us = TIME_UNKNOWN, .end_us = TIME_UNKNOWN,
		.confidence = -1,
	};

	tell(g, &r, RESULT_RETRACTED, sink);
	s->retracted = MAX(s->retracted, g->id + 1);
	s->retractions++;
	drop(s, (size_t)(g - s->all));
}

/* Room for one more open one: the oldest of too many is closed. */
static void limit_open(struct segments *s, const struct asr_sink *sink)
{
	struct segment *oldest = NULL;
	size_t open = 0;

	for (size_t i = s->n; i > 0; i--)
		if (s->all[i - 1].kept) {
			oldest = &s->all[i - 1];
			open++;
		}
	if (open >= SEGMENTS_OPEN)
		close_open(oldest, sink);
}

/* NULL: too old to be changed any more. */
static struct segment *add(struct segments *s, int64_t id,
			   const struct asr_sink *sink)
{
	size_t at = 0;

	if (id < s->forgotten || id == INT64_MAX)
		return NULL;
	if (s->n == SEGMENTS_KNOWN) {
		s->forgotten = s->all[0].id + 1;
		close_open(&s->all[0], sink);
		drop(s, 0);
		if (id < s->forgotten)
			return NULL;
	}
	while (at < s->n && s->all[at].id < id)
		at++;
	struct segment *g = &s->all[at];

	memmove(g + 1, g, (s->n - at) * sizeof(*g));
	s->n++;
	*g = (struct segment){ .id = id };
	if (id < s->retracted)
		snprintf(g->key, sizeof(g->key), "%" PRId64 ".%u", id,
			 s->retractions);
	else
		snprintf(g->key, sizeof(g->key), "%" PRId64, id);
	return g;
}

void segments_said(struct segments *s, int64_t id, struct segment_said *said,
		   uint64_t now_us, const struct asr_sink *sink)
{
	struct segment *g = find(s, id);
	struct asr_result *r = &said->r;
	const uint64_t text = reply_mark(r->text);
	const bool same = g && g->text == text;

	if (!*r->text) {
		if (g)
			retract(s, g, sink);
		return;
	}
	if (!g)
		g = add(s, id, sink);
	if (!g || (same && (g->standing == SEGMENT_IS_FINAL ||
			    (g->standing == SEGMENT_IS_CLOSED && !said->final))))
		return;
	g->text = text;
	g->judged = said->judged;
	if (said->final) {
		tell(g, r, RESULT_FINAL, sink);
		set_standing(g, SEGMENT_IS_FINAL);
		return;
	}
	if (!same)
		g->changed_us = now_us;
	g->quiet |= g->standing != SEGMENT_IS_OPEN;
	if (!same && !g->quiet)
		tell(g, r, RESULT_PARTIAL, sink);
	set_standing(g, SEGMENT_IS_OPEN);
	limit_open(s, sink);
	r->key = g->key;
	g->kept = keep_result(r);
}

void segments_shrink(struct segments *s, int64_t highest,
		     const struct asr_sink *sink)
{
	for (size_t i = s->n; i > 0 && s->all[i - 1].id > highest; i--)
		if (s->all[i - 1].standing != SEGMENT_IS_FINAL)
			retract(s, &s->all[i - 1], sink);
}

void segments_close_passed(struct segments *s, int64_t highest,
			   const struct asr_sink *sink)
{
	int64_t final = -1;

	for (size_t i = 0; i < s->n; i++) {
		highest = MAX(highest, s->all[i].id);
		if (s->all[i].standing == SEGMENT_IS_FINAL)
			final = s->all[i].id;
	}
	for (size_t i = 0; i < s->n; i++) {
		struct segment *g = &s->all[i];

		if (g->id < final || (!g->judged && g->id < highest))
			close_open(g, sink);
	}
}

void segments_close_all(struct segments *s, const struct asr_sink *sink)
{
	for (size_t i = 0; i < s->n; i++)
		close_open(&s->all[i], sink);
}

void segments_close_unchanged(struct segments *s, uint64_t now_us,
			      uint64_t patience_us, const struct asr_sink *sink)
{
	for (size_t i = 0; i < s->n; i++) {
		struct segment *g = &s->all[i];

		if (!g->judged && now_us >= g->changed_us + patience_us)
			close_open(g, sink);
	}
}

void segments_free(struct segments *s)
{
	while (s->n > 0)
		drop(s, s->n - 1);
}
