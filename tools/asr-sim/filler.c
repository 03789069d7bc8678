/** @file filler.c  The text of a segment */
#include "tools/asr-sim/filler.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/hash.h"

static const char *const phrases[] = {
	"hello how can I help you today",
	"good morning thank you for calling",
	"I would like to ask about my account",
	"could you tell me the number please",
	"let me check that for you",
	"one moment please while I look",
	"yes that is correct",
	"no I have not received it yet",
	"I paid the last bill on Monday",
	"the amount on the statement is wrong",
	"when will the payment arrive",
	"it should be there within two days",
	"can you send me a message about it",
	"I will make a note of that",
	"is there anything else I can do",
	"the order was placed last week",
	"they told me to call again",
	"sorry could you repeat that",
	"all right that sounds good",
	"please stay on the line",
	"the line is a little noisy",
	"I have moved to a new address",
	"thank you very much for your help",
	"have a nice day goodbye",
};

static void add_word(struct filler *f, const char *word, size_t len,
		     uint64_t first, uint64_t end)
{
	if (f->text.len > 0)
		buf_puts(&f->text, " ");
	f->words[f->n_words++] = (struct filler_word){
		.at = (uint32_t)f->text.len, .len = (uint32_t)len,
		.first = first, .end = end,
	};
	buf_add(&f->text, word, len);
}

/* The words share the segment's time evenly. */
static void name_samples(struct filler *f, const struct segmenter *s, bool final)
{
	const uint64_t length = s->position - s->first;
	const unsigned n = final ? 4 : 2;
	char parts[4][48];

	snprintf(parts[0], sizeof(parts[0]), "pcm%" PRIu32, s->rate_hz);
	snprintf(parts[1], sizeof(parts[1]), "%" PRIu64 "-%" PRIu64, s->first,
		 s->position - 1);
	snprintf(parts[2], sizeof(parts[2]), "crc32");
	snprintf(parts[3], sizeof(parts[3]), "%08" PRIx32, s->crc);
	for (unsigned i = 0; i < n; i++)
		add_word(f, parts[i], strlen(parts[i]),
			 s->first + length * i / n,
			 s->first + length * (i + 1) / n);
}

static void make_up(struct filler *f, const struct segmenter *s, size_t most)
{
	const size_t n = MIN(most, (size_t)(s->loud + SEGMENTER_WORD - 1) /
					   SEGMENTER_WORD);
	uint64_t chance = s->seed;
	const char *at = "";

	while (f->n_words < n) {
		const uint64_t first = s->marks[f->n_words];
		const bool last = s->loud <= (f->n_words + 1) * SEGMENTER_WORD;

		if (!*at) {
			chance = hash_mix(chance, ARRAY_LEN(phrases));
			at = phrases[chance % ARRAY_LEN(phrases)];
		}
		const size_t len = strcspn(at, " ");

		add_word(f, at, len, first,
			 last ? s->loud_end : s->marks[f->n_words + 1]);
		at += len + (at[len] == ' ');
	}
}

void filler_write(struct filler *f, const struct segmenter *s, unsigned words,
		  bool final)
{
	buf_clear(&f->text);
	f->n_words = 0;
	if (s->position == s->first)
		return;
	if (words == 0)
		name_samples(f, s, final);
	else
		make_up(f, s, words);
}

void filler_fini(struct filler *f)
{
	buf_free(&f->text);
}
