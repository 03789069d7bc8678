/** @file redact.c  Card numbers out of the transcript, before anybody sees it */
#include "daemon/pub/redact.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/buf.h"
#include "daemon/base/hash.h"
#include "daemon/base/list.h"
#include "daemon/base/map.h"
#include "daemon/pub/pan.h"

enum {
	KEPT = 24,                /* finals of a leg: a digit each, and some */
	NEAR = 5 * 8000,          /* between two of them [samples] */
};

/* A final as it came; its strings are ours. */
struct final {
	struct event e;
	struct event_word *words;
	char *text;
	char *told;               /* text as published last */
	uint64_t added;           /* to the revisions that come */
};

struct leg_finals {
	struct list in_redact;
	char id[EVENT_ID];
	uint64_t hash;
	struct final *final[KEPT];/* by where they begin */
	size_t n;
};

struct redact {
	struct event_sink next;
	struct map legs;
	struct list all;          /* the same */
};

/* -- finals kept ------------------------------------------------------------------ */

/* It was somebody's card number. */
static void wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static void final_free(struct final *k)
{
	struct event_segment *s = &k->e.segment;

	for (size_t i = 0; k->words && i < s->n_words; i++)
		wipe((char *)(uintptr_t)k->words[i].text);
	free(k->words);
	free((char *)(uintptr_t)k->e.call);
	free((char *)(uintptr_t)k->e.leg);
	free((char *)(uintptr_t)s->language);
	free((char *)(uintptr_t)s->asr);
	free((char *)(uintptr_t)s->vendor);
	free((char *)(uintptr_t)s->model);
	free((char *)(uintptr_t)s->session);
	free((char *)(uintptr_t)s->vendor_segment);
	wipe(k->text);
	free(k->told);
	free(k);
}

/* In place; NULL stays NULL. */
static bool own(const char **text)
{
	char *mine = *text ? strdup(*text) : NULL;
	const bool good = mine || !*text;

	*text = mine;
	return good;
}

static struct final *final_new(const struct event *e)
{
	struct final *k = calloc(1, sizeof(*k));
	struct event_segment *s;
	bool good = true;

	if (!k)
		return NULL;
	k->e = *e;
	s = &k->e.segment;
	/* all of them, so that final_free() finds nothing borrowed */
	good &= own(&k->e.call);
	good &= own(&k->e.leg);
	good &= own(&s->language);
	good &= own(&s->asr);
	good &= own(&s->vendor);
	good &= own(&s->model);
	good &= own(&s->session);
	good &= own(&s->vendor_segment);
	good &= (k->text = strdup(s->text)) != NULL;
	k->words = calloc(s->n_words + 1, sizeof(*k->words));
	for (size_t i = 0; k->words && i < s->n_words; i++) {
		k->words[i] = s->words[i];
		good &= own(&k->words[i].text);
	}
	s->text = k->text;
	s->words = k->words;
	if (!good || !k->words) {
		final_free(k);
		return NULL;
	}
	return k;
}

static struct final *final_find(const struct leg_finals *l, uint64_t segment)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->final[i]->e.segment.segment == segment)
			return l->final[i];
	return NULL;
}

static void final_drop(struct leg_finals *l, size_t at)
{
	final_free(l->final[at]);
	l->n--;
	memmove(&l->final[at], &l->final[at + 1],
		(l->n - at) * sizeof(*l->final));
}

static void segment_drop(struct leg_finals *l, uint64_t segment)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->final[i]->e.segment.segment == segment) {
			final_drop(l, i);
			return;
		}
}

/* @return where it stands now */
static size_t final_put(struct leg_finals *l, struct final *k)
{
	size_t at;

	segment_drop(l, k->e.segment.segment);
	if (l->n == KEPT)
		final_drop(l, 0);
	for (at = l->n; at > 0 && l->final[at - 1]->e.segment.start >
				  k->e.segment.start; at--)
		l->final[at] = l->final[at - 1];
	l->final[at] = k;
	l->n++;
	return at;
}

