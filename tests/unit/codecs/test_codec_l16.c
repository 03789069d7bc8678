/** @file test_codec_l16.c  codecs/codec_l16.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codecs/codec.h"
#include "daemon/base/array.h"

static const struct {
	uint8_t data[2];
	int16_t sample;
} rows[] = {
	{ { 0x00, 0x00 }, 0 },      { { 0x00, 0x01 }, 1 },
	{ { 0xff, 0xff }, -1 },     { { 0x7f, 0xff }, 32767 },
	{ { 0x80, 0x00 }, -32768 }, { { 0x12, 0x34 }, 0x1234 },
	{ { 0xfe, 0x80 }, -384 },   { { 0x00, 0x80 }, 128 },
};

static void test_network_order(void **state)
{
	const struct codec *l16 = codec_by_name("L16");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int16_t pcm;
		uint8_t data[2];

		l16->decode(&pcm, rows[i].data, 1);
		l16->encode(data, &rows[i].sample, 1);
		if (pcm != rows[i].sample || memcmp(data, rows[i].data, 2) != 0)
			fail_msg("row %zu: %d, %02x %02x", i, pcm, data[0],
				 data[1]);
	}
}

/* All samples there and back, in blocks of just their size, at odd addresses */
static void test_there_and_back(void **state)
{
	const struct codec *l16 = codec_by_name("L16");

	(void)state;
	for (size_t n = 0; n <= 300; n++) {
		uint8_t *block = malloc(2 * n + 1);
		int16_t *pcm = malloc(2 * n + 1), *back = malloc(2 * n + 1);

		assert_true(block && pcm && back);
		for (size_t i = 0; i < n; i++)
			pcm[i] = (int16_t)(int)((n * 300 + i) * 40503u);
		l16->encode(block + 1, pcm, n);
		l16->decode(back, block + 1, n);
		assert_memory_equal(pcm, back, 2 * n);
		free(block);
		free(pcm);
		free(back);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_network_order),
		cmocka_unit_test(test_there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
