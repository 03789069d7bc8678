/**
 * @file g711_equal.h  Is a G.711 kernel the standard's, whatever it is given?
 *
 * For the unit test and for tests/tools/g711.c, which runs where there is no
 * test library (AArch64 under qemu).  The expected samples come from the
 * decision values of ITU-T G.711, written down here again, on their own.
 */
#pragma once

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "codecs/codec.h"

extern const struct codec codec_pcmu, codec_pcma;

enum {
	G711_LONGEST = 1000, /* every length up to it is tried ... */
	G711_IN_ALIGNS = 64, /* ... at every offset within a cache line, */
	G711_OUT_ALIGNS = 32,
	G711_ALL_PAIRS = 96, /* and up to here every pair of offsets */
	G711_GUARD = 64,
	G711_FILL = 0x5a,
};

/* Columns 1 to 3 of tables 1a and 2a: segments as runs of equal intervals. */
struct g711_run {
	int intervals, size;
};

struct g711_standard {
	const struct codec *codec;
	int unit;        /* 16-bit samples per unit of the tables */
	unsigned invert; /* code of the n-th positive value: (0x80 | n) ^ it */
	struct g711_run runs[9];
};

static const struct g711_standard g711_standards[] = {
	{ &codec_pcmu, 4, 0x7f,
	  { { 1, 1 }, { 15, 2 }, { 16, 4 }, { 16, 8 }, { 16, 16 },
	    { 16, 32 }, { 16, 64 }, { 16, 128 }, { 16, 256 } } },
	{ &codec_pcma, 8, 0x55,
	  { { 32, 2 }, { 16, 4 }, { 16, 8 }, { 16, 16 }, { 16, 32 },
	    { 16, 64 }, { 16, 128 } } },
};

enum { G711_STANDARDS = sizeof g711_standards / sizeof *g711_standards };

/* Decision values x[0 ... 128], in the tables' unit. */
static inline void g711_decisions(const struct g711_standard *s, int x[129])
{
	int n = 0;

	x[0] = 0;
	for (const struct g711_run *r = s->runs; n < 128; r++)
		for (int i = 0; i < r->intervals; i++, n++)
			x[n + 1] = x[n] + r->size;
}

/* The 256 samples: each code is decoded as the middle of its interval, but
 * mu-law's first interval, which lies on both sides of zero, as 0. */
static inline void g711_samples(const struct g711_standard *s, int16_t out[256])
{
	int x[129];

	g711_decisions(s, x);
	for (int n = 0; n < 128; n++) {
		const int twice = x[n + 1] == 1 ? 0 : x[n] + x[n + 1];
		const unsigned code = (0x80u | (unsigned)n) ^ s->invert;

		out[code] = (int16_t)(twice * s->unit / 2);
		out[code ^ 0x80u] = (int16_t)(-twice * s->unit / 2);
	}
}

/* The code of a sample: the interval it lies in; one that lies just on a
 * decision value goes up, as G.191's reference program has it. */
static inline uint8_t g711_code(const struct g711_standard *s,
				const int x[129], int sample)
{
	const int positive = sample >= 0;
	unsigned n = 127;

	while (n > 0 && (positive ? sample < x[n] * s->unit
				  : -sample <= x[n] * s->unit))
		n--;
	return (uint8_t)((positive ? 0x80u | n : n) ^ s->invert);
}

struct g711_arena {
	uint8_t *in_end;  /* behind each of them nothing may be touched */
	uint8_t *out_end;
	int16_t samples[256];
	char why[160];
};

/* n codes at `in`, decoded to `out`, with guards of G711_GUARD around it or,
 * where the page ends, only before it. */
static inline int g711_one(struct g711_arena *a, const struct codec *codec,
			   uint8_t *in, uint8_t *out, size_t n, unsigned seed)
{
	static int16_t want[G711_LONGEST];
	const size_t behind = out + 2 * n == a->out_end ? 0 : G711_GUARD;
	uint8_t *const start = out - G711_GUARD;

	for (size_t i = 0; i < n; i++) {
		in[i] = (uint8_t)(i + seed);
		want[i] = a->samples[in[i]];
	}
	memset(start, G711_FILL, G711_GUARD + 2 * n + behind);
	codec->decode((int16_t *)(void *)out, in, n);

	int wrong = memcmp(out, want, 2 * n) != 0;

	for (size_t i = 0; i < G711_GUARD; i++)
		wrong |= start[i] != G711_FILL;
	for (size_t i = 0; i < behind; i++)
		wrong |= out[2 * n + i] != G711_FILL;
	if (wrong)
		snprintf(a->why, sizeof a->why,
			 "%s %s: %zu codes from %#x, in at %zu, out at %zu of "
			 "a cache line",
			 codecs_kernel(), codec->name, n, seed & 0xffu,
			 (size_t)in % 64, (size_t)out % 64);
	return wrong;
}

/* One length; every alignment of one side, the other's changing along. */
static inline int g711_length_equal(struct g711_arena *a,
				    const struct codec *codec, size_t n)
{
	const size_t room = 2 * G711_LONGEST + 4096;
	uint8_t *const in = a->in_end - room + G711_GUARD;
	uint8_t *const out = a->out_end - room + G711_GUARD;
	const size_t pairs = (size_t)G711_IN_ALIGNS * G711_OUT_ALIGNS;
	unsigned seed = (unsigned)n * 7;

	for (size_t i = 0; i < G711_IN_ALIGNS; i++, seed++)
		if (g711_one(a, codec, in + i,
			     out + 2 * (seed % G711_OUT_ALIGNS), n, seed))
			return 1;
	for (size_t i = 0; i < G711_OUT_ALIGNS; i++, seed += 3)
		if (g711_one(a, codec, in + seed % G711_IN_ALIGNS, out + 2 * i,
			     n, seed))
			return 1;
	for (size_t i = 0; n <= G711_ALL_PAIRS && i < pairs; i++, seed++)
		if (g711_one(a, codec, in + i / G711_OUT_ALIGNS,
			     out + 2 * (i % G711_OUT_ALIGNS), n, seed))
			return 1;
	return g711_one(a, codec, a->in_end - n, a->out_end - 2 * n, n, seed);
}

static inline int g711_law_equal(struct g711_arena *a,
				 const struct g711_standard *s)
{
	g711_samples(s, a->samples);
	for (size_t n = 0; n <= G711_LONGEST; n++)
		if (g711_length_equal(a, s->codec, n))
			return 1;
	return 0;
}

/* The end of a mapping that a page without any rights follows. */
static inline uint8_t *g711_map(void)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t len = (2 * G711_LONGEST + 4096 + page) / page * page;
	uint8_t *p = mmap(NULL, len + page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p + len, page, PROT_NONE) < 0)
		return NULL;
	return p + len;
}

/**
 * Compare the kernel in use with the standard, for both laws.
 *
 * @return NULL, or what is wrong
 */
static inline const char *g711_equal(void)
{
	static struct g711_arena a;

	if (!a.in_end)
		a.in_end = g711_map();
	if (!a.out_end)
		a.out_end = g711_map();
	if (!a.in_end || !a.out_end)
		return "no memory";
	for (int i = 0; i < G711_STANDARDS; i++)
		if (g711_law_equal(&a, &g711_standards[i]))
			return a.why;
	return NULL;
}
