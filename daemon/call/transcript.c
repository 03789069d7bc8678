/** @file transcript.c  A leg's segments: numbers, revisions, what was settled */
#include "daemon/call/transcript.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/hash.h"
#include "daemon/base/utf8.h"

struct transcript {
	struct transcript_segment segments[TRANSCRIPT_OPEN];
	uint64_t hash[TRANSCRIPT_OPEN]; /* of a closed segment's text */
	uint64_t touched[TRANSCRIPT_OPEN];
	size_t n;
	uint64_t touches;
	uint64_t numbers;       /* given out so far */
	uint64_t settled;
	uint64_t before;        /* settled by earlier connections */
	uint64_t told;          /* the latest end of a final ... */
	uint64_t told_before;   /* ... of earlier connections */
	struct {
		unsigned connection;
		uint64_t start, end, hash;
	} last;                 /* final with times: services without ids
				   repeat one under another key */
};

int transcript_new(struct transcript **out)
{
	struct transcript *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	*out = t;
	return 0;
}

static void forget(struct transcript *t, size_t i)
{
	free(t->segments[i].text);
	t->n--;
	t->segments[i] = t->segments[t->n];
	t->hash[i] = t->hash[t->n];
	t->touched[i] = t->touched[t->n];
}

void transcript_free(struct transcript *t)
{
	if (!t)
		return;
	while (t->n)
		forget(t, 0);
	free(t);
}

/* The key as kept: one too long is told apart by its hash. */
static void key_of(char out[TRANSCRIPT_KEY], const char *key)
{
	const size_t len = strlen(key);

	if (len < TRANSCRIPT_KEY)
		memcpy(out, key, len + 1);
	else
		snprintf(out, TRANSCRIPT_KEY, "%.*s~%016llx",
			 (int)utf8_cut(key, len, 40), key,
			 (unsigned long long)hash_bytes(key, len));
}

static size_t find(const struct transcript *t, unsigned connection,
		   const char *key)
{
	size_t i = 0;

	while (i < t->n && (t->segments[i].connection != connection ||
			    strcmp(t->segments[i].key, key) != 0))
		i++;
	return i;
}

/* The first to go: the closed one that was silent longest, or, when all are
 * open, the one that is. */
static size_t worst(const struct transcript *t)
{
	size_t worst = 0;

	for (size_t i = 1; i < t->n; i++) {
		const bool open = t->segments[i].state == SEGMENT_PARTIAL;
		const bool held = t->segments[worst].state == SEGMENT_PARTIAL;

		if (open != held ? held : t->touched[i] < t->touched[worst])
			worst = i;
	}
	return worst;
}

static size_t add(struct transcript *t, unsigned connection, const char *key)
{
	if (t->n == TRANSCRIPT_OPEN)
		forget(t, worst(t));

	const size_t i = t->n++;
	t->segments[i] = (struct transcript_segment){
		.connection = connection, .number = ++t->numbers,
	};
	t->hash[i] = 0;
	key_of(t->segments[i].key, key);
	return i;
}

static void settle(struct transcript *t, uint64_t end)
{
	if (end > t->settled)
		t->settled = end;
}

static void keep_text(struct transcript_segment *s, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	free(s->text);
	s->text = copy; /* out of memory: a synthesised final has no text */
}

/* What a result settles.  One without times says nothing of how far the service
 * has heard: what was sent last may still be on its way there. */
static uint64_t reach(const struct asr_result *r, uint64_t end)
{
	if (r->end_us != TIME_UNKNOWN)
		return end;
	return end > TRANSCRIPT_UNTIMED ? end - TRANSCRIPT_UNTIMED : 0;
}

static bool repeats_last(const struct transcript *t, unsigned connection,
			 const struct asr_result *r, uint64_t start,
			 uint64_t end, uint64_t hash)
{
	return r->state == RESULT_FINAL && r->end_us != TIME_UNKNOWN &&
	       start < end && t->last.connection == connection &&
	       t->last.start == start && t->last.end == end &&
	       t->last.hash == hash;
}