static bool is_leg(const void *value, const void *id)
{
	return !strcmp(((const struct leg_finals *)value)->id, id);
}

static struct leg_finals *leg_find(const struct redact *r, const char *id)
{
	return map_find(&r->legs, hash_bytes(id, strlen(id)), is_leg, id);
}

static struct leg_finals *leg_get(struct redact *r, const char *id)
{
	struct leg_finals *l = leg_find(r, id);

	if (l)
		return l;
	l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	strncat(l->id, id, sizeof(l->id) - 1);
	l->hash = hash_bytes(id, strlen(id));
	if (map_put(&r->legs, l->hash, l)) {
		free(l);
		return NULL;
	}
	list_init(&l->in_redact);
	list_add(&r->all, &l->in_redact);
	return l;
}

static void leg_drop(struct redact *r, struct leg_finals *l)
{
	map_remove(&r->legs, l->hash, l);
	list_remove(&l->in_redact);
	while (l->n)
		final_drop(l, 0);
	free(l);
}

/* -- masking ---------------------------------------------------------------------- */

/* Segments that are read as one text. */
struct chain {
	const struct event_segment *segment[KEPT + 1];
	size_t n;
	struct pan_span *in_text, *in_words;
	size_t n_in_text, n_in_words;
};

static int chain_read(struct chain *c)
{
	const char *texts[KEPT + 1];
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		texts[i] = c->segment[i]->text;
		n += c->segment[i]->n_words;
	}
	const char **words = calloc(n + 1, sizeof(*words));
	if (!words)
		return -ENOMEM;
	n = 0;
	for (size_t i = 0; i < c->n; i++)
		for (size_t w = 0; w < c->segment[i]->n_words; w++)
			words[n++] = c->segment[i]->words[w].text;
	int err = pan_find(&c->in_text, &c->n_in_text, texts, c->n);
	if (!err)
		err = pan_find(&c->in_words, &c->n_in_words, words, n);
	free(words);
	return err;
}

static void chain_done(struct chain *c)
{
	free(c->in_text);
	free(c->in_words);
}

/* The i-th, masked. */
struct masked {
	struct buf text;
	struct event_word *words; /* NULL: as they were */
	struct buf *word_texts;
	size_t n_words;
};

static void masked_done(struct masked *m)
{
	for (size_t i = 0; m->word_texts && i < m->n_words; i++)
		buf_free(&m->word_texts[i]);
	free(m->word_texts);
	free(m->words);
	buf_free(&m->text);
}

static int mask(struct masked *m, const struct chain *c, size_t at)
{
	const struct event_segment *s = c->segment[at];
	size_t first = 0;

	for (size_t i = 0; i < at; i++)
		first += c->segment[i]->n_words;
	pan_mask(&m->text, s->text, at, c->in_text, c->n_in_text);
	m->n_words = s->n_words;
	m->words = calloc(s->n_words + 1, sizeof(*m->words));
	m->word_texts = calloc(s->n_words + 1, sizeof(*m->word_texts));
	if (m->text.err || !m->words || !m->word_texts)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_words; i++) {
		m->words[i] = s->words[i];
		pan_mask(&m->word_texts[i], s->words[i].text, first + i,
			 c->in_words, c->n_in_words);
		if (m->word_texts[i].err)
			return -ENOMEM;
		m->words[i].text = buf_str(&m->word_texts[i]);
	}
	return 0;
}

static void tell(const struct redact *r, const struct event *e,
		 const struct masked *m, uint64_t added)
{
	struct event copy = *e;

	copy.segment.text = m ? buf_str(&m->text) : "***";
	copy.segment.words = m ? m->words : NULL;
	copy.segment.n_words = m ? m->n_words : 0;
	copy.segment.rev += added;
	r->next.emit(&copy, r->next.arg);
}

/* -- segments --------------------------------------------------------------------- */

static bool near(const struct event_segment *a, const struct event_segment *b)
{
	return b->start <= a->end || b->start - a->end <= NEAR;
}

