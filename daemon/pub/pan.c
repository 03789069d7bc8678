/** @file pan.c  Payment card numbers in transcribed speech */
#include "daemon/pub/pan.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/array.h"

enum {
	PAN_MIN = 13, PAN_MAX = 19, /* ISO/IEC 7812-1, as issued */
	TOKEN_DIGITS = 3,           /* "quadruple": the fourth is its digit's */
	APART_MAX = 6,              /* bytes between two groups */
	HESITATIONS = 2,
	WORD_MAX = 10,
};

/* What is said in one go: a written digit or a word. */
struct token {
	size_t part, from, to;
	unsigned n;               /* digits */
	uint8_t digit[TOKEN_DIGITS];
	bool group;               /* something lay in front of it */
};

enum word_kind { WORD_DIGIT, WORD_TEEN, WORD_TENS, WORD_REPEAT, WORD_HESITATION,
		 WORD_OTHER };

static const struct word {
	const char *text;
	enum word_kind kind;
	uint8_t value;
} words[] = {
	{ "zero", WORD_DIGIT, 0 },     { "oh", WORD_DIGIT, 0 },
	{ "o", WORD_DIGIT, 0 },	       { "nought", WORD_DIGIT, 0 },
	{ "naught", WORD_DIGIT, 0 },   { "one", WORD_DIGIT, 1 },
	{ "two", WORD_DIGIT, 2 },      { "three", WORD_DIGIT, 3 },
	{ "four", WORD_DIGIT, 4 },     { "five", WORD_DIGIT, 5 },
	{ "six", WORD_DIGIT, 6 },      { "seven", WORD_DIGIT, 7 },
	{ "eight", WORD_DIGIT, 8 },    { "nine", WORD_DIGIT, 9 },
	{ "niner", WORD_DIGIT, 9 },    { "ten", WORD_TEEN, 0 },
	{ "eleven", WORD_TEEN, 1 },    { "twelve", WORD_TEEN, 2 },
	{ "thirteen", WORD_TEEN, 3 },  { "fourteen", WORD_TEEN, 4 },
	{ "fifteen", WORD_TEEN, 5 },   { "sixteen", WORD_TEEN, 6 },
	{ "seventeen", WORD_TEEN, 7 }, { "eighteen", WORD_TEEN, 8 },
	{ "nineteen", WORD_TEEN, 9 },  { "twenty", WORD_TENS, 2 },
	{ "thirty", WORD_TENS, 3 },    { "forty", WORD_TENS, 4 },
	{ "fourty", WORD_TENS, 4 },    { "fifty", WORD_TENS, 5 },
	{ "sixty", WORD_TENS, 6 },     { "seventy", WORD_TENS, 7 },
	{ "eighty", WORD_TENS, 8 },    { "ninety", WORD_TENS, 9 },
	{ "double", WORD_REPEAT, 2 },  { "triple", WORD_REPEAT, 3 },
	{ "treble", WORD_REPEAT, 3 },  { "quadruple", WORD_REPEAT, 4 },
	{ "uh", WORD_HESITATION, 0 },  { "um", WORD_HESITATION, 0 },
	{ "er", WORD_HESITATION, 0 },  { "erm", WORD_HESITATION, 0 },
	{ "hmm", WORD_HESITATION, 0 }, { "dash", WORD_HESITATION, 0 },
	{ "hyphen", WORD_HESITATION, 0 }, { "then", WORD_HESITATION, 0 },
};

struct finder {
	struct token *tokens;     /* of the run so far */
	size_t n_tokens, room;
	struct pan_span *spans;
	size_t n_spans, spans_room;
	size_t apart;             /* bytes since the last token */
	unsigned hesitations;
	uint8_t tens;             /* a unit may follow; 0: not */
	uint8_t repeat;           /* a digit must follow; 0: not */
	bool plus;                /* stood in front of the run */
	int err;
};

static void *more(void *items, size_t *room, size_t n, size_t size)
{
	if (n < *room)
		return items;
	const size_t twice = *room ? *room * 2 : 32;
	void *bigger = realloc(items, twice * size);

	if (bigger)
		*room = twice;
	return bigger;
}

/* -- judging a run -------------------------------------------------------------- */

/* Annex B: from the right, every second digit doubled, crosswise. */
static bool check_digit_is_right(const uint8_t *digits, size_t n)
{
	unsigned sum = 0;
	bool same = true;

	for (size_t i = 0; i < n; i++) {
		const unsigned d = digits[n - 1 - i] << (i % 2);

		sum += d > 9 ? d - 9 : d;
		same &= digits[i] == digits[0];
	}
	return sum % 10 == 0 && !same;
}