const struct transcript_segment *
transcript_result(struct transcript *t, unsigned connection,
		  const struct asr_result *r, uint64_t start, uint64_t end)
{
	char key[TRANSCRIPT_KEY];
	const uint64_t hash = hash_bytes(r->text, strlen(r->text));

	key_of(key, r->key);
	if (r->state == RESULT_FINAL && !r->text[0])
		settle(t, reach(r, end)); /* silence, and done with */
	size_t i = find(t, connection, key);
	if (i == t->n && !r->text[0])
		return NULL;
	if (i == t->n) {
		/* what was settled before is not told twice */
		if (r->state == RESULT_RETRACTED ||
		    (end <= t->before && t->before > 0) ||
		    repeats_last(t, connection, r, start, end, hash))
			return NULL;
		i = add(t, connection, r->key);
	}

	struct transcript_segment *s = &t->segments[i];
	const bool empty = !r->text[0] && r->state != RESULT_RETRACTED;
	if (empty && (r->state == RESULT_PARTIAL || s->state != SEGMENT_PARTIAL))
		return NULL;

	const bool closed = s->rev && s->state != SEGMENT_PARTIAL;
	if (closed && r->state == RESULT_PARTIAL)
		return NULL;
	if (s->state == SEGMENT_RETRACTED && r->state == RESULT_RETRACTED)
		return NULL;
	if (closed && r->state == RESULT_FINAL &&
	    s->state == SEGMENT_FINAL && t->hash[i] == hash &&
	    s->start == start && s->end == end)
		return NULL;

	s->rev++;
	s->state = r->state == RESULT_PARTIAL ? SEGMENT_PARTIAL
		   : r->state == RESULT_FINAL && !empty ? SEGMENT_FINAL
							: SEGMENT_RETRACTED;
	s->start = start;
	s->end = end;
	s->overlap = start < t->told_before;
	t->hash[i] = hash;
	t->touched[i] = ++t->touches;
	keep_text(s, r->state == RESULT_PARTIAL ? r->text : NULL);
	if (s->state == SEGMENT_FINAL) {
		settle(t, reach(r, end));
		t->told = MAX(t->told, end);
		t->last.connection = connection;
		t->last.start = start;
		t->last.end = end;
		t->last.hash = hash;
	}
	return s;
}

const struct transcript_segment *
transcript_crowded(struct transcript *t, unsigned connection, const char *key)
{
	char kept[TRANSCRIPT_KEY];

	key_of(kept, key);
	if (t->n < TRANSCRIPT_OPEN || find(t, connection, kept) < t->n)
		return NULL;

	struct transcript_segment *s = &t->segments[worst(t)];
	if (s->state != SEGMENT_PARTIAL)
		return NULL;
	s->state = SEGMENT_RETRACTED;
	s->rev++;
	return s;
}

/* The oldest one open, or t->n. */
static size_t oldest_open(const struct transcript *t, unsigned connection)
{
	size_t oldest = t->n;

	for (size_t i = 0; i < t->n; i++)
		if (t->segments[i].state == SEGMENT_PARTIAL &&
		    (!connection || t->segments[i].connection == connection) &&
		    (oldest == t->n ||
		     t->segments[i].number < t->segments[oldest].number))
			oldest = i;
	return oldest;
}

bool transcript_open_from(const struct transcript *t, unsigned connection,
			  uint64_t *start)
{
	const size_t i = oldest_open(t, connection);

	if (i == t->n)
		return false;
	*start = t->segments[i].start;
	return true;
}

const struct transcript_segment *transcript_close(struct transcript *t,
						  unsigned connection,
						  enum segment_state state)
{
	const size_t oldest = oldest_open(t, connection);

	if (oldest == t->n)
		return NULL;

	struct transcript_segment *s = &t->segments[oldest];
	s->state = state;
	s->rev++;
	if (state == SEGMENT_FINAL) {
		settle(t, s->end);
		t->told = MAX(t->told, s->end);
	}
	return s;
}

void transcript_reconnect(struct transcript *t)
{
	t->before = t->settled;
	t->told_before = t->told;
}

uint64_t transcript_settled(const struct transcript *t)
{
	return t->settled;
}

uint64_t transcript_told(const struct transcript *t)
{
	return t->told;
}

bool transcript_start(const struct transcript *t, unsigned connection,
		      const char *key, uint64_t *start)
{
	char kept[TRANSCRIPT_KEY];

	key_of(kept, key);
	const size_t i = find(t, connection, kept);
	if (i == t->n)
		return false;
	*start = t->segments[i].start;
	return true;
}