/* A final that was published: again, if it reads otherwise now. */
static void tell_again(const struct redact *r, const struct chain *c, size_t at,
		       struct final *k, uint64_t now_us)
{
	struct masked m = {0};

	if (!mask(&m, c, at) && strcmp(buf_str(&m.text), k->told) != 0) {
		char *told = strdup(buf_str(&m.text));

		if (told) {
			free(k->told);
			k->told = told;
		}
		k->added++;
		k->e.now_us = now_us;
		tell(r, &k->e, &m, k->added);
	}
	masked_done(&m);
}

static bool on_final(struct redact *r, struct leg_finals *l,
		     const struct event *e)
{
	struct final *k = final_new(e), *old;
	struct chain c = {0};
	struct masked m = {0};
	size_t from, to;

	if (!k)
		return false;
	old = final_find(l, e->segment.segment);
	k->added = old ? old->added : 0;
	const size_t at = final_put(l, k);

	for (from = at; from > 0 && near(&l->final[from - 1]->e.segment,
					 &l->final[from]->e.segment); from--)
		;
	for (to = at + 1; to < l->n && near(&l->final[to - 1]->e.segment,
					    &l->final[to]->e.segment); to++)
		;
	for (size_t i = from; i < to; i++)
		c.segment[c.n++] = &l->final[i]->e.segment;
	bool good = !chain_read(&c) && !mask(&m, &c, at - from);

	if (good) {
		k->told = strdup(buf_str(&m.text));
		good = k->told != NULL;
	}
	for (size_t i = from; good && i < to; i++)
		if (i != at)
			tell_again(r, &c, i - from, l->final[i], e->now_us);
	if (good)
		tell(r, e, &m, k->added);
	else
		final_drop(l, at);
	masked_done(&m);
	chain_done(&c);
	return good;
}

static bool on_other(const struct redact *r, const struct leg_finals *l,
		     const struct event *e)
{
	const struct final *same = final_find(l, e->segment.segment);
	struct chain c = {0};
	struct masked m = {0};
	size_t from = l->n;

	/* behind the finals in front of it */
	while (from > 0 && near(&l->final[from - 1]->e.segment,
				from < l->n ? &l->final[from]->e.segment
					    : &e->segment))
		from--;
	for (size_t i = from; i < l->n; i++)
		if (l->final[i] != same)
			c.segment[c.n++] = &l->final[i]->e.segment;
	c.segment[c.n++] = &e->segment;
	const bool good = !chain_read(&c) && !mask(&m, &c, c.n - 1);

	if (good)
		tell(r, e, &m, same ? same->added : 0);
	masked_done(&m);
	chain_done(&c);
	return good;
}

static void on_segment(struct redact *r, const struct event *e)
{
	struct leg_finals *l = leg_get(r, e->leg);
	bool good = l != NULL;

	if (good)
		good = e->segment.state == SEGMENT_FINAL ? on_final(r, l, e)
							 : on_other(r, l, e);
	if (!good)
		tell(r, e, NULL, 0);
	if (l && e->segment.state == SEGMENT_RETRACTED)
		segment_drop(l, e->segment.segment);
}

int redact_new(struct redact **out, struct event_sink next)
{
	struct redact *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->next = next;
	list_init(&r->all);
	*out = r;
	return 0;
}

void redact_free(struct redact *r)
{
	if (!r)
		return;
	list_each(&r->all, l)
		leg_drop(r, list_item(l, struct leg_finals, in_redact));
	map_free(&r->legs);
	free(r);
}

void redact_sink(const struct event *e, void *arg)
{
	struct redact *r = arg;
	struct leg_finals *l;

	if (e->type == EVENT_SEGMENT) {
		on_segment(r, e);
		return;
	}
	l = e->type == EVENT_LEG_END ? leg_find(r, e->leg) : NULL;
	if (l)
		leg_drop(r, l);
	r->next.emit(e, r->next.arg);
}