/* Prefixes that the brands have published, and how long their numbers are. */
static const struct brand {
	unsigned first, last;     /* of the first four digits */
	unsigned lengths;         /* bit n: n digits */
} brands[] = {
	{ 4000, 4999, 1u << 13 | 1u << 16 | 1u << 19 },          /* Visa */
	{ 2221, 2720, 1u << 16 }, { 5100, 5599, 1u << 16 },      /* Mastercard */
	{ 3400, 3499, 1u << 15 }, { 3700, 3799, 1u << 15 },      /* Amex */
	{ 3000, 3059, 1u << 14 }, { 3095, 3095, 1u << 14 },      /* Diners */
	{ 3600, 3699, 1u << 14 }, { 3800, 3999, 1u << 14 },
	{ 3528, 3589, 1u << 16 },                                /* JCB */
	{ 6011, 6011, 1u << 16 | 1u << 19 },                     /* Discover */
	{ 6440, 6599, 1u << 16 | 1u << 19 },
	{ 6200, 6299, 0xfu << 16 },                              /* UnionPay */
	{ 6521, 6522, 1u << 16 }, { 5080, 5089, 1u << 16 },      /* RuPay */
	{ 8100, 8299, 1u << 16 }, { 6000, 6099, 1u << 16 },
	{ 5000, 5099, 0x7fu << 13 }, { 5600, 5899, 0x7fu << 13 },/* Maestro */
	{ 6300, 6399, 0x7fu << 13 }, { 6700, 6799, 0x7fu << 13 },
};

static bool a_brand_has(const uint8_t *digits, size_t n)
{
	const unsigned prefix = digits[0] * 1000u + digits[1] * 100u +
				digits[2] * 10u + digits[3];

	for (size_t i = 0; i < ARRAY_LEN(brands); i++)
		if (prefix >= brands[i].first && prefix <= brands[i].last &&
		    brands[i].lengths >> n & 1)
			return true;
	return false;
}

static void add_span(struct finder *f, const struct token *t)
{
	struct pan_span *last = f->n_spans ? &f->spans[f->n_spans - 1] : NULL;

	if (last && last->part == t->part && last->to == t->from) {
		last->to = t->to;
		last->digits += t->n;
		return;
	}
	struct pan_span *spans = more(f->spans, &f->spans_room, f->n_spans,
				      sizeof(*spans));
	if (!spans) {
		f->err = -ENOMEM;
		return;
	}
	f->spans = spans;
	f->spans[f->n_spans++] = (struct pan_span){ t->part, t->from, t->to,
						    t->n };
}

/* The longest card number that begins with token `first`: how many tokens it
 * is, or 0. */
static size_t card_at(const struct finder *f, size_t first, bool whole)
{
	uint8_t digits[PAN_MAX + TOKEN_DIGITS];
	size_t n = 0, found = 0;

	for (size_t i = first; i < f->n_tokens; i++) {
		const struct token *t = &f->tokens[i];

		for (unsigned d = 0; d < t->n; d++)
			digits[n++] = t->digit[d];
		if (n > PAN_MAX)
			break;
		const bool ends = i + 1 == f->n_tokens ||
				  (!whole && f->tokens[i + 1].group);
		if (n >= PAN_MIN && ends && check_digit_is_right(digits, n) &&
		    (whole || a_brand_has(digits, n)))
			found = i + 1 - first;
	}
	return found;
}

static void judge(struct finder *f)
{
	if (!f->plus && card_at(f, 0, true)) {
		for (size_t i = 0; i < f->n_tokens; i++)
			add_span(f, &f->tokens[i]);
		return;
	}
	for (size_t i = 0; i < f->n_tokens && !f->plus; i++) {
		size_t n = f->tokens[i].group ? card_at(f, i, false) : 0;

		if (!n)
			continue;
		for (; n > 0; n--)
			add_span(f, &f->tokens[i++]);
		i--;
	}
}

/* -- making a run --------------------------------------------------------------- */

/* A ten without its unit was a whole one. */
static void settle_tens(struct finder *f)
{
	if (f->tens)
		f->tokens[f->n_tokens - 1].digit[f->tokens[f->n_tokens - 1].n++] = 0;
	f->tens = 0;
}

static void run_ends(struct finder *f)
{
	settle_tens(f);
	if (f->repeat) /* "double" of nothing */
		f->n_tokens--;
	f->repeat = 0;
	judge(f);
	f->n_tokens = 0;
	f->plus = false;
	f->hesitations = 0;
}

static struct token *add_token(struct finder *f, size_t part, size_t from,
			       size_t to)
{
	struct token *tokens = more(f->tokens, &f->room, f->n_tokens,
				    sizeof(*tokens));

	if (!tokens) {
		f->err = -ENOMEM;
		return NULL;
	}
	f->tokens = tokens;
	struct token *t = &f->tokens[f->n_tokens];
	*t = (struct token){ .part = part, .from = from, .to = to,
			     .group = !f->n_tokens || f->apart };
	f->n_tokens++;
	f->apart = 0;
	f->hesitations = 0;
	return t;
}

static void add_digit(struct finder *f, size_t part, size_t from, size_t to,
		      uint8_t value)
{
	const bool unit = f->tens && value && f->apart;

	if (f->tens && !unit)
		settle_tens(f);
	struct token *t = add_token(f, part, from, to);
	if (!t)
		return;
	t->digit[t->n++] = value;
	if (f->repeat) {
		struct token *said = &f->tokens[f->n_tokens - 2];

		while (said->n + 1u < f->repeat)
			said->digit[said->n++] = value;
		t->group = false;
	}
	if (unit)
		t->group = false;
	f->repeat = 0;
	f->tens = 0;
}

