/** @file test_g711.c  codecs/codec_pcmu.c, codec_pcma.c and the g711 kernels */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "tests/unit/codecs/g711_equal.h"

static const char *const kernels[] = { "portable", "avx2", "avx512", "neon" };

/* Values that every table of G.711 shows, so that g711_equal.h is tried too. */
static const struct {
	const struct codec *codec;
	uint8_t code;
	int16_t sample;
} known[] = {
	{ &codec_pcmu, 0xff, 0 },      { &codec_pcmu, 0x7f, 0 },
	{ &codec_pcmu, 0xfe, 8 },      { &codec_pcmu, 0x7e, -8 },
	{ &codec_pcmu, 0x80, 32124 },  { &codec_pcmu, 0x00, -32124 },
	{ &codec_pcmu, 0xef, 132 },    { &codec_pcmu, 0x8f, 16764 },
	{ &codec_pcmu, 0x90, 15996 },  { &codec_pcmu, 0x2a, -5372 },
	{ &codec_pcma, 0xd5, 8 },      { &codec_pcma, 0x55, -8 },
	{ &codec_pcma, 0xaa, 32256 },  { &codec_pcma, 0x2a, -32256 },
	{ &codec_pcma, 0xc5, 264 },    { &codec_pcma, 0x80, 5504 },
	{ &codec_pcma, 0xff, 848 },    { &codec_pcma, 0x00, -5504 },
};

static void test_known_codes(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(kernels); k++) {
		if (codecs_init(kernels[k]) < 0)
			continue; /* test_select.c says which must be there */
		for (size_t i = 0; i < ARRAY_LEN(known); i++) {
			uint8_t codes[64];
			int16_t pcm[64];

			memset(codes, known[i].code, sizeof codes);
			known[i].codec->decode(pcm, codes, 64);
			for (size_t j = 0; j < 64; j++)
				if (pcm[j] != known[i].sample)
					fail_msg("%s %s %02x: %d", kernels[k],
						 known[i].codec->name,
						 known[i].code, pcm[j]);
		}
	}
}

static void test_every_kernel_is_the_standard(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(kernels); k++) {
		const int err = codecs_init(kernels[k]);
		const char *why;

		if (err < 0) {
			print_message("%s: not on this processor\n", kernels[k]);
			assert_int_equal(err, -ENOTSUP);
			continue;
		}
		assert_string_equal(codecs_kernel(), kernels[k]);
		why = g711_equal();
		if (why)
			fail_msg("%s", why);
	}
}

static void test_every_sample_is_encoded_as_the_standard_does(void **state)
{
	(void)state;
	for (size_t s = 0; s < G711_STANDARDS; s++) {
		const struct g711_standard *std = &g711_standards[s];
		int x[129];

		g711_decisions(std, x);
		for (int v = INT16_MIN; v <= INT16_MAX; v++) {
			const int16_t sample = (int16_t)v;
			uint8_t code;

			std->codec->encode(&code, &sample, 1);
			if (code != g711_code(std, x, v))
				fail_msg("%s %d: %02x", std->codec->name, v, code);
		}
	}
}

static void test_encoding_the_decoded_changes_no_sample(void **state)
{
	(void)state;
	codecs_init(NULL);
	for (size_t s = 0; s < G711_STANDARDS; s++) {
		const struct codec *codec = g711_standards[s].codec;
		uint8_t codes[256], again[256];
		int16_t pcm[256], twice[256];

		for (int i = 0; i < 256; i++)
			codes[i] = (uint8_t)i;
		codec->decode(pcm, codes, 256);
		codec->encode(again, pcm, 256);
		codec->decode(twice, again, 256);
		assert_memory_equal(pcm, twice, sizeof pcm);

		/* and no code either, but mu-law's negative zero */
		if (codec == &codec_pcmu)
			codes[0x7f] = 0xff;
		assert_memory_equal(codes, again, sizeof codes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_codes),
		cmocka_unit_test(test_every_kernel_is_the_standard),
		cmocka_unit_test(
			test_every_sample_is_encoded_as_the_standard_does),
		cmocka_unit_test(test_encoding_the_decoded_changes_no_sample),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
