/**
 * @file bench_codecs.c  Speed of G.711 decoding, beside a copy of its output
 *
 * Every row is one function of the codec's own type, called through the same
 * pointer in the same loop; the yardstick is a memcpy of the 320 bytes that a
 * packet becomes.  Rows take turns, and of each the best round counts, so that
 * a busy machine does not hit one alone.
 *
 * Judged is what the daemon does: many legs, each with buffers of its own, and
 * a leg's turn comes when its last packet has long left the first-level cache.
 * The same with a few packets, all in the first-level cache, is printed beside
 * it: there a copy is a handful of loads and stores, and nothing that looks at
 * the bytes comes near it.
 *
 * Fails when a limit does not hold.  Where the processor lacks a kernel, its
 * row says so, and a limit that needs it is not judged.
 */
#include <spandsp.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "codecs/codec.h"

enum {
	PACKET = 160, /* samples: 20 ms at 8 kHz */
	LEGS = 1000,  /* 480 kB in and out, 640 kB for the copy */
	FEW = 32,     /* 15 kB and 20 kB */
	CALLS = 200 * LEGS, /* in one round of a row */
	ROUNDS = 5,         /* "best of 5" */
	FASTEST = 130,      /* limits, in percent of the copy's time */
	AVX2 = 250,
};

typedef void decode_fn(int16_t *pcm, const uint8_t *data, size_t n);

static alignas(64) int16_t pcm[LEGS][PACKET];
static alignas(64) int16_t decoded[LEGS][PACKET];
static alignas(64) uint8_t codes[LEGS][PACKET];
static int16_t table[256];
static g711_state_t *spandsp;

static void by_memcpy(int16_t *out, const uint8_t *data, size_t n)
{
	memcpy(out, data, n * sizeof *out);
}

static void by_table(int16_t *out, const uint8_t *data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = table[data[i]];
}

static void by_spandsp(int16_t *out, const uint8_t *data, size_t n)
{
	g711_decode(spandsp, out, data, (int)n);
}

static struct row {
	const char *name;  /* a kernel's, where `decode` is NULL */
	decode_fn *decode;
	unsigned limit;
	bool missing;
	double legs_ns, few_ns; /* per sample, best round */
} rows[] = {
	{ .name = "memcpy of the output", .decode = by_memcpy },
	{ .name = "avx512" },
	{ .name = "avx2", .limit = AVX2 },
	{ .name = "neon" },
	{ .name = "portable" },
	{ .name = "table of 256", .decode = by_table },
	{ .name = "spandsp", .decode = by_spandsp },
};

enum { ROWS = sizeof rows / sizeof *rows };

static void fill(void)
{
	const struct codec *pcmu = codec_by_pt(0);
	unsigned random = 1;

	for (int i = 0; i < 256; i++)
		pcmu->decode(&table[i], &(uint8_t){ (uint8_t)i }, 1);
	for (int p = 0; p < LEGS; p++)
		for (int i = 0; i < PACKET; i++) {
			random = random * 1103515245u + 12345u;
			codes[p][i] = (uint8_t)(random >> 16);
			decoded[p][i] = table[codes[p][i]];
		}
}

/* Nanoseconds a sample.  Not inlined: the pointer stays a pointer. */
__attribute__((noinline)) static double run(decode_fn *decode,
					    const uint8_t *in, size_t stride,
					    size_t packets)
{
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (size_t l = 0; l < CALLS / packets; l++)
		for (size_t p = 0; p < packets; p++)
			decode(pcm[p], in + p * stride, PACKET);
	clock_gettime(CLOCK_MONOTONIC, &b);
	return ((double)(b.tv_sec - a.tv_sec) * 1e9 +
		(double)(b.tv_nsec - a.tv_nsec)) /
	       ((double)(CALLS / packets * packets) * PACKET);
}

static void keep_best(double *best, double ns, bool warm_up)
{
	if (!warm_up && (*best == 0 || ns < *best))
		*best = ns;
}

/* @return false: it wrote wrong samples */
static bool round_of(struct row *r, bool warm_up)
{
	const bool copy = r->decode == by_memcpy;
	const uint8_t *in = copy ? (const uint8_t *)decoded : codes[0];
	const size_t stride = copy ? sizeof decoded[0] : sizeof codes[0];
	decode_fn *decode = r->decode;

	if (!decode) {
		r->missing = codecs_init(r->name) < 0;
		if (r->missing)
			return true;
		decode = codec_by_pt(0)->decode;
	}
	memset(pcm, 0x5a, sizeof pcm);
	keep_best(&r->legs_ns, run(decode, in, stride, LEGS), warm_up);
	keep_best(&r->few_ns, run(decode, in, stride, FEW), warm_up);
	return memcmp(pcm, decoded, sizeof pcm) == 0;
}

static bool judge(const char *name, const struct row *r, unsigned limit)
{
	const double percent = 100 * r->legs_ns / rows[0].legs_ns;
	const bool held = percent <= limit;

	printf("%s %s: %.2f of the memcpy, at most %.2f\n",
	       held ? "PASS" : "FAIL", name, percent / 100, limit / 100.0);
	return held;
}

static bool report(void)
{
	const struct row *best = NULL;
	bool good = true;

	printf("mu-law, packets of %d samples, best of %d, ns a sample (and "
	       "ratio to the memcpy)\n%-22s %18s %18s\n",
	       PACKET, ROUNDS, "", "1000 legs", "32 packets");
	for (int i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];

		if (r->missing) {
			printf("%-22s not on this processor\n", r->name);
			continue;
		}
		printf("%-22s %8.3f (%7.2f) %8.3f (%7.2f)\n", r->name,
		       r->legs_ns, r->legs_ns / rows[0].legs_ns, r->few_ns,
		       r->few_ns / rows[0].few_ns);
		if (!r->decode && (!best || r->legs_ns < best->legs_ns))
			best = r;
	}
	good &= judge("fastest", best, FASTEST);
	for (int i = 0; i < ROWS; i++)
		if (rows[i].limit && !rows[i].missing)
			good &= judge(rows[i].name, &rows[i], rows[i].limit);
	return good;
}

int main(void)
{
	spandsp = g711_init(NULL, G711_ULAW);
	if (!spandsp)
		return 1;
	fill();
	for (int i = 0; i <= ROUNDS; i++)
		for (int r = 0; r < ROWS; r++)
			if (!round_of(&rows[r], i == 0)) {
				printf("FAIL %s: wrong samples\n", rows[r].name);
				return 1;
			}
	g711_free(spandsp);
	return report() ? 0 : 1;
}