static const struct word *word_find(const char *text, size_t len)
{
	static const struct word other = { "", WORD_OTHER, 0 };

	for (size_t i = 0; len <= WORD_MAX && i < ARRAY_LEN(words); i++)
		if (strlen(words[i].text) == len &&
		    !strncasecmp(words[i].text, text, len))
			return &words[i];
	return &other;
}

static void take_word(struct finder *f, size_t part, const char *text,
		      size_t from, size_t to)
{
	const struct word *w = word_find(text + from, to - from);
	struct token *t;

	if (w->kind != WORD_DIGIT && w->kind != WORD_HESITATION) {
		settle_tens(f);
		if (f->repeat || w->kind == WORD_OTHER)
			run_ends(f);
	}
	switch (w->kind) {
	case WORD_DIGIT:
		add_digit(f, part, from, to, w->value);
		break;
	case WORD_TEEN:
		t = add_token(f, part, from, to);
		if (!t)
			break;
		t->digit[t->n++] = 1;
		t->digit[t->n++] = w->value;
		break;
	case WORD_TENS:
		t = add_token(f, part, from, to);
		if (!t)
			break;
		t->digit[t->n++] = w->value;
		f->tens = w->value;
		break;
	case WORD_REPEAT:
		if (add_token(f, part, from, to))
			f->repeat = w->value;
		break;
	case WORD_HESITATION:
		f->apart = f->apart > 0; /* itself does not count */
		if (f->n_tokens && ++f->hesitations > HESITATIONS)
			run_ends(f);
		break;
	case WORD_OTHER:
		break;
	}
}

/* -- reading a text ------------------------------------------------------------- */

/* One character; malformed bytes are characters of their own. */
static uint32_t read_char(const char *text, size_t *len)
{
	const uint8_t *p = (const uint8_t *)text;
	const unsigned n = p[0] < 0xc2 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3
				       : p[0] < 0xf5 ? 4 : 1;
	uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	*len = 1;
	for (unsigned i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return p[0] | 0x80u;
		c = c << 6 | (p[i] & 0x3f);
	}
	*len = n;
	return c;
}

/* A decimal digit of the scripts that services write in; -1: none. */
static int digit_of(uint32_t c)
{
	static const uint32_t zeros[] = {
		'0', 0x0660, 0x06f0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66,
		0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0xff10,
	};

	for (size_t i = 0; i < ARRAY_LEN(zeros); i++)
		if (c >= zeros[i] && c <= zeros[i] + 9)
			return (int)(c - zeros[i]);
	return -1;
}

static bool separates(uint32_t c)
{
	return (c >= '\t' && c <= '\r') || c == ' ' || c == '-' || c == '.' ||
	       c == ',' || c == '/' || c == '_' || c == 0xa0 ||
	       (c >= 0x2000 && c <= 0x2015) || c == 0x202f || c == 0x3000;
}

static bool is_letter(uint32_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '\'' ||
	       (c >= 0xc0 && !separates(c) && digit_of(c) < 0);
}

static size_t word_end(const char *text, size_t at)
{
	size_t len;

	while (text[at] && is_letter(read_char(text + at, &len)))
		at += len;
	return at;
}

static void apart(struct finder *f, size_t bytes)
{
	f->apart += bytes;
	if (f->n_tokens && f->apart > APART_MAX)
		run_ends(f);
}

static void read_part(struct finder *f, size_t part, const char *text)
{
	size_t at = 0, len;

	apart(f, part > 0);
	while (text[at]) {
		const uint32_t c = read_char(text + at, &len);
		const int digit = digit_of(c);

		if (digit >= 0) {
			add_digit(f, part, at, at + len, (uint8_t)digit);
		} else if (is_letter(c)) {
			len = word_end(text, at) - at;
			take_word(f, part, text, at, at + len);
		} else if (separates(c)) {
			apart(f, len);
		} else {
			run_ends(f);
			f->plus = c == '+';
			f->apart = 0;
		}
		at += len;
	}
}

int pan_find(struct pan_span **out, size_t *n, const char *const *parts,
	     size_t n_parts)
{
	struct finder f = {0};

	for (size_t i = 0; i < n_parts && !f.err; i++)
		read_part(&f, i, parts[i]);
	if (!f.err)
		run_ends(&f);
	free(f.tokens);
	if (f.err) {
		free(f.spans);
		return f.err;
	}
	*out = f.spans;
	*n = f.n_spans;
	return 0;
}

bool pan_mask(struct buf *out, const char *text, size_t part,
	      const struct pan_span *spans, size_t n)
{
	size_t at = 0;
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (spans[i].part != part)
			continue;
		buf_add(out, text + at, spans[i].from - at);
		for (unsigned d = 0; d < spans[i].digits; d++)
			buf_puts(out, "*");
		at = spans[i].to;
		any = true;
	}
	buf_puts(out, text + at);
	return any;
}
