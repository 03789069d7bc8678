/** @file source.c  Which SSRC speaks on a leg */
#include "daemon/media/source.h"

#include <string.h>

enum {
	STALE_US = 2000000,    /* a first packet this old says nothing now */
};

void source_lock(struct source *s, uint32_t ssrc, uint64_t at_us)
{
	memset(s, 0, sizeof(*s));
	s->locked   = true;
	s->ssrc     = ssrc;
	s->heard_us = at_us;
}

static enum source_verdict accept(struct source *s, uint64_t at_us)
{
	s->heard_us = at_us;
	for (unsigned i = 0; i < SOURCE_CANDIDATES; i++)
		s->candidate[i].alone = false;
	return SOURCE_ACCEPT;
}

static struct source_candidate *find(struct source *s, uint32_t ssrc)
{
	for (unsigned i = 0; i < SOURCE_CANDIDATES; i++) {
		struct source_candidate *c = &s->candidate[i];

		if (c->run && c->ssrc == ssrc)
			return c;
	}
	return NULL;
}

/* A free one, or the one heard longest ago. */
static struct source_candidate *oldest(struct source *s)
{
	struct source_candidate *old = &s->candidate[0];

	for (unsigned i = 0; i < SOURCE_CANDIDATES; i++) {
		struct source_candidate *c = &s->candidate[i];

		if (!c->run)
			return c;
		if (c->at_us < old->at_us)
			old = c;
	}
	return old;
}

enum source_verdict source_feed(struct source *s, uint32_t ssrc, uint16_t seq,
				bool audio, uint64_t at_us)
{
	if (s->locked && ssrc == s->ssrc)
		return accept(s, at_us);
	if (!s->locked) {
		if (!audio)
			return SOURCE_IGNORE;
		source_lock(s, ssrc, at_us);
		return SOURCE_ACCEPT;
	}

	struct source_candidate *c = find(s, ssrc);
	if (!c && !audio)
		return SOURCE_IGNORE;

	const bool follows = c && seq == (uint16_t)(c->seq + 1) &&
			     at_us - c->at_us < STALE_US;
	if (follows) {
		c->seq   = seq;
		c->at_us = at_us;
		c->run   = 2;
		if (!c->alone)
			return SOURCE_OTHER;
		source_lock(s, ssrc, at_us);
		return SOURCE_SWITCH;
	}
	if (!audio)
		return SOURCE_IGNORE;

	*(c ? c : oldest(s)) = (struct source_candidate){
		.ssrc = ssrc, .seq = seq, .run = 1, .alone = true,
		.at_us = at_us,
	};
	return SOURCE_HOLD;
}
